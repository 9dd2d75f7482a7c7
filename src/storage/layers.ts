/**
 * Layers of changes that lie over the engine, newest first: what they say together, of a key, of a
 * range, of everything. Each may be large, so all of it is walked, never gathered.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Change, RangeRead } from '../mvcc/backend.js';
import type { KeyRange } from './kv-engine.js';

/** What a layer says of a key; `null` deletes. @since 0.1.0 */
export type LayerChange = readonly [BinaryString, Uint8Array | null];

/** A walk over a part of a layer, in the direction of a read. @since 0.1.0 */
export interface ChangeCursor {
  /** Where it stands; `undefined` at the end. */
  readonly key: BinaryString | undefined;
  /** What the layer says there. */
  bytes(): Uint8Array | null;
  advance(): void;
}

/** What can be walked. @since 0.1.0 */
export interface CursorSource {
  /** Adds cursors that together walk what is in the range, each key once; its limits do not count. */
  addCursors(range: RangeRead, cursors: ChangeCursor[]): void;
}

/** The part of a layer that may go ahead of its flush (`flush-ahead.ts`): puts of keys that ascend. @since 0.1.0 */
export interface AheadPart {
  /** Of all keys and values held. */
  readonly bytes: number;
  /** All keys of that kind in the layer are higher, but for those that the rest tells of. */
  readonly above: BinaryString;
  /** No key of that kind in the layer is higher; `above` when there is none. */
  readonly highest: BinaryString;
  /** As those of a layer. */
  walks(): readonly Iterable<LayerChange>[];
  /** Those of the rest of the layer, which counts where both tell of a key. */
  restWalks(): readonly Iterable<LayerChange>[];
}

/** Changes that are not in the engine yet. @since 0.1.0 */
export interface Layer extends CursorSource {
  /** Of all keys and values held. */
  readonly bytes: number;
  /** The record, `null` when it is deleted here, `undefined` when this layer does not know. */
  get(key: BinaryString): Uint8Array | null | undefined;
  /**
   * Everything in it, in any order, to be walked one after the other; a key more than once maybe, and then last with
   * what counts. Not one generator over all: handing on from another one costs as much as a look-up.
   */
  walks(): readonly Iterable<LayerChange>[];
  /** Absent: it does not tell what may go ahead of a flush from the rest. */
  readonly ahead?: AheadPart;
  /** How many keys it has to look at before it can look up this one. Absent: none. */
  waiting?(key: BinaryString): number;
  /**
   * Whether what it says of a key is what counts, not what older layers say. Absent: it does when it says anything.
   * A layer to which that is a lot of work may say no: of what is walked twice the last counts.
   */
  overrides?(key: BinaryString): boolean;
  /**
   * Does in pieces what the next walk, or look-up, had to do at once, if that is more than one turn should. Of a
   * layer that does not change any more. Never rejects.
   *
   * @param pause - lets others run
   * @param range - of the walk; default everything
   * @returns `undefined`: it is ready
   */
  prepare?(pause: () => Promise<void>, range?: KeyRange): Promise<void> | undefined;
}

/**
 * Bytes of all that some layers hold.
 *
 * @since 0.1.0
 */
export function bytesOf(layers: readonly Layer[]): number {
  let bytes = 0;
  for (const layer of layers) bytes += layer.bytes;
  return bytes;
}

/**
 * What some layers say of a key, as one layer does.
 *
 * @param layers - newest first
 * @since 0.1.0
 */
export function heldIn(layers: readonly Layer[], key: BinaryString): Uint8Array | null | undefined {
  for (const layer of layers) {
    const held = layer.get(key);
    if (held !== undefined) return held;
  }
  return undefined;
}

/**
 * How many keys some layers have to look at before they can look up one.
 *
 * @since 0.1.0
 */
export function waitingIn(layers: readonly Layer[], key: BinaryString): number {
  let keys = 0;
  for (const layer of layers) keys += layer.waiting?.(key) ?? 0;
  return keys;
}

/**
 * Prepares layers for a walk, those that have to be, one after the other: the pieces of several would come in the
 * same turn.
 *
 * @param layers - that do not change any more
 * @param pause - lets others run
 * @param range - of the walk; default everything
 * @returns `undefined`: they are ready
 * @since 0.1.0
 */
export function prepareLayers(
  layers: readonly Pick<Layer, 'prepare'>[],
  pause: () => Promise<void>,
  range?: KeyRange,
): Promise<void> | undefined {
  for (const [at, layer] of layers.entries()) {
    const preparing = layer.prepare?.(pause, range);
    if (preparing !== undefined) {
      return preparing.then(() => prepareLayers(layers.slice(at + 1), pause, range));
    }
  }
  return undefined;
}

/**
 * Prepares layers for look-ups, one after the other.
 *
 * @param layers - that do not change any more
 * @param pause - lets others run
 * @param keys - one of each list that is to be ready
 * @since 0.1.0
 */
export async function prepareForKeys(
  layers: readonly Pick<Layer, 'prepare'>[],
  pause: () => Promise<void>,
  keys: readonly BinaryString[],
): Promise<void> {
  for (const key of keys) await prepareLayers(layers, pause, { gte: key, lt: `${key}\0` });
}

