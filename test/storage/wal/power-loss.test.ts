// A log on a simulated disk that loses, keeps and tears what was not synced: what was acknowledged is
// there after every crash, what is there was issued in this order, and no crash looks like damage.
// KONTIKI_DEPTH=n runs n times as many seeds.
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { Prng, randomInt } from '../../../src/base/prng.js';
import type { Entry, HardState } from '../../../src/raft/types.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import type { LogBatch } from '../../../src/storage/log-store.js';
import type { WalLogStore } from '../../../src/storage/wal/index.js';
import type { SimMachine } from '../../../src/testing/sim-machine.js';
import { Simulator } from '../../../src/testing/simulator.js';
import { entry, openLog, segmentPath, voters } from './log.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const seeds = 500 * depth;

/** The log after one batch. */
interface State {
  /** By index - 1; up to `base` they mean nothing. */
  readonly entries: readonly Entry[];
  /** Last entry of the snapshot that took the log's place. */
  readonly base: number;
  /** Index of the snapshot that is being installed, or 0. */
  readonly installing: number;
  readonly hardState: HardState;
  /** Commit index that the newest batch wrote which had to be synced. */
  readonly commitFloor: number;
}

const start: State = {
  entries: [],
  base: 0,
  installing: 0,
  hardState: { term: 0, vote: 0, commit: 0 },
  commitFloor: 0,
};

/** A log as it opened. */
interface Found {
  readonly first: number;
  readonly entries: readonly Entry[];
  readonly installing: number;
  readonly hardState: HardState;
}

