/**
 * The middle of what was measured: one round on a busy machine does not move it.
 */

/** @param values - in any order; of an even number the upper of the two in the middle */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