/** Everything in a layer, for {@link changesOf}. @since 0.1.0 */
export function allOf(layer: Layer): readonly Iterable<LayerChange>[] {
  return layer.walks();
}

/** What is left of a layer when a part of it goes ahead, for {@link changesOf}. @since 0.1.0 */
export function restOf(layer: Layer): readonly Iterable<LayerChange>[] {
  return layer.ahead?.restWalks() ?? layer.walks();
}

/** Is told of changes while they are walked. @since 0.1.0 */
export interface ChangeListener {
  /** @param bytes - `null` deletes */
  note(key: BinaryString, bytes: Uint8Array | null): void;
}

/**
 * Every change of some layers. A key that comes more than once comes last with what counts.
 *
 * @param layers - newest first; it overrides the ones after it
 * @param listener - is told of each change before it is handed out
 * @param walksOf - what is walked of a layer; default everything
 * @since 0.1.0
 */
export function* changesOf(
  layers: readonly Layer[],
  listener?: ChangeListener,
  walksOf: (layer: Layer) => readonly Iterable<LayerChange>[] = allOf,
): Generator<Change, void, undefined> {
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    const newer = layers.slice(0, at);
    for (const walk of walksOf(layers[at] as Layer)) {
      for (const [key, bytes] of walk) {
        if (newer.length > 0 && newer.some((layer) => overrides(layer, key))) continue;
        listener?.note(key, bytes);
        yield [key, bytes ?? undefined];
      }
    }
  }
}

function overrides(layer: Layer, key: BinaryString): boolean {
  return layer.overrides?.(key) ?? layer.get(key) !== undefined;
}

/**
 * Walks what some layers say about a range. They must not change meanwhile.
 *
 * @since 0.1.0
 */
export class LayerCursor {
  readonly #cursors: ChangeCursor[] = [];
  readonly #isReverse: boolean;

  /**
   * @param sources - newest first; it overrides the ones after it
   * @param range - its limits do not count here
   */
  constructor(sources: readonly CursorSource[], range: RangeRead) {
    for (const source of sources) source.addCursors(range, this.#cursors);
    this.#isReverse = range.reverse ?? false;
  }

  /** The next key's change, `undefined` at the end. */
  next(): LayerChange | undefined {
    const next = this.#nearest();
    if (next === undefined) return undefined;
    const key = next.key as BinaryString;
    const bytes = next.bytes();
    // An older layer may hold the key too; what it says is overridden.
    for (const cursor of this.#cursors) if (cursor.key === key) cursor.advance();
    return [key, bytes];
  }

  /** The cursor at the next key; of two layers at the same key the newer, which comes first. */
  #nearest(): ChangeCursor | undefined {
    let best: ChangeCursor | undefined;
    let bestKey = '';
    for (const cursor of this.#cursors) {
      const { key } = cursor;
      if (key === undefined) continue;
      if (best === undefined || (this.#isReverse ? key > bestKey : key < bestKey)) {
        best = cursor;
        bestKey = key;
      }
    }
    return best;
  }
}

/**
 * What a layer that goes on changing says about a range, as of now.
 *
 * @since 0.1.0
 */
export class CopiedRange implements CursorSource {
  /** How many of the changes delete. */
  readonly deletions: number;
  /** It ended because they were too many: it does not tell all that a result depends on. */
  readonly isCut: boolean;
  readonly #changes: LayerChange[] = [];

  /**
   * @param layer - nothing may override it
   * @param range - with limits, no more is copied than a result within them can depend on: it ends
   *   where the layer's own records alone reach them, at the latest
   * @param deletionsMax - with more of them it is cut; default never
   */
  constructor(layer: Layer, range: RangeRead, deletionsMax = Infinity) {
    const { limit = Infinity, bytesMax = Infinity } = range;
    const cursor = new LayerCursor([layer], range);
    let deletions = 0;
    let bytes = 0;
    while (
      this.#changes.length - deletions < limit &&
      bytes < bytesMax &&
      deletions <= deletionsMax
    ) {
      const change = cursor.next();
      if (change === undefined) break;
      this.#changes.push(change);
      if (change[1] === null) deletions += 1;
      else bytes += change[1].length;
    }
    this.deletions = deletions;
    this.isCut = deletions > deletionsMax;
  }

  /** @param _range - the one it was copied for */
  addCursors(_range: RangeRead, cursors: ChangeCursor[]): void {
    if (this.#changes.length > 0) cursors.push(new CopyCursor(this.#changes));
  }
}

class CopyCursor implements ChangeCursor {
  key: BinaryString | undefined;
  readonly #changes: readonly LayerChange[];
  #at = 0;

  constructor(changes: readonly LayerChange[]) {
    this.#changes = changes;
    this.key = changes[0]?.[0];
  }

  bytes(): Uint8Array | null {
    return (this.#changes[this.#at] as LayerChange)[1];
  }

  advance(): void {
    this.#at += 1;
    this.key = this.#changes[this.#at]?.[0];
  }
}