class Run {
  readonly #seed: number;
  readonly #random: Prng;
  readonly #sim: Simulator;
  readonly #machine: SimMachine;
  readonly #options: { segmentBytes: number; preallocateBytes: number; cacheBytes: number };
  #log: WalLogStore | undefined;
  /** States a crash may leave: the newest acknowledged one, and one for each batch issued since. */
  #states: State[] = [start];
  /** Batches issued in earlier lives do not count any more. */
  #life = 0;
  /** Entries up to here may be gone: truncation was asked for. */
  #free = 0;
  /** Entries before here are gone: truncation was acknowledged. */
  #first = 1;
  failedSyncs = 0;
  truncated = 0;
  installed = 0;
  recoveredTorn = 0;
  crashes = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Prng(seed);
    this.#sim = new Simulator({ seed, traceLines: 40 });
    this.#machine = this.#sim.machine('n1');
    this.#options = {
      segmentBytes: this.#pick([700, 1_500, 4_000, 4_000, 20_000]),
      preallocateBytes: this.#pick([0, 600, 4_096, 16_384]),
      cacheBytes: this.#pick([0, 1 << 20]),
    };
  }

  async play(): Promise<void> {
    const crashes = 4 + this.#int(6);
    for (let crash = 0; crash < crashes; crash += 1) {
      const { fs } = this.#machine.boot();
      // Sometimes the next crash comes while it opens.
      if (this.#int(6) === 0) await this.#beginToOpen(fs);
      else await this.#open(fs);
      const steps = this.#int(14);
      for (let step = 0; step < steps && this.#log !== undefined; step += 1) await this.#step();
      // Anywhere in what is under way, or when all is done.
      await this.#sim.run((this.#pick([0, 0.2, 0.4, 0.6, 0.8, 3]) * this.#int(100)) / 100);
      this.#crash();
    }
    await this.#open(this.#machine.boot().fs);
  }

  async #beginToOpen(fs: FileSystem): Promise<void> {
    openLog(fs, this.#options).catch(() => {});
    await this.#sim.run(this.#int(30) / 10);
  }

  async #open(fs: FileSystem): Promise<void> {
    const log = await this.#sim.complete(openLog(fs, this.#options), 10_000);
    if (log.recovery.cut !== undefined) this.recoveredTorn += 1;
    const { hardState, voters: members } = log.initialState();
    expect(members).toEqual(voters);
    const first = log.firstIndex();
    const installing = log.installing?.last.index ?? 0;
    const found = { first, entries: await this.#entriesOf(log), installing, hardState };
    const at = this.#states.findLastIndex((state) => isLeft(state, found, this.#free));
    if (at < 0 || first < this.#first) this.#explain(found);
    // What is there now is durable: the log synced it again before it opened.
    const left = this.#states[at] as State;
    this.#states = [{ ...left, hardState, commitFloor: hardState.commit }];
    this.#first = first;
    this.#log = log;
  }

  async #entriesOf(log: WalLogStore): Promise<Entry[]> {
    const found: Entry[] = [];
    const first = log.firstIndex();
    const hi = log.lastIndex() + 1;
    while (found.length < hi - first) {
      const next = log.entries({ lo: first + found.length, hi }, 1e9);
      if (next === 'pending') {
        await this.#sim.complete(log.fetch({ lo: first + found.length, hi }), 1_000);
      } else {
        found.push(...next!);
      }
    }
    return found;
  }

  async #step(): Promise<void> {
    const log = this.#log as WalLogStore;
    const dice = this.#int(25);
    if (dice >= 23) return this.#install(log);
    if (dice >= 20) return this.#truncate(log);
    if (dice < 12) return this.#append(log, this.#nextBatch());
    if (dice < 14) return this.#append(log, this.#raisedCommit());
    if (dice === 14) {
      log.applied((this.#states[0] as State).hardState.commit);
    } else if (dice === 15) {
      this.#failSync();
    } else if (dice === 16) {
      this.#machine.disk.byteBudget = this.#machine.disk.usedBytes + this.#int(8_000);
    } else if (dice === 17) {
      await this.#sim.complete(log.close(), 1_000);
      this.#log = undefined;
    } else {
      await this.#sim.run(this.#int(20) / 10);
    }
  }

  #truncate(log: WalLogStore): void {
    const { hardState } = this.#states.at(-1) as State;
    const index = Math.max(0, hardState.commit - this.#int(4));
    this.#free = Math.max(this.#free, index);
    const life = this.#life;
    const before = log.firstIndex();
    const write = log.truncate(index);
    const first = log.firstIndex();
    const isShorter = first > before;
    if (isShorter) this.truncated += 1;
    this.#settle(write, () => {
      if (isShorter && life === this.#life) this.#first = Math.max(this.#first, first);
    });
  }

  #install(log: WalLogStore): void {
    const state = this.#states.at(-1) as State;
    if (state.installing > 0 && this.#int(2) === 0) {
      this.installed += 1;
      const last = { term: state.hardState.term, index: state.installing };
      if (log.term(last.index) !== last.term) return;
      return this.#issue({ ...state, installing: 0 }, log.installed(last));
    }
    const { commit, term } = state.hardState;
    if (term === 0) return;
    const index = Math.max(1, commit + this.#int(5));
    const configuration = { voters: [...voters] };
    this.#append(log, {
      snapshot: { last: { term, index }, configuration },
      hardState: { ...state.hardState, commit: index },
      entries: this.#int(2) === 0 ? [] : [entry(term, index + 1, this.#data())],
      mustSync: true,
    });
  }

  #append(log: WalLogStore, batch: LogBatch): void {
    this.#issue(this.#after(batch), log.append(batch));
  }

  #issue(state: State, write: Promise<void>): void {
    this.#states.push(state);
    const life = this.#life;
    this.#settle(write, () => {
      // Everything before an acknowledged state is history.
      if (life === this.#life) this.#states = this.#states.slice(this.#states.indexOf(state));
    });
  }

  #settle(write: Promise<void>, onDone: () => void): void {
    void write.then(onDone, (error) => {
      if (!isKontikiError(error, 'STORAGE_IO') && !isKontikiError(error, 'NO_SPACE')) throw error;
    });
  }

  #after(batch: LogBatch): State {
    const { entries, base, installing, hardState, commitFloor } = this.#states.at(-1) as State;
    const [first] = batch.entries;
    const { last } = batch.snapshot ?? {};
    const gap = (length: number) =>
      Array.from({ length }, (_, at) => entry(1, at + 1, new Uint8Array()));
    const before = last === undefined ? entries : gap(last.index);
    const kept = first === undefined ? before : before.slice(0, first.index - 1);
    const next = batch.hardState ?? hardState;
    const isLazy = !batch.mustSync;
    return {
      entries: [...kept, ...batch.entries],
      base: last?.index ?? base,
      installing: last?.index ?? installing,
      hardState: next,
      commitFloor: isLazy ? commitFloor : next.commit,
    };
  }

  #nextBatch(): LogBatch {
    const { entries, hardState } = this.#states.at(-1) as State;
    const { commit } = hardState;
    const isNewTerm = hardState.term === 0 || this.#int(5) === 0;
    const term = hardState.term + (isNewTerm ? 1 : 0);
    const back = isNewTerm ? this.#int(4) : 0;
    const lo = Math.max(commit, entries.length - back) + 1;
    const added = Array.from({ length: this.#int(4) }, (_, at) =>
      entry(term, lo + at, this.#data()),
    );
    const last = added.length > 0 ? lo + added.length - 1 : entries.length;
    const raised = commit + this.#int(last - commit + 1);
    const next = { term, vote: isNewTerm ? this.#int(3) : hardState.vote, commit: raised };
    const isChanged = isNewTerm || this.#int(2) === 0;
    return { entries: added, mustSync: true, ...(isChanged ? { hardState: next } : {}) };
  }

  #raisedCommit(): LogBatch {
    const { entries, hardState } = this.#states.at(-1) as State;
    const commit = hardState.commit + this.#int(entries.length - hardState.commit + 1);
    return { entries: [], hardState: { ...hardState, commit }, mustSync: false };
  }

  #data(): Uint8Array {
    const length = this.#pick([0, 5, 100, 400, 442, 900, 2_000, 6_000]);
    const data = new Uint8Array(length);
    const kind = this.#int(3);
    if (kind === 1 && length > 0) data[this.#int(length)] = 1 << this.#int(8);
    if (kind === 2) for (let at = 0; at < length; at += 1) data[at] = this.#int(256);
    return data;
  }

  #failSync(): void {
    const names = Array.from({ length: 40 }, (_, at) => segmentPath(40 - at));
    const newest = names.find((path) => this.#machine.disk.names.lookup(path) !== undefined);
    if (newest === undefined) return;
    this.#machine.disk.failSync(newest);
    this.failedSyncs += 1;
  }

  #crash(): void {
    this.#life += 1;
    this.#log = undefined;
    this.#machine.disk.byteBudget = Number.POSITIVE_INFINITY;
    this.crashes += 1;
    this.#machine.crash(this.#int(4) === 0 ? 'process' : 'power');
  }

  #explain({ entries, first, ...others }: Found): never {
    const legal = this.#states.map((state) => ({ ...state, entries: state.entries.length }));
    const found = JSON.stringify({ first, count: entries.length, ...others });
    const bounds = `from ${this.#first}, free ${this.#free}`;
    const text = `found ${found}, legal ${bounds}: ${JSON.stringify(legal)}`;
    throw new Error(`seed ${this.#seed}: ${text}\n${this.#sim.describe()}`);
  }

  #int(below: number): number {
    return randomInt(this.#random, below);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#int(values.length)] as T;
  }
}

