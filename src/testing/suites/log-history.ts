/** A random history of a log and what a power loss may leave of it, for `logStoreSuite`. */
import { assert } from '../../base/assert.js';
import { Prng, type Random, randomInt } from '../../base/prng.js';
import type { Entry, HardState } from '../../raft/types.js';
import type { LogBatch, LogStore } from '../../storage/log-store.js';
import { checkSame, patternBytes } from './check.js';
import type { Bench } from './suite.js';

/** Entries of a term, `lo` inclusive, `hi` exclusive; each says in its bytes who it is. @since 0.1.0 */
export function entriesOf(term: number, lo: number, hi: number, length = 20): Entry[] {
  return Array.from({ length: hi - lo }, (_, i) => {
    const index = lo + i;
    return { term, index, type: 'normal', data: patternBytes(length, index + 100 * term) };
  });
}

/** Appends, to be synced. @since 0.1.0 */
export function append(
  log: LogStore,
  entries: readonly Entry[],
  hardState?: HardState,
): Promise<void> {
  const batch = { entries, mustSync: true };
  return log.append(hardState === undefined ? batch : { ...batch, hardState });
}

/** `term.index` of each. @since 0.1.0 */
export function idsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ term, index }) => `${term}.${index}`);
}

/** Every entry, from memory or, after `fetch`, from the medium. @since 0.1.0 */
export async function allEntries(bench: Bench<LogStore>, log: LogStore): Promise<Entry[]> {
  const found: Entry[] = [];
  const hi = log.lastIndex() + 1;
  for (let lo = log.firstIndex(); lo < hi; ) {
    const next = log.entries({ lo, hi }, Number.POSITIVE_INFINITY);
    assert(next !== undefined, `entry ${lo} is not below the first index`);
    if (next === 'pending') {
      await bench.run(log.fetch({ lo, hi }));
      assert(log.entries({ lo, hi }, 1) !== 'pending', `fetch makes entry ${lo} answer`);
      continue;
    }
    found.push(...next);
    lo += next.length;
  }
  return found;
}

interface State {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

/**
 * Issues batches and remembers which states they lead to.
 *
 * @since 0.1.0
 */
export class LogHistory {
  readonly #random: Random;
  /** The newest acknowledged state, and one for each batch issued since. */
  #states: State[] = [{ entries: [], hardState: { term: 0, vote: 0, commit: 0 } }];

  /** @param seed - decides everything */
  constructor(seed: number) {
    this.#random = new Prng(seed);
  }

  /** Issues some batches, waits for some of them, and stops anywhere in the last. */
  async play(bench: Bench<LogStore>, log: LogStore): Promise<void> {
    for (let left = this.#int(6); left > 0; left -= 1) {
      const batch = this.#next();
      const state = this.#after(batch);
      this.#states.push(state);
      const settled = log.append(batch);
      if (this.#int(2) > 0 && batch.mustSync) {
        await bench.run(settled);
        this.#acknowledged(state);
      } else {
        settled.then(
          () => {
            if (batch.mustSync) this.#acknowledged(state);
          },
          () => undefined,
        );
      }
    }
    for (let steps = this.#int(12); steps > 0; steps -= 1) await bench.step();
  }

  /** What is there is one of the states; from here on it is the one that is acknowledged. */
  async check(bench: Bench<LogStore>, log: LogStore): Promise<void> {
    const entries = await allEntries(bench, log);
    const { hardState } = log.initialState();
    const found = describe({ entries, hardState });
    const at = this.#states.findLastIndex((state) => describe(state) === found);
    if (at < 0) checkSame(found, this.#states.map(describe), 'the log after a power loss');
    this.#states = [this.#states[at] as State];
  }

  /** Nothing before an acknowledged state may come back. */
  #acknowledged(state: State): void {
    const at = this.#states.indexOf(state);
    if (at > 0) this.#states = this.#states.slice(at);
  }

  /** As Raft would: replaces nothing that is committed, raises the term where it replaces. */
  #next(): LogBatch {
    const { entries, hardState } = this.#states.at(-1) as State;
    const last = entries.length;
    const dice = this.#int(10);
    const replaces = dice < 2 && last > hardState.commit;
    const first = replaces ? last - this.#int(last - hardState.commit) : last + 1;
    const term = replaces ? hardState.term + 1 : Math.max(1, hardState.term);
    const count = dice === 9 ? 0 : 1 + this.#int(4);
    const added = entriesOf(term, first, first + count, [0, 30, 700][this.#int(3)]);
    const commit = hardState.commit + this.#int(first - hardState.commit);
    const next: HardState = { term, vote: 1 + this.#int(3), commit };
    const isNewTerm = term !== hardState.term;
    const vote = isNewTerm ? next.vote : hardState.vote;
    return { entries: count === 0 ? [] : added, hardState: { ...next, vote }, mustSync: true };
  }

  #after(batch: LogBatch): State {
    const before = this.#states.at(-1) as State;
    const first = batch.entries[0]?.index ?? before.entries.length + 1;
    return {
      entries: [...before.entries.slice(0, first - 1), ...batch.entries],
      hardState: batch.hardState ?? before.hardState,
    };
  }

  #int(bound: number): number {
    return randomInt(this.#random, bound);
  }
}

function describe({ entries, hardState }: State): string {
  const data = entries.map((entry) => `${entry.term}.${entry.index}:${entry.data.join()}`);
  return `${hardState.term}/${hardState.vote}/${hardState.commit} ${data.join(' ')}`;
}
