/** Reads a range from the engine and lays captured changes over it. */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead, StoredRecord } from '../mvcc/backend.js';
import type { EngineIterator } from './kv-engine.js';
import type { CapturedRange } from './overlay.js';

/** Pairs asked of the engine at a time when nothing smaller will do. */
const chunkPairsMax = 1_000;

/**
 * The records of `range`: those of the engine, with the captured changes over them.
 *
 * @param cursor - over the same range and direction; the caller closes it
 * @param captured - what the overlay says, in the order of the read
 * @since 0.1.0
 */
export async function mergeRange(
  cursor: EngineIterator,
  captured: CapturedRange,
  range: RangeRead,
): Promise<readonly StoredRecord[]> {
  const limit = range.limit ?? Number.POSITIVE_INFINITY;
  const reverse = range.reverse ?? false;
  const merge = new Merge(captured, limit, reverse);
  // Every pair of the engine is a result, or deleted or overridden by a captured change: so many are
  // enough, whatever the captured changes are.
  let needed = limit + captured.deletions;
  while (!merge.isFull) {
    const pairs = await cursor.next(Math.min(needed, chunkPairsMax));
    if (pairs.length === 0) break;
    for (const [key, bytes] of pairs) {
      merge.addStored(key, bytes);
      if (merge.isFull) return merge.out;
    }
    needed = Math.max(1, needed - pairs.length);
  }
  merge.addRest();
  return merge.out;
}

class Merge {
  readonly out: StoredRecord[] = [];
  readonly #changes: CapturedRange['changes'];
  readonly #limit: number;
  readonly #reverse: boolean;
  #at = 0;

  constructor(captured: CapturedRange, limit: number, reverse: boolean) {
    this.#changes = captured.changes;
    this.#limit = limit;
    this.#reverse = reverse;
  }

  get isFull(): boolean {
    return this.out.length >= this.#limit;
  }

  addStored(key: BinaryString, bytes: Uint8Array): void {
    for (; this.#at < this.#changes.length && !this.isFull; this.#at += 1) {
      const [changed, value] = this.#changes[this.#at] as CapturedRange['changes'][number];
      if (changed === key) {
        this.#at += 1;
        if (value !== null) this.out.push([changed, value]);
        return;
      }
      if (this.#reverse ? changed < key : changed > key) break;
      if (value !== null) this.out.push([changed, value]);
    }
    if (!this.isFull) this.out.push([key, bytes]);
  }

  addRest(): void {
    for (; this.#at < this.#changes.length && !this.isFull; this.#at += 1) {
      const [changed, value] = this.#changes[this.#at] as CapturedRange['changes'][number];
      if (value !== null) this.out.push([changed, value]);
    }
  }
}
