/**
 * Entries that were loaded from disk for a reader that is behind, as a few runs of indexes. The
 * oldest runs give way to new ones.
 */
import type { Entry, IndexRange } from '../../raft/types.js';
import { entryCost } from './entry-cache.js';

interface Run {
  readonly lo: number;
  readonly entries: readonly Entry[];
  readonly bytes: number;
}

export class FetchedEntries {
  readonly #bytesMax: number;
  #runs: Run[] = [];

  /** @param bytesMax - bytes to keep; the newest run stays even if it is larger */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Adds consecutive entries. */
  add(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const bytes = entries.reduce((sum, entry) => sum + entryCost(entry), 0);
    const lo = first.index;
    this.#runs = this.#runs.filter(
      (run) => !(run.lo === lo && run.entries.length <= entries.length),
    );
    this.#runs.push({ lo, entries, bytes });
    let held = this.#runs.reduce((sum, run) => sum + run.bytes, 0);
    while (held > this.#bytesMax && this.#runs.length > 1)
      held -= (this.#runs.shift() as Run).bytes;
  }

  /** Gives up all of them. */
  clear(): void {
    this.#runs = [];
  }

  /** The entry at `index`, if it is held. */
  at(index: number): Entry | undefined {
    for (let at = this.#runs.length - 1; at >= 0; at -= 1) {
      const run = this.#runs[at] as Run;
      const entry = run.entries[index - run.lo];
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}

/** How much of `range` one fetch loads: at least its first entry. */
export function fetchEnd(
  range: IndexRange,
  sizeAt: (index: number) => number,
  bytesMax: number,
): number {
  let bytes = sizeAt(range.lo);
  let hi = range.lo + 1;
  for (; hi < range.hi; hi += 1) {
    bytes += sizeAt(hi);
    if (bytes > bytesMax) break;
  }
  return hi;
}
