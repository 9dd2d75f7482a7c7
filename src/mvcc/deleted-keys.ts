/**
 * What a transaction has deleted so far, by selection, since the keys may be a million. Tens of
 * thousands of selections fit a request, and each key that is read is looked up here: single keys are
 * a set, and ranges are kept joined, so that a look-up takes the logarithm of their number.
 */
import type { BinaryString } from '../base/bytes.js';
import { selects, singleKey } from './selection.js';
import type { KeySelection } from './types.js';

/**
 * A set of keys, made of selections.
 *
 * @since 0.1.0
 */
export class DeletedKeys {
  readonly #single = new Set<BinaryString>();
  /** By key; between two of them there are keys. */
  readonly #ranges: KeySelection[] = [];

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#single.size === 0 && this.#ranges.length === 0;
  }

  /** Adds all selected keys. */
  add(keys: KeySelection): void {
    const single = singleKey(keys);
    if (single !== undefined) {
      this.#single.add(single);
      return;
    }
    let { gte, lt } = keys;
    if (lt !== undefined && lt <= gte) return;
    const from = this.#firstEndingFrom(gte);
    let to = from;
    for (; to < this.#ranges.length; to += 1) {
      const range = this.#ranges[to] as KeySelection;
      if (lt !== undefined && range.gte > lt) break;
      if (range.gte < gte) gte = range.gte;
      if (lt !== undefined && (range.lt === undefined || range.lt > lt)) lt = range.lt;
    }
    this.#ranges.splice(from, to - from, { gte, lt });
  }

  has(key: BinaryString): boolean {
    return this.#single.has(key) || this.around(key) !== undefined;
  }

  /** A range with the key in it, of which all keys are in the set, if one was added. */
  around(key: BinaryString): KeySelection | undefined {
    // The one that ends with the key ends before it.
    const range = this.#ranges[this.#firstEndingFrom(`${key}\0`)];
    return range !== undefined && selects(range, key) ? range : undefined;
  }

  /** The selected keys without the ranges in the set, in key order. */
  *gaps({ gte, lt }: KeySelection): Generator<KeySelection, void> {
    let from = gte;
    for (let at = this.#firstEndingFrom(gte); ; at += 1) {
      const next = this.#ranges[at];
      const isLast = next === undefined || (lt !== undefined && next.gte >= lt);
      const end = isLast ? lt : next.gte;
      if (end === undefined || from < end) yield { gte: from, lt: end };
      if (isLast || next.lt === undefined) return;
      if (next.lt > from) from = next.lt;
    }
  }

  /** Place of the first range that ends at the key or behind it. */
  #firstEndingFrom(key: BinaryString): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { lt } = this.#ranges[middle] as KeySelection;
      if (lt !== undefined && lt < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
