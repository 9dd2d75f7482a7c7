/**
 * The layer that takes the changes as they are applied: those of most keys in an overlay, those of keys that are
 * written once and seldom read in lists, one for each first unit.
 */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead } from '../mvcc/backend.js';
import { AppendedChanges, type AppendedKeys } from './appended-changes.js';
import { aheadUnit } from './flush-ahead.js';
import type { KeyRange } from './kv-engine.js';
import { type ChangeCursor, type Layer, type LayerChange, prepareLayers } from './layers.js';
import { Overlay } from './overlay.js';

type Part = Overlay | AppendedChanges;

/** @since 0.1.0 */
export class ChangeLayer implements Layer {
  readonly #appendedKeys: AppendedKeys;
  readonly #overlay: Overlay;
  /** By the place of their unit. */
  readonly #lists: readonly (AppendedChanges | undefined)[];
  readonly #parts: readonly Part[];
  readonly ahead?: AppendedChanges;

  /**
   * @param appendedKeys - see {@link AppendedKeys}
   * @param keysMax - that are sorted, or indexed, in one turn
   */
  constructor(appendedKeys: AppendedKeys, keysMax: number) {
    this.#appendedKeys = appendedKeys;
    this.#overlay = new Overlay(keysMax);
    const lists = appendedKeys.units.map(() => new AppendedChanges(keysMax));
    this.#lists = [undefined, ...lists];
    this.#parts = [this.#overlay, ...lists];
    const ahead = this.#listOf(aheadUnit);
    if (ahead !== undefined) this.ahead = ahead;
  }

  get bytes(): number {
    let bytes = 0;
    for (const part of this.#parts) bytes += part.bytes;
    return bytes;
  }

  /** Number of changes. */
  get size(): number {
    return this.#parts.reduce((sum, { size }) => sum + size, 0);
  }

  set(key: BinaryString, bytes: Uint8Array | undefined): void {
    const list = this.#listOf(key);
    if (list === undefined) this.#overlay.set(key, bytes);
    else list.add(key, bytes);
  }

  get(key: BinaryString): Uint8Array | null | undefined {
    return (this.#listOf(key) ?? this.#overlay).get(key);
  }

  waiting(key: BinaryString): number {
    return this.#listOf(key)?.waiting ?? 0;
  }

  /** Of a key that is seldom read nobody should ask before it is flushed: it is not said, and may come twice. */
  overrides(key: BinaryString): boolean {
    return this.#listOf(key) === undefined && this.#overlay.get(key) !== undefined;
  }

  walks(part?: 'rest'): readonly Iterable<LayerChange>[] {
    const parts =
      part === undefined ? this.#parts : this.#parts.filter((one) => one !== this.ahead);
    return parts.flatMap((one) => one.walks());
  }

  /** How many changes may be in a range. */
  sizeIn(range: KeyRange): number {
    return this.#partsOf(range).reduce((sum, { size }) => sum + size, 0);
  }

  /** How many of them no walk has sorted yet. */
  unsortedIn(range: KeyRange): number {
    return this.#partsOf(range).reduce((sum, { unsorted }) => sum + unsorted, 0);
  }

  prepare(pause: () => Promise<void>, range?: KeyRange): Promise<void> | undefined {
    return prepareLayers(this.#partsOf(range), pause);
  }

  addCursors(range: RangeRead, cursors: ChangeCursor[]): void {
    for (const part of this.#partsOf(range)) part.addCursors(range, cursors);
  }

  #listOf(key: BinaryString): AppendedChanges | undefined {
    return this.#lists[this.#appendedKeys.placeOf(key)];
  }

  /** Those that may have changes in a range, all without one. */
  #partsOf(range: KeyRange | undefined): readonly Part[] {
    if (range === undefined) return this.#parts;
    const keys = this.#appendedKeys;
    return this.#parts.filter((_, place) =>
      place === 0 ? !keys.areAllOf(range) : keys.mayBeIn(range, place),
    );
  }
}
