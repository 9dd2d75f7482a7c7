/**
 * Execution in slices: a command that selects a million keys must not read and change them in one turn
 * (DESIGN §4.6). It is written as one procedure that yields what it needs to read next; whoever runs it
 * may take what it has changed so far, let others run, and go on. What comes of it does not depend on
 * the size of the slices, for nothing else is applied meanwhile.
 */
import { assert } from '../base/assert.js';
import { limits } from '../base/limits.js';
import type { RangeRead, ReadPlan, ReadSet, StoredRecord } from './backend.js';

/** How much of a range is read at a time. @since 0.1.0 */
export interface RangeSlice {
  /** Records, 1 or more. */
  readonly limit: number;
  /** Bytes of their values at which a slice ends earlier; it holds one record at least. */
  readonly bytesMax: number;
}

/** An execution: yields what must be read, is given the answer. @since 0.1.0 */
export type Steps<R> = Generator<ReadPlan, R, ReadSet>;

/**
 * What commands read at a time.
 *
 * @since 0.1.0
 */
export const applySlice: RangeSlice = {
  limit: limits.applySliceRecords,
  bytesMax: limits.applySliceBytes,
};

/** Of history, at most: its slices follow what the last one weighed. @since 0.1.0 */
export const historySlice: RangeSlice = {
  limit: limits.historyChunkMax,
  bytesMax: limits.historyBytesMax,
};

/**
 * Runs what has nothing to read any more.
 *
 * @since 0.1.0
 */
export function complete<R>(steps: Steps<R>): R {
  const { done, value } = steps.next();
  assert(done === true, 'everything is read already');
  return value as R;
}

/**
 * The part of a range behind what was read of it, in its direction; `undefined` when that was all.
 *
 * @param range - what was read
 * @param records - the answer to it
 * @since 0.1.0
 */
export function restOf(range: RangeRead, records: readonly StoredRecord[]): RangeRead | undefined {
  const { limit = Infinity, bytesMax = Infinity } = range;
  const last = records.at(-1);
  if (last === undefined) return undefined;
  if (records.length < limit && valueBytes(records) < bytesMax) return undefined;
  return range.reverse === true ? { ...range, lt: last[0] } : { ...range, gte: `${last[0]}\0` };
}

/**
 * Visits the records of a range, in key order, a slice at a time. Nothing keeps a slice that was visited.
 *
 * @param range - with the limits of a slice; ascending
 * @param visit - `false` ends it. Called once at least, with no records when there are none
 * @since 0.1.0
 */
export function* eachSlice(
  range: RangeRead,
  visit: (records: readonly StoredRecord[]) => boolean,
): Steps<void> {
  let rest: RangeRead | undefined = range;
  while (rest !== undefined) {
    const {
      ranges: [records = []],
    }: ReadSet = yield { keys: [], ranges: [rest] };
    if (!visit(records)) return;
    rest = restOf(rest, records);
  }
}

/**
 * How many records to read next, where only the answer tells how large they are.
 *
 * @param limit - how many it was
 * @param bytes - what they weighed
 * @param slice - what to aim at
 * @since 0.1.0
 */
export function nextLimit(limit: number, bytes: number, slice: RangeSlice): number {
  if (bytes * 2 <= slice.bytesMax) return Math.min(limit * 2, slice.limit);
  if (bytes <= slice.bytesMax) return limit;
  return Math.max(1, Math.floor((limit * slice.bytesMax) / bytes));
}

function valueBytes(records: readonly StoredRecord[]): number {
  let sum = 0;
  for (const [, bytes] of records) sum += bytes.length;
  return sum;
}