/** Whether a log may hold this after the state's batch: a lazy commit index may lag. */
function isLeft(state: State, found: Found, free: number): boolean {
  const { term, vote, commit } = state.hardState;
  const { entries, first, hardState, installing } = found;
  if (hardState.term !== term || hardState.vote !== vote) return false;
  if (hardState.commit > commit || hardState.commit < state.commitFloor) return false;
  if (installing !== state.installing) return false;
  if (first - 1 < state.base || first - 1 > Math.max(state.base, free)) return false;
  const wanted = state.entries.slice(first - 1);
  if (entries.length !== wanted.length) return false;
  return wanted.every(({ term, data }, at) => {
    const other = entries[at] as Entry;
    return other.term === term && Buffer.compare(other.data, data) === 0;
  });
}

describe('power loss', () => {
  test(
    `${seeds} seeds -> nothing acknowledged is lost, nothing else appears`,
    async () => {
      const total = { crashes: 0, recoveredTorn: 0, failedSyncs: 0, truncated: 0, installed: 0 };
      for (let seed = 1; seed <= seeds; seed += 1) {
        const run = new Run(seed);
        try {
          await run.play();
        } catch (error) {
          throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
        }
        total.crashes += run.crashes;
        total.recoveredTorn += run.recoveredTorn;
        total.failedSyncs += run.failedSyncs;
        total.truncated += run.truncated;
        total.installed += run.installed;
      }
      // The test is worth something only while it gets into these situations.
      expect(total.recoveredTorn).toBeGreaterThan(seeds / 10);
      expect(total.failedSyncs).toBeGreaterThan(seeds / 3);
      expect(total.truncated).toBeGreaterThan(seeds / 4);
      expect(total.installed).toBeGreaterThan(seeds / 4);
    },
    120_000 * depth,
  );
});
