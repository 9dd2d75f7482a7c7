/**
 * The layer that takes the changes as they are applied: those of most keys in an overlay, those of keys that are
 * written once and seldom read apart.
 */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead } from '../mvcc/backend.js';
import { AppendedChanges, type AppendedKeys } from './appended-changes.js';
import type { KeyRange } from './kv-engine.js';
import { type ChangeCursor, type Layer, type LayerChange, prepareLayers } from './layers.js';
import { Overlay } from './overlay.js';

type Part = Overlay | AppendedChanges;

/** @since 0.1.0 */
export class ChangeLayer implements Layer {
  readonly #appendedKeys: AppendedKeys;
  readonly #overlay: Overlay;
  readonly #appended: AppendedChanges;

  /**
   * @param appendedKeys - see {@link AppendedKeys}
   * @param keysMax - that are sorted, or indexed, in one turn
   */
  constructor(appendedKeys: AppendedKeys, keysMax: number) {
    this.#appendedKeys = appendedKeys;
    this.#overlay = new Overlay(keysMax);
    this.#appended = new AppendedChanges(keysMax);
  }

  get bytes(): number {
    return this.#overlay.bytes + this.#appended.bytes;
  }

  /** Number of changes. */
  get size(): number {
    return this.#overlay.size + this.#appended.size;
  }

  set(key: BinaryString, bytes: Uint8Array | undefined): void {
    if (this.#appendedKeys.has(key)) this.#appended.add(key, bytes);
    else this.#overlay.set(key, bytes);
  }

  get(key: BinaryString): Uint8Array | null | undefined {
    return this.#appendedKeys.has(key) ? this.#appended.get(key) : this.#overlay.get(key);
  }

  waiting(key: BinaryString): number {
    return this.#appendedKeys.has(key) ? this.#appended.waiting : 0;
  }

  /** Of a key that is seldom read nobody should ask before it is flushed: it is not said, and may come twice. */
  overrides(key: BinaryString): boolean {
    return !this.#appendedKeys.has(key) && this.#overlay.get(key) !== undefined;
  }

  walks(): readonly Iterable<LayerChange>[] {
    return [...this.#overlay.walks(), ...this.#appended.walks()];
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

  /** Those that may have changes in a range, all without one. */
  #partsOf(range: KeyRange | undefined): readonly Part[] {
    const keys = this.#appendedKeys;
    if (range === undefined) return [this.#overlay, this.#appended];
    if (keys.areAllOf(range)) return [this.#appended];
    return keys.mayBeIn(range) ? [this.#overlay, this.#appended] : [this.#overlay];
  }
}
