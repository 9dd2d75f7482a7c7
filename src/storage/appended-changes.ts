/**
 * Changes of keys that are written once and seldom read, as those of history are: kept in the order in which they
 * came, and looked up or sorted only once somebody asks. Most never are before a flush takes them, and a map that
 * takes in 30,000 keys a second costs look-ups, growth and the collector's work (docs/adr/0022-where-a-put-goes.md).
 *
 * ```
 *   add -> waiting, in order --somebody asks--> indexed
 * ```
 */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead } from '../mvcc/backend.js';
import type { KeyRange } from './kv-engine.js';
import type { ChangeCursor, LayerChange } from './layers.js';
import { Overlay, shortOf } from './overlay.js';

/**
 * Which keys are written once and seldom read, by their first units.
 *
 * @since 0.1.0
 */
export class AppendedKeys {
  readonly units: readonly string[];
  readonly #places = new Uint8Array(256);

  /** @param units - each of one unit, 0 to 255 */
  constructor(units: BinaryString) {
    this.units = [...units];
    for (const [at, unit] of this.units.entries()) this.#places[unit.charCodeAt(0)] = at + 1;
  }

  has(key: BinaryString): boolean {
    return this.placeOf(key) > 0;
  }

  /** Place of a key's first unit among the units, from 1; 0 when it is none of them. */
  placeOf(key: BinaryString): number {
    return this.#places[key.charCodeAt(0)] ?? 0;
  }

  /** The first key of each unit. */
  oneOfEach(keys: readonly BinaryString[]): readonly BinaryString[] {
    const found: BinaryString[] = [];
    for (const key of keys) {
      const place = this.placeOf(key);
      if (place === 0) continue;
      if (!found.some((one) => this.placeOf(one) === place)) found.push(key);
    }
    return found;
  }

  /** Whether keys of the unit at a place may be in a range. */
  mayBeIn({ gte, lt }: KeyRange, place: number): boolean {
    const unit = this.units[place - 1] as string;
    return unit < lt && gte < after(unit);
  }

  /** Whether all keys in a range are of one of the units. */
  areAllOf({ gte, lt }: KeyRange): boolean {
    return this.has(gte) && lt <= after(gte);
  }
}

/**
 * The part of a layer that holds such changes, of one first unit.
 *
 * @since 0.1.0
 */
export class AppendedChanges {
  readonly #indexed: Overlay;
  readonly #keysMax: number;
  /** Those from `#at` on wait. */
  #keys: BinaryString[] = [];
  #records: (Uint8Array | null)[] = [];
  #at = 0;
  /** Of those that wait. */
  #bytes = 0;
  #preparing: Promise<void> | undefined;

  /** @param keysMax - that are indexed, or sorted, in one turn */
  constructor(keysMax: number) {
    this.#keysMax = keysMax;
    this.#indexed = new Overlay(keysMax);
  }

  get bytes(): number {
    return this.#indexed.bytes + this.#bytes;
  }

  /** Number of changes. */
  get size(): number {
    return this.#indexed.size + this.waiting;
  }

  /** Keys that no walk has sorted yet. */
  get unsorted(): number {
    return this.#indexed.unsorted + this.waiting;
  }

  /** Number of changes that a look-up has to index. */
  get waiting(): number {
    return this.#keys.length - this.#at;
  }

  get(key: BinaryString): Uint8Array | null | undefined {
    this.#index();
    return this.#indexed.get(key);
  }

  add(key: BinaryString, bytes: Uint8Array | undefined): void {
    this.#keys.push(key);
    this.#records.push(bytes ?? null);
    this.#bytes += key.length + (bytes?.length ?? 0);
  }

  /** As a layer's. Somebody may ask while they go on: what is indexed then comes once more, last with what counts. */
  walks(): readonly Iterable<LayerChange>[] {
    return [...this.#indexed.walks(), pairsOf(this.#keys, this.#records, this.#at)];
  }

  addCursors(range: RangeRead, cursors: ChangeCursor[]): void {
    this.#index();
    this.#indexed.addCursors(range, cursors);
  }

  /** As a layer's. */
  prepare(pause: () => Promise<void>): Promise<void> | undefined {
    if (this.unsorted <= shortOf(this.#keysMax)) return undefined;
    this.#preparing ??= this.#indexInPieces(pause).finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #indexInPieces(pause: () => Promise<void>): Promise<void> {
    do {
      await pause();
      this.#index(this.#keysMax);
      this.#indexed.sort();
    } while (this.waiting > 0);
  }

  #index(keysMax = Infinity): void {
    if (this.waiting === 0) return;
    const end = Math.min(this.#keys.length, this.#at + keysMax);
    for (; this.#at < end; this.#at += 1) {
      const key = this.#keys[this.#at] as BinaryString;
      const bytes = this.#records[this.#at] ?? undefined;
      this.#indexed.set(key, bytes);
      this.#bytes -= key.length + (bytes?.length ?? 0);
    }
    // Look-ups alone would leave more and more to the first walk.
    if (this.#indexed.isLong) this.#indexed.sort();
    if (this.waiting > 0) return;
    // New lists: a walk may hold these.
    this.#keys = [];
    this.#records = [];
    this.#at = 0;
  }
}

function* pairsOf(
  keys: readonly BinaryString[],
  records: readonly (Uint8Array | null)[],
  from: number,
): Generator<LayerChange, void, undefined> {
  for (let at = from; at < keys.length; at += 1) {
    yield [keys[at] as BinaryString, records[at] as Uint8Array | null];
  }
}

/** What is behind all keys that begin with the first unit of this one. */
function after(key: BinaryString): string {
  return String.fromCharCode(key.charCodeAt(0) + 1);
}
