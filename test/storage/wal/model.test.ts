// Random histories against an array: batches, replaced suffixes, restarts, evictions.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry, HardState } from '../../../src/raft/types.js';
import type { SnapshotMark } from '../../../src/storage/log-store.js';
import type { WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, settled } from './fake-files.js';
import { allEntries, entry, expectEntries, openLog } from './log.js';

const depth = Math.max(1, Number(process.env.KONTIKI_DEPTH ?? 1));

const data = fc.oneof(
  fc.uint8Array({ maxLength: 900 }),
  fc.nat(1_500).map((length) => new Uint8Array(length)),
);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      values: fc.array(data, { maxLength: 5 }),
      /** How many entries above the committed ones are replaced. */
      back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { arbitrary: fc.nat(6), weight: 1 }),
      term: fc.nat(1),
      commit: fc.option(fc.nat(3)),
      isWaited: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const), by: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'applied' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'turn' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'check' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), keep: fc.nat(6) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('install' as const),
      ahead: fc.nat(8),
      values: fc.array(data, { maxLength: 3 }),
      isDone: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly #fs = new FakeFiles();
  readonly #options: { segmentBytes: number; preallocateBytes: number; cacheBytes: number };
  #log!: WalLogStore;
  /** By index - 1; those before the log's start mean nothing. */
  #entries: Entry[] = [];
  #first = 1;
  #installing: SnapshotMark | undefined;
  #hardState: HardState = { term: 1, vote: 1, commit: 0 };
  #applied = 0;
  #writes: Promise<void>[] = [];
  #issued = 0;
  #settled = 0;

  constructor(options: { segmentBytes: number; preallocateBytes: number; cacheBytes: number }) {
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#log = await openLog(this.#fs, { ...this.#options, applied: this.#applied });
    if (this.#entries.length === 0 && this.#hardState.commit === 0) {
      await this.#log.append({ entries: [], hardState: this.#hardState, mustSync: true });
    }
  }

  async take(next: Step): Promise<void> {
    if (next.kind === 'append') return this.#append(next);
    if (next.kind === 'turn') return settled();
    if (next.kind === 'check') return this.#check();
    if (next.kind === 'restart') return this.restart();
    if (next.kind === 'truncate') return this.#truncate(next.keep);
    if (next.kind === 'install') return this.#install(next);
    if (next.kind === 'applied') {
      this.#applied = this.#hardState.commit;
      return this.#log.applied(this.#applied);
    }
    const commit = Math.min(this.#entries.length, this.#hardState.commit + next.by);
    this.#hardState = { ...this.#hardState, commit };
    void this.#issue({ entries: [], hardState: this.#hardState, mustSync: false });
  }

  async #truncate(keep: number): Promise<void> {
    const index = Math.max(0, this.#applied - keep);
    const write = this.#log.truncate(index);
    const first = this.#log.firstIndex();
    // Nothing that is needed goes, and it never comes back.
    if (index >= this.#first) expect(first).toBeLessThanOrEqual(index + 1);
    expect(first).toBeGreaterThanOrEqual(this.#first);
    this.#first = first;
    this.#writes.push(write);
  }

  async #install(next: Step & { kind: 'install' }): Promise<void> {
    const { commit, term, vote } = this.#hardState;
    const index = Math.max(1, commit + next.ahead);
    const snapshot = { last: { term, index }, configuration: { voters: [index, 7] } };
    const added = next.values.map((value, at) => entry(term, index + 1 + at, value));
    const gap = Array.from({ length: index }, (_, at) => entry(term, at + 1, new Uint8Array()));
    this.#entries = [...gap, ...added];
    this.#first = index + 1;
    this.#applied = index;
    this.#hardState = { term, vote, commit: index };
    this.#installing = snapshot;
    void this.#issue({ snapshot, entries: added, hardState: this.#hardState, mustSync: true });
    expect(this.#log.installing).toEqual(snapshot);
    if (!next.isDone) return;
    this.#installing = undefined;
    this.#writes.push(this.#log.installed(snapshot.last));
  }

  async restart(): Promise<void> {
    await this.#log.close();
    await Promise.all(this.#writes);
    this.#writes = [];
    await this.open();
    expect(this.#log.initialState().hardState).toEqual(this.#hardState);
    expect(this.#log.installing).toEqual(this.#installing);
    expect(this.#log.firstIndex()).toBe(this.#first);
    await this.#check();
  }

  async #append(next: Step & { kind: 'append' }): Promise<void> {
    const { commit } = this.#hardState;
    const keep = Math.max(commit, this.#entries.length - next.back);
    const term = this.#hardState.term + next.term;
    const added = next.values.map((value, at) => entry(term, keep + 1 + at, value));
    if (added.length > 0) this.#entries = [...this.#entries.slice(0, keep), ...added];
    const isNew = next.commit !== null || next.term > 0;
    if (isNew) {
      const raised = Math.min(this.#entries.length, commit + (next.commit ?? 0));
      const vote = next.term > 0 ? 0 : this.#hardState.vote;
      this.#hardState = { term, vote, commit: raised };
    }
    const write = this.#issue({
      entries: added,
      mustSync: true,
      ...(isNew ? { hardState: this.#hardState } : {}),
    });
    if (next.isWaited) await write;
  }

  #issue(batch: Parameters<WalLogStore['append']>[0]): Promise<void> {
    const order = this.#issued;
    this.#issued += 1;
    const write = this.#log.append(batch).then(() => {
      expect(order).toBe(this.#settled);
      this.#settled += 1;
    });
    this.#writes.push(write);
    return write;
  }

  async #check(): Promise<void> {
    const length = this.#entries.length;
    expect(this.#log.lastIndex()).toBe(length);
    expect(this.#log.firstIndex()).toBe(this.#first);
    expect(this.#log.term(length)).toBe(this.#entries.at(-1)?.term ?? 0);
    if (this.#first > 1) {
      expect(this.#log.term(this.#first - 1)).toBe(this.#entries[this.#first - 2]!.term);
      expect(this.#log.term(this.#first - 2)).toBeUndefined();
      expect(this.#log.entries({ lo: this.#first - 1, hi: this.#first }, 1e9)).toBeUndefined();
    }
    expect(this.#log.term(length + 1)).toBeUndefined();
    const above = { lo: this.#applied + 1, hi: length + 1 };
    // Above the applied index nothing is ever pending.
    expectEntries(this.#log.entries(above, 1e9), this.#entries.slice(this.#applied));
    expectEntries(await allEntries(this.#log), this.#entries.slice(this.#first - 1));
  }
}

test('any history -> the log is the array, before and after every restart', async () => {
  const property = fc.asyncProperty(
    fc.record({
      segmentBytes: fc.constantFrom(600, 2_000, 1 << 20),
      preallocateBytes: fc.constantFrom(0, 512, 4_096),
      cacheBytes: fc.constantFrom(0, 800, 1 << 20),
    }),
    fc.array(step, { maxLength: 40, size: 'max' }),
    async (options, steps) => {
      const run = new Run(options);
      await run.open();
      for (const next of steps) await run.take(next);
      await run.restart();
      await run.restart();
    },
  );
  await fc.assert(property, { numRuns: 200 * depth });
});
