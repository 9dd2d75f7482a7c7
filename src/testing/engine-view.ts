/**
 * One immutable state of a simulated engine. A write makes the next state by merging its sorted
 * changes in, so iterators and crash points keep their state by keeping a reference.
 */
import type { BinaryString } from '../base/bytes.js';
import type { EngineBatch, EnginePair, KeyRange } from '../storage/kv-engine.js';

/**
 * Keys in ascending order, each with its value.
 *
 * @since 0.1.0
 */
export class EngineView {
  /** The state of a new engine. */
  static readonly empty: EngineView = new EngineView([], []);

  readonly #keys: readonly BinaryString[];
  readonly #values: readonly Uint8Array[];

  private constructor(keys: readonly BinaryString[], values: readonly Uint8Array[]) {
    this.#keys = keys;
    this.#values = values;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.length;
  }

  get(key: BinaryString): Uint8Array | undefined {
    const at = this.position(key);
    return this.#keys[at] === key ? this.#values[at] : undefined;
  }

  /** How many keys are below `key`. */
  position(key: BinaryString): number {
    let lo = 0;
    let hi = this.#keys.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if ((this.#keys[middle] as BinaryString) < key) lo = middle + 1;
      else hi = middle;
    }
    return lo;
  }

  /** The pair at a position, which must be below `size`. */
  pair(at: number): EnginePair {
    return [this.#keys[at] as BinaryString, this.#values[at] as Uint8Array];
  }

  /** All pairs of a range, ascending; for tests and checks. */
  pairs(range?: KeyRange): EnginePair[] {
    const end = range === undefined ? this.size : this.position(range.lt);
    const found: EnginePair[] = [];
    for (let at = range === undefined ? 0 : this.position(range.gte); at < end; at += 1) {
      found.push(this.pair(at));
    }
    return found;
  }

  /** The state after a batch; of several changes of one key the last counts. */
  with(batch: EngineBatch): EngineView {
    const changes = new Map(batch);
    const changed = [...changes.keys()].sort(byCodeUnit);
    const room = this.size + changed.length;
    const keys = new Array<BinaryString>(room);
    const values = new Array<Uint8Array>(room);
    let from = 0;
    let count = 0;
    const keepUpTo = (end: number): void => {
      for (; from < end; from += 1, count += 1) {
        keys[count] = this.#keys[from] as BinaryString;
        values[count] = this.#values[from] as Uint8Array;
      }
    };
    for (const key of changed) {
      keepUpTo(this.position(key));
      if (this.#keys[from] === key) from += 1;
      const value = changes.get(key);
      if (value === undefined) continue;
      keys[count] = key;
      values[count] = value;
      count += 1;
    }
    keepUpTo(this.size);
    keys.length = count;
    values.length = count;
    return new EngineView(keys, values);
  }
}

function byCodeUnit(a: BinaryString, b: BinaryString): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
