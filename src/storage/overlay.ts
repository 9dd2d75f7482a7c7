/**
 * Changes that are applied but not yet in the engine, in memory. Looked up by key as a map; for
 * ranges the keys are kept as a few sorted runs that are merged as they grow, so that neither a put
 * nor a range read pays for sorting them all.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Change, RangeRead } from '../mvcc/backend.js';
import { lowerBound } from './sorted-keys.js';

/** A stretch of one sorted run, walked in the direction of the read. @since 0.1.0 */
interface RunCursor {
  readonly layer: Overlay;
  readonly keys: readonly BinaryString[];
  at: number;
  /** First position that is not in the range any more. */
  readonly end: number;
}

/**
 * One layer of changes.
 *
 * @since 0.1.0
 */
export class Overlay {
  /** `null` deletes, so that one look-up tells a deletion from a key that is not here. */
  readonly #changes = new Map<BinaryString, Uint8Array | null>();
  /** Keys since the last range read, unsorted. */
  #fresh: BinaryString[] = [];
  /** Each sorted and without the others' keys; each at least twice as long as the next. */
  readonly #runs: BinaryString[][] = [];
  #bytes = 0;

  /** Bytes of all keys and values held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of changed keys. */
  get size(): number {
    return this.#changes.size;
  }

  /** The record, `null` when it is deleted here, `undefined` when this layer does not know. */
  get(key: BinaryString): Uint8Array | null | undefined {
    return this.#changes.get(key);
  }

  set(key: BinaryString, bytes: Uint8Array | undefined): void {
    const previous = this.#changes.get(key);
    if (previous === undefined) {
      this.#fresh.push(key);
      this.#bytes += key.length;
    } else if (previous !== null) {
      this.#bytes -= previous.length;
    }
    if (bytes !== undefined) this.#bytes += bytes.length;
    this.#changes.set(key, bytes ?? null);
  }

  /** Every change, in the order in which the keys first came. */
  changes(): Change[] {
    const out: Change[] = [];
    for (const [key, bytes] of this.#changes) out.push([key, bytes ?? undefined]);
    return out;
  }

  /** Adds a cursor for each run that has keys in the range. */
  addCursors(range: RangeRead, cursors: RunCursor[]): void {
    this.#sortFresh();
    for (const keys of this.#runs) {
      const from = lowerBound(keys, range.gte);
      const to = lowerBound(keys, range.lt);
      if (from >= to) continue;
      if (range.reverse) cursors.push({ layer: this, keys, at: to - 1, end: from - 1 });
      else cursors.push({ layer: this, keys, at: from, end: to });
    }
  }

  #sortFresh(): void {
    if (this.#fresh.length === 0) return;
    let run = this.#fresh.sort(byUnits);
    this.#fresh = [];
    // As a binary counter carries: each key takes part in O(log n) merges over its life.
    for (;;) {
      const before = this.#runs.at(-1);
      if (before === undefined || before.length >= 2 * run.length) break;
      this.#runs.pop();
      run = mergeRuns(before, run);
    }
    this.#runs.push(run);
  }
}

/** The part of a range that the overlay decides. @since 0.1.0 */
export interface CapturedRange {
  /** In the order of the read; `null` deletes. */
  readonly changes: readonly (readonly [BinaryString, Uint8Array | null])[];
  /** How many of them delete. */
  readonly deletions: number;
}

/**
 * Copies what the layers say about a range, so that later changes do not show.
 *
 * @param layers - newest first; it overrides the ones after it
 * @param range - with a `limit`, no more is copied than a result of that size can depend on: up to
 *   the limit-th live record, since the result ends there at the latest
 * @since 0.1.0
 */
export function captureRange(layers: readonly Overlay[], range: RangeRead): CapturedRange {
  const cursors: RunCursor[] = [];
  for (const layer of layers) layer.addCursors(range, cursors);
  const step = range.reverse ? -1 : 1;
  const limit = range.limit ?? Number.POSITIVE_INFINITY;
  const changes: [BinaryString, Uint8Array | null][] = [];
  let deletions = 0;
  while (changes.length - deletions < limit) {
    const next = nextCursor(cursors, step);
    if (next === undefined) break;
    const key = next.keys[next.at] as BinaryString;
    const bytes = next.layer.get(key) as Uint8Array | null;
    changes.push([key, bytes]);
    if (bytes === null) deletions += 1;
    // An older layer may hold the key too; what it says is overridden.
    for (const cursor of cursors) {
      if (cursor.at !== cursor.end && cursor.keys[cursor.at] === key) cursor.at += step;
    }
  }
  return { changes, deletions };
}

/** The cursor at the next key; of two layers at the same key the newer, which comes first. */
function nextCursor(cursors: readonly RunCursor[], step: number): RunCursor | undefined {
  let best: RunCursor | undefined;
  let bestKey = '';
  for (const cursor of cursors) {
    if (cursor.at === cursor.end) continue;
    const key = cursor.keys[cursor.at] as BinaryString;
    if (best === undefined || (step > 0 ? key < bestKey : key > bestKey)) {
      best = cursor;
      bestKey = key;
    }
  }
  return best;
}

function mergeRuns(a: readonly BinaryString[], b: readonly BinaryString[]): BinaryString[] {
  const out: BinaryString[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] as BinaryString;
    const right = b[j] as BinaryString;
    if (left < right) {
      out.push(left);
      i += 1;
    } else {
      out.push(right);
      j += 1;
    }
  }
  for (; i < a.length; i += 1) out.push(a[i] as BinaryString);
  for (; j < b.length; j += 1) out.push(b[j] as BinaryString);
  return out;
}

function byUnits(a: BinaryString, b: BinaryString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
