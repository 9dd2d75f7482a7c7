/**
 * Changes that are applied but not yet in the engine, in memory. Looked up by key as a map; for
 * ranges the keys are kept as a few sorted runs that are merged as they grow, so that neither a put
 * nor a range read pays for sorting them all. A second of puts that no range read has met is 50,000 keys,
 * and sorting them at once would stop the loop for 40 ms: that is done in pieces, once the layer is sealed.
 */
import type { BinaryString } from '../base/bytes.js';
import { lowerBound } from '../base/sorted-keys.js';
import type { RangeRead } from '../mvcc/backend.js';
import type { ChangeCursor, Layer, LayerChange } from './layers.js';

/** Keys that are sorted in one turn: 2 to 3 ms. @since 0.1.0 */
export const sortKeysMax = 4_096;

/** So many layers may have something unsorted when a walk comes, and are all sorted in its turn. */
const layersMax = 16;

/**
 * Keys of one layer that its first walk may sort, of so many that may be sorted in one turn.
 *
 * @since 0.1.0
 */
export function shortOf(keysMax: number): number {
  return keysMax / layersMax;
}

/** So many times those are merged in one turn, in as long: longer runs stay apart. */
const mergeFactor = 8;

/**
 * One layer of changes.
 *
 * @since 0.1.0
 */
export class Overlay implements Layer {
  /** `null` deletes, so that one look-up tells a deletion from a key that is not here. */
  readonly #changes = new Map<BinaryString, Uint8Array | null>();
  /** Keys since the last range read, unsorted. */
  #fresh: BinaryString[] = [];
  /** Each sorted and without the others' keys; each at least twice as long as the next, or both long. */
  readonly #runs: BinaryString[][] = [];
  #bytes = 0;
  /** Under way; see {@link prepare}. */
  #preparing: Promise<void> | undefined;
  readonly #sortKeysMax: number;

  /** @param keysMax - that are sorted in one turn; default {@link sortKeysMax} */
  constructor(keysMax = sortKeysMax) {
    this.#sortKeysMax = keysMax;
  }

  /** What a layer holds now. */
  static copyOf(layer: Layer, keysMax: number): Overlay {
    const copy = new Overlay(keysMax);
    for (const walk of layer.walks()) {
      for (const [key, bytes] of walk) copy.set(key, bytes ?? undefined);
    }
    return copy;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Number of changed keys. */
  get size(): number {
    return this.#changes.size;
  }

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

  walks(): readonly Iterable<LayerChange>[] {
    return [this.#changes];
  }

  /** Keys that no walk has sorted yet. */
  get unsorted(): number {
    return this.#fresh.length;
  }

  get isLong(): boolean {
    return this.#fresh.length > this.#sortKeysMax;
  }

  prepare(pause: () => Promise<void>): Promise<void> | undefined {
    if (this.#fresh.length <= shortOf(this.#sortKeysMax)) return undefined;
    this.#preparing ??= this.#sortInPieces(pause).finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  addCursors(range: RangeRead, cursors: ChangeCursor[]): void {
    this.sort();
    const { reverse = false } = range;
    for (const keys of this.#runs) {
      const from = lowerBound(keys, range.gte);
      const to = lowerBound(keys, range.lt);
      if (from < to) cursors.push(new RunCursor(this, keys, { from, to, reverse }));
    }
  }

  /** Sorts what no walk has sorted yet. */
  sort(): void {
    if (this.#fresh.length === 0) return;
    const run = this.#fresh.sort(byUnits);
    this.#fresh = [];
    this.#addRun(run);
  }

  async #sortInPieces(pause: () => Promise<void>): Promise<void> {
    const keys = this.#fresh;
    let runs: BinaryString[][] = [];
    for (let at = 0; at < keys.length; at += this.#sortKeysMax) {
      await pause();
      runs.push(keys.slice(at, at + this.#sortKeysMax).sort(byUnits));
    }
    while ((runs[0]?.length ?? 0) < this.#mergedKeysMax && runs.length > 1) {
      const merged: BinaryString[][] = [];
      for (let at = 0; at < runs.length; at += 2) {
        await pause();
        merged.push(mergeRuns(runs[at] as BinaryString[], runs[at + 1] ?? []));
      }
      runs = merged;
    }
    // Whoever could not wait has sorted them meanwhile.
    if (this.#fresh !== keys) return;
    this.#fresh = [];
    this.#runs.push(...runs);
  }

  /** As a binary counter carries: each key takes part in O(log n) merges over its life. */
  #addRun(fresh: BinaryString[]): void {
    let run = fresh;
    for (;;) {
      const before = this.#runs.at(-1);
      if (before === undefined || before.length >= 2 * run.length) break;
      if (before.length + run.length > this.#mergedKeysMax) break;
      this.#runs.pop();
      run = mergeRuns(before, run);
    }
    this.#runs.push(run);
  }

  get #mergedKeysMax(): number {
    return mergeFactor * this.#sortKeysMax;
  }
}

/** A stretch of one sorted run. */
class RunCursor implements ChangeCursor {
  key: BinaryString | undefined;
  readonly #layer: Overlay;
  readonly #keys: readonly BinaryString[];
  #at: number;
  /** First position that is not in the range any more. */
  readonly #end: number;
  readonly #step: number;

  /** @param stretch - positions in `keys`: the first, and the one behind the last; not empty */
  constructor(
    layer: Overlay,
    keys: readonly BinaryString[],
    {
      from,
      to,
      reverse,
    }: { readonly from: number; readonly to: number; readonly reverse: boolean },
  ) {
    this.#layer = layer;
    this.#keys = keys;
    this.#at = reverse ? to - 1 : from;
    this.#end = reverse ? from - 1 : to;
    this.#step = reverse ? -1 : 1;
    this.key = keys[this.#at];
  }

  bytes(): Uint8Array | null {
    return this.#layer.get(this.key as BinaryString) as Uint8Array | null;
  }

  advance(): void {
    this.#at += this.#step;
    this.key = this.#at === this.#end ? undefined : this.#keys[this.#at];
  }
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
