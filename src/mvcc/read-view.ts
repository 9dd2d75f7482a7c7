/**
 * What a command sees while it executes: the records its plan named, fetched before, and the
 * changes of the commands executed since.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import type { Change, RangeRead, ReadPlan, ReadSet, StoredRecord } from './backend.js';
import type { RangeSlice } from './range-slices.js';

/** Planned records, by key, and planned ranges, by their place in the plan. @since 0.1.0 */
export interface ReadView {
  /**
   * How much of a range to read at a time, when it is needed. `undefined`: nothing can be read any more,
   * so what is needed was planned.
   */
  readonly slice: RangeSlice | undefined;
  /** `undefined` when there is no such record. */
  record(key: BinaryString): Uint8Array | undefined;
  range(index: number): readonly StoredRecord[];
  /** The range itself, of which there may be more than its limits let through. */
  planned(index: number): RangeRead;
}

/** A {@link ReadPlan} while it is put together. @since 0.1.0 */
export interface ReadPlanDraft extends ReadPlan {
  readonly keys: BinaryString[];
  readonly ranges: RangeRead[];
}

/**
 * A plan of nothing yet.
 *
 * @since 0.1.0
 */
export function emptyPlan(): ReadPlanDraft {
  return { keys: [], ranges: [] };
}

/**
 * A {@link ReadView} over the answers to plans.
 *
 * @since 0.1.0
 */
export class FetchedView implements ReadView {
  readonly slice: RangeSlice | undefined;
  readonly #records = new Map<BinaryString, Uint8Array | undefined>();
  #ranges: readonly (readonly StoredRecord[])[] = [];
  #planned: readonly RangeRead[] = [];

  /** @param slice - see {@link ReadView.slice} */
  constructor(slice?: RangeSlice) {
    this.slice = slice;
  }

  /** Takes the answer to `plan`. Ranges come with the first plan only. */
  add(plan: ReadPlan, reads: ReadSet): void {
    const { keys } = plan;
    for (let at = 0; at < keys.length; at += 1) {
      this.#records.set(keys[at] as BinaryString, reads.records[at]);
    }
    if (plan.ranges.length === 0) return;
    assert(this.#ranges.length === 0, 'ranges are read by the first plan');
    this.#ranges = reads.ranges;
    this.#planned = plan.ranges;
  }

  record(key: BinaryString): Uint8Array | undefined {
    const bytes = this.#records.get(key);
    // A record that nobody fetched would read as missing, on this member only.
    if (bytes === undefined) assert(this.#records.has(key), 'execution reads planned records only');
    return bytes;
  }

  range(index: number): readonly StoredRecord[] {
    const records = this.#ranges[index];
    assert(records !== undefined, 'execution reads planned ranges only');
    return records;
  }

  planned(index: number): RangeRead {
    const range = this.#planned[index];
    assert(range !== undefined, 'execution reads planned ranges only');
    return range;
  }

  /** Shows a change to what executes next. */
  change([key, bytes]: Change): void {
    this.#records.set(key, bytes);
  }
}
