/** Search in ascending arrays of keys. */
import type { BinaryString } from './bytes.js';

/**
 * Position of the first key that is not below `key`; `keys.length` when all are.
 *
 * @param keys - ascending
 * @since 0.1.0
 */
export function lowerBound(keys: readonly BinaryString[], key: BinaryString): number {
  let lo = 0;
  let hi = keys.length;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if ((keys[middle] as BinaryString) < key) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}
