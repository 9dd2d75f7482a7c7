/**
 * Which sectors of a file are dirty, as sorted disjoint runs: a log that appends keeps one run, even
 * while it zero-fills megabytes ahead.
 */
import { assert } from '../base/assert.js';

/**
 * A run of sector numbers; `lo` inclusive, `hi` exclusive.
 *
 * @since 0.1.0
 */
export interface SectorRange {
  readonly lo: number;
  readonly hi: number;
}

/**
 * A set of sector numbers.
 *
 * @since 0.1.0
 */
export class SectorRanges {
  #ranges: SectorRange[] = [];

  /** Sorted, disjoint and not adjacent. */
  get ranges(): readonly SectorRange[] {
    return this.#ranges;
  }

  /** Adds a run. */
  add({ lo, hi }: SectorRange): void {
    assert(lo < hi, `a run is not empty: ${lo} < ${hi}`);
    const ranges = this.#ranges;
    let first = ranges.length;
    while (first > 0 && (ranges[first - 1] as SectorRange).hi >= lo) first -= 1;
    let end = first;
    let merged = { lo, hi };
    for (; end < ranges.length && (ranges[end] as SectorRange).lo <= hi; end += 1) {
      const old = ranges[end] as SectorRange;
      merged = { lo: Math.min(merged.lo, old.lo), hi: Math.max(merged.hi, old.hi) };
    }
    ranges.splice(first, end - first, merged);
  }

  /** Forgets the sectors from `sector` on. */
  removeFrom(sector: number): void {
    this.#ranges = this.#ranges
      .filter(({ lo }) => lo < sector)
      .map(({ lo, hi }) => ({ lo, hi: Math.min(hi, sector) }));
  }

  /** Empties the set and returns what was in it. */
  take(): readonly SectorRange[] {
    const taken = this.#ranges;
    this.#ranges = [];
    return taken;
  }
}
