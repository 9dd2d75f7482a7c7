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
const seeds = 800 * depth;

/** The log after one batch. */
interface State {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  /** Commit index that the newest batch wrote which had to be synced. */
  readonly commitFloor: number;
}

const start: State = {
  entries: [],
  hardState: { term: 0, vote: 0, commit: 0 },
  commitFloor: 0,
};

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
  failedSyncs = 0;
  recoveredTorn = 0;
  crashes = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Prng(seed);
    this.#sim = new Simulator({ seed, traceLines: 40 });
    this.#machine = this.#sim.machine('n1');
    this.#options = {
      segmentBytes: this.#pick([700, 4_000, 20_000, 1 << 20]),
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
    const { hardState, voters: found } = log.initialState();
    expect(found).toEqual(voters);
    const entries = await this.#entriesOf(log);
    const at = this.#states.findLastIndex((state) => isLeft(state, entries, hardState));
    if (at < 0) this.#explain(entries, hardState);
    // What is there now is durable: the log synced it again before it opened.
    const left = this.#states[at] as State;
    this.#states = [{ ...left, hardState, commitFloor: hardState.commit }];
    this.#log = log;
  }

  async #entriesOf(log: WalLogStore): Promise<Entry[]> {
    const found: Entry[] = [];
    const hi = log.lastIndex() + 1;
    while (found.length < hi - 1) {
      const next = log.entries({ lo: found.length + 1, hi }, 1e9);
      if (next === 'pending') {
        await this.#sim.complete(log.fetch({ lo: found.length + 1, hi }), 1_000);
      } else {
        found.push(...next!);
      }
    }
    return found;
  }

  async #step(): Promise<void> {
    const log = this.#log as WalLogStore;
    const dice = this.#int(20);
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

  #append(log: WalLogStore, batch: LogBatch): void {
    const state = this.#after(batch);
    this.#states.push(state);
    const life = this.#life;
    void log.append(batch).then(
      () => {
        // Everything before an acknowledged state is history.
        if (life === this.#life) this.#states = this.#states.slice(this.#states.indexOf(state));
      },
      (error) => {
        if (!isKontikiError(error, 'STORAGE_IO') && !isKontikiError(error, 'NO_SPACE')) throw error;
      },
    );
  }

  #after(batch: LogBatch): State {
    const { entries, hardState, commitFloor } = this.#states.at(-1) as State;
    const [first] = batch.entries;
    const kept = first === undefined ? entries : entries.slice(0, first.index - 1);
    const next = batch.hardState ?? hardState;
    const isLazy = !batch.mustSync;
    return {
      entries: [...kept, ...batch.entries],
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

  #explain(entries: readonly Entry[], hardState: HardState): never {
    const legal = this.#states.map((state) => [state.entries.length, state.hardState]);
    const found = JSON.stringify([entries.length, hardState]);
    const text = `found ${found}, legal ${JSON.stringify(legal)}`;
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
function isLeft(state: State, entries: readonly Entry[], hardState: HardState): boolean {
  const { term, vote, commit } = state.hardState;
  if (hardState.term !== term || hardState.vote !== vote) return false;
  if (hardState.commit > commit || hardState.commit < state.commitFloor) return false;
  if (entries.length !== state.entries.length) return false;
  return entries.every((found, at) => {
    const wanted = state.entries[at] as Entry;
    return found.term === wanted.term && Buffer.compare(found.data, wanted.data) === 0;
  });
}

describe('power loss', () => {
  test(
    `${seeds} seeds -> nothing acknowledged is lost, nothing else appears`,
    async () => {
      const total = { crashes: 0, recoveredTorn: 0, failedSyncs: 0 };
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
      }
      // The test is worth something only while it gets into these situations.
      expect(total.recoveredTorn).toBeGreaterThan(seeds / 10);
      expect(total.failedSyncs).toBeGreaterThan(seeds / 3);
    },
    120_000 * depth,
  );
});
