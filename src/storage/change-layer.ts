/**
 * The layer that takes the changes as they are applied: those of most keys in an overlay, those of keys that are
 * written once and seldom read in lists, one for each first unit. Of those that may go ahead of a flush
 * (`flush-ahead.ts`), puts that ascend are in a list of their own.
 */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead } from '../mvcc/backend.js';
import { AppendedChanges, type AppendedKeys } from './appended-changes.js';
import { aheadUnit } from './flush-ahead.js';
import type { KeyRange } from './kv-engine.js';
import {
  type AheadPart,
  type ChangeCursor,
  type Layer,
  type LayerChange,
  prepareLayers,
} from './layers.js';
import { Overlay } from './overlay.js';

type Part = Overlay | AppendedChanges;

/** @since 0.1.0 */
export class ChangeLayer implements Layer {
  readonly #appendedKeys: AppendedKeys;
  readonly #overlay: Overlay;
  /** By the place of their unit. */
  readonly #lists: readonly (AppendedChanges | undefined)[];
  /** That of keys that may go ahead, without what does. */
  readonly #late: AppendedChanges | undefined;
  readonly #ahead: AppendedChanges;
  /** Newest first, where two tell of the same key. */
  readonly #parts: readonly Part[];
  readonly #above: BinaryString;
  #highest: BinaryString;

  /**
   * @param appendedKeys - see {@link AppendedKeys}
   * @param keysMax - that are sorted, or indexed, in one turn
   * @param above - puts above this key may go ahead of a flush
   */
  constructor(appendedKeys: AppendedKeys, keysMax: number, above: BinaryString = '') {
    this.#appendedKeys = appendedKeys;
    this.#overlay = new Overlay(keysMax);
    this.#ahead = new AppendedChanges(keysMax);
    const lists = appendedKeys.units.map(() => new AppendedChanges(keysMax));
    this.#lists = [undefined, ...lists];
    this.#late = this.#listOf(aheadUnit);
    this.#parts = [this.#overlay, ...lists, this.#ahead];
    this.#above = above;
    this.#highest = above;
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

  get ahead(): AheadPart {
    return {
      bytes: this.#ahead.bytes,
      above: this.#above,
      highest: this.#highest,
      walks: () => this.#ahead.walks(),
      restWalks: () => this.#restWalks(),
    };
  }

  set(key: BinaryString, bytes: Uint8Array | undefined): void {
    const list = this.#listOf(key);
    if (list === undefined) this.#overlay.set(key, bytes);
    else if (list === this.#late && this.#goesAhead(key, bytes)) this.#ahead.add(key, bytes);
    else list.add(key, bytes);
  }

  get(key: BinaryString): Uint8Array | null | undefined {
    const list = this.#listOf(key);
    const held = (list ?? this.#overlay).get(key);
    return held === undefined && list === this.#late ? this.#ahead.get(key) : held;
  }

  waiting(key: BinaryString): number {
    const list = this.#listOf(key);
    if (list === undefined) return 0;
    return list.waiting + (list === this.#late ? this.#ahead.waiting : 0);
  }

  /** Of a key that is seldom read nobody should ask before it is flushed: it is not said, and may come twice. */
  overrides(key: BinaryString): boolean {
    return this.#listOf(key) === undefined && this.#overlay.get(key) !== undefined;
  }

  walks(): readonly Iterable<LayerChange>[] {
    return [...this.#ahead.walks(), ...this.#restWalks()];
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

  #restWalks(): readonly Iterable<LayerChange>[] {
    return this.#parts.filter((part) => part !== this.#ahead).flatMap((part) => part.walks());
  }

  /** A deletion counts as well: a put of its key that went ahead of it would be lost. */
  #goesAhead(key: BinaryString, bytes: Uint8Array | undefined): boolean {
    if (key <= this.#highest) return false;
    this.#highest = key;
    return bytes !== undefined;
  }

  /** Those that may have changes in a range, all without one. */
  #partsOf(range: KeyRange | undefined): readonly Part[] {
    if (range === undefined) return this.#parts;
    const keys = this.#appendedKeys;
    const places = this.#lists.map((_, place) =>
      place === 0 ? !keys.areAllOf(range) : keys.mayBeIn(range, place),
    );
    const ahead = this.#lists.indexOf(this.#late ?? this.#ahead);
    return this.#parts.filter((part, at) => places[part === this.#ahead ? ahead : at] ?? false);
  }
}
