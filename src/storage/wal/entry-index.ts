/**
 * Where each entry's record is, in 16 bytes per entry: segment, offset, length, and the CRC the
 * record's own is seeded with, so that it can be verified alone.
 */
import { assert } from '../../base/assert.js';

const startEntries = 1_024;

/** Place of one entry's record. */
export interface EntryPlace {
  readonly segment: number;
  readonly offset: number;
  readonly size: number;
  readonly seed: number;
}

export class EntryIndex {
  /** Index of the entry before slot 0. */
  #base = 0;
  #segments = new Uint32Array(startEntries);
  #offsets = new Uint32Array(startEntries);
  #sizes = new Uint32Array(startEntries);
  #seeds = new Uint32Array(startEntries);

  /**
   * Notes the place of `index`, replacing what was there.
   *
   * @param place - segment 0 while it is not known: the offset then counts from the group's start
   */
  set(index: number, segment: number, offset: number, size: number, seed: number): void {
    const slot = index - 1 - this.#base;
    assert(slot >= 0, `wal: entry ${index} is before the log`);
    if (slot >= this.#segments.length) this.#grow(slot + 1);
    this.#segments[slot] = segment;
    this.#offsets[slot] = offset;
    this.#sizes[slot] = size;
    this.#seeds[slot] = seed;
  }

  /**
   * Gives the entries `[lo, hi)` of a group their final place.
   *
   * @param place - of the group
   */
  locate(
    lo: number,
    hi: number,
    place: { readonly segment: number; readonly offset: number },
  ): void {
    // Entries may be dropped, but not while they are on their way.
    for (let slot = lo - 1 - this.#base; slot < hi - 1 - this.#base; slot += 1) {
      this.#segments[slot] = place.segment;
      this.#offsets[slot] = (this.#offsets[slot] as number) + place.offset;
    }
  }

  /** Place of an entry that was written. */
  at(index: number): EntryPlace {
    const slot = index - 1 - this.#base;
    const segment = this.#segments[slot] ?? 0;
    assert(segment > 0, `wal: entry ${index} is not written yet`);
    return {
      segment,
      offset: this.#offsets[slot] as number,
      size: this.#sizes[slot] as number,
      seed: this.#seeds[slot] as number,
    };
  }

  /** Empties it; the next entry is the one behind `base`. */
  reset(base: number): void {
    this.#base = base;
  }

  /** Gives up the places of entries up to `index`, now or when enough of them have come together. */
  dropThrough(index: number): void {
    const dropped = index - this.#base;
    if (dropped < this.#segments.length / 2) return;
    this.#segments = this.#moved(this.#segments, dropped);
    this.#offsets = this.#moved(this.#offsets, dropped);
    this.#sizes = this.#moved(this.#sizes, dropped);
    this.#seeds = this.#moved(this.#seeds, dropped);
    this.#base = index;
  }

  /** Half as long, so that a log that was long once does not hold its memory for ever. */
  #moved(array: Uint32Array, dropped: number): Uint32Array<ArrayBuffer> {
    const rest = array.subarray(dropped);
    const next = new Uint32Array(Math.max(startEntries, rest.length));
    next.set(rest);
    return next;
  }

  #grow(entries: number): void {
    const capacity = Math.max(entries, 2 * this.#segments.length);
    this.#segments = grown(this.#segments, capacity);
    this.#offsets = grown(this.#offsets, capacity);
    this.#sizes = grown(this.#sizes, capacity);
    this.#seeds = grown(this.#seeds, capacity);
  }
}

function grown(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(capacity);
  next.set(array);
  return next;
}
