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

  /** Every change whose key is in none of `newer`, in the order in which the keys first came. */
  *changes(newer: readonly Overlay[] = []): Generator<Change, void, undefined> {
    for (const [key, bytes] of this.#changes) {
      if (!newer.some((layer) => layer.#changes.has(key))) yield [key, bytes ?? undefined];
    }
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

/** What a layer says of a key; `null` deletes. @since 0.1.0 */
export type LayerChange = readonly [BinaryString, Uint8Array | null];

/**
 * Every change of some layers, each key once.
 *
 * @param layers - newest first; it overrides the ones after it
 * @since 0.1.0
 */
export function* changesOf(layers: readonly Overlay[]): Generator<Change, void, undefined> {
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    yield* (layers[at] as Overlay).changes(layers.slice(0, at));
  }
}

/**
 * Walks what some layers say about a range. They must not change meanwhile.
 *
 * @since 0.1.0
 */
export class LayerCursor {
  readonly #cursors: RunCursor[] = [];
  readonly #step: number;

  /**
   * @param layers - newest first; it overrides the ones after it
   * @param range - the limit does not count here
   */
  constructor(layers: readonly Overlay[], range: RangeRead) {
    for (const layer of layers) layer.addCursors(range, this.#cursors);
    this.#step = range.reverse ? -1 : 1;
  }

  /** The next key's change, `undefined` at the end. */
  next(): LayerChange | undefined {
    const next = nextCursor(this.#cursors, this.#step);
    if (next === undefined) return undefined;
    const key = next.keys[next.at] as BinaryString;
    const bytes = next.layer.get(key) as Uint8Array | null;
    // An older layer may hold the key too; what it says is overridden.
    for (const cursor of this.#cursors) {
      if (cursor.at !== cursor.end && cursor.keys[cursor.at] === key) cursor.at += this.#step;
    }
    return [key, bytes];
  }
}

/** The part of a range that the overlay decides. @since 0.1.0 */
export interface CapturedRange {
  /** In the order of the read. */
  readonly changes: readonly LayerChange[];
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
  const cursor = new LayerCursor(layers, range);
  const limit = range.limit ?? Number.POSITIVE_INFINITY;
  const changes: LayerChange[] = [];
  let deletions = 0;
  while (changes.length - deletions < limit) {
    const change = cursor.next();
    if (change === undefined) break;
    changes.push(change);
    if (change[1] === null) deletions += 1;
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
