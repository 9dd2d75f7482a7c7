/** Reads a range from the engine and lays the changes of some layers over it. */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead, StoredRecord } from '../mvcc/backend.js';
import type { EngineIterator } from './kv-engine.js';
import type { LayerChange, LayerCursor } from './layers.js';

/** Pairs asked of the engine at a time when nothing smaller will do. */
const chunkPairsMax = 1_000;

/** Changes and pairs looked at in one turn, whatever comes of them. */
const turnSteps = 4_096;

/** What lies over the engine. @since 0.1.0 */
export interface RangeChanges {
  /** Over the same range and direction. */
  readonly cursor: LayerCursor;
  /** How many of them delete, as far as that is known. */
  readonly deletions: number;
  /** Told at the end how many deletions were walked over, if most of the walk was that. */
  readonly onDead?: (deletions: number) => void;
}

/**
 * The records of `range`: those of the engine, with the changes over them.
 *
 * @param stored - over the same range and direction; the caller closes it
 * @param changes - what the layers say, which stays as it is
 * @param pause - lets others run
 * @param take - takes the records in pieces, as they are found, so that never all of them are held; then
 *   nothing is left to return, and there is no limit
 * @since 0.1.0
 */
export async function mergeRange(
  stored: EngineIterator,
  changes: RangeChanges,
  range: RangeRead,
  pause: () => Promise<void>,
  take?: (records: readonly StoredRecord[]) => void,
): Promise<readonly StoredRecord[]> {
  const merge = new Merge(changes.cursor, range);
  // Every pair of the engine is a result, or deleted or overridden by a change: so many are enough,
  // if no more of them delete than is known.
  let needed = (range.limit ?? Infinity) + changes.deletions;
  while (!merge.isFull) {
    const pairs = await stored.next(Math.min(needed, chunkPairsMax));
    if (pairs.length === 0) break;
    for (const [key, bytes] of pairs) {
      while (!merge.addStored(key, bytes)) await merge.rest(pause);
      if (merge.isFull) break;
    }
    take?.(merge.out.splice(0));
    needed *= 2;
  }
  while (!merge.addRest()) await merge.rest(pause);
  merge.tell(changes);
  take?.(merge.out.splice(0));
  return merge.out;
}

class Merge {
  readonly out: StoredRecord[] = [];
  /** Changes that were walked over because they delete. */
  #dead = 0;
  #live = 0;
  readonly #changes: LayerCursor;
  readonly #limit: number;
  readonly #bytesMax: number;
  readonly #reverse: boolean;
  #change: LayerChange | undefined;
  #bytes = 0;
  #steps = turnSteps;

  constructor(changes: LayerCursor, range: RangeRead) {
    const { limit = Infinity, bytesMax = Infinity, reverse = false } = range;
    this.#changes = changes;
    this.#limit = limit;
    this.#bytesMax = bytesMax;
    this.#reverse = reverse;
    this.#change = changes.next();
  }

  get isFull(): boolean {
    return this.out.length >= this.#limit || this.#bytes >= this.#bytesMax;
  }

  /** Ends a turn that was long enough. */
  rest(pause: () => Promise<void>): Promise<void> {
    this.#steps = turnSteps;
    return pause();
  }

  /** Adds a pair and the changes before it; `false` when there is more to do in another turn. */
  addStored(key: BinaryString, bytes: Uint8Array): boolean {
    for (; this.#change !== undefined && !this.isFull; this.#change = this.#changes.next()) {
      const [changed, value] = this.#change;
      if (changed === key) {
        this.#change = this.#changes.next();
        this.#push(changed, value);
        return true;
      }
      if (this.#reverse ? changed < key : changed > key) break;
      if (this.#isLong()) return false;
      this.#push(changed, value);
    }
    if (this.#isLong()) return false;
    if (!this.isFull) this.#push(key, bytes);
    return true;
  }

  tell({ onDead }: RangeChanges): void {
    if (this.#dead > this.#live) onDead?.(this.#dead);
  }

  /** Adds the changes behind the last pair; `false` when there is more to do in another turn. */
  addRest(): boolean {
    for (; this.#change !== undefined && !this.isFull; this.#change = this.#changes.next()) {
      if (this.#isLong()) return false;
      this.#push(...this.#change);
    }
    return true;
  }

  #isLong(): boolean {
    this.#steps -= 1;
    return this.#steps < 0;
  }

  #push(key: BinaryString, bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.#dead += 1;
      return;
    }
    this.#live += 1;
    this.out.push([key, bytes]);
    this.#bytes += bytes.length;
  }
}
