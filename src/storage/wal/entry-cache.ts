/**
 * The newest entries, in memory: a run of indexes that grows at its end, is cut at its end when a
 * suffix is replaced, and gives way at its start when it is too large.
 */
import { assert } from '../../base/assert.js';
import type { Entry } from '../../raft/types.js';

/** What an entry counts for besides its data, as in the core's budgets. */
const entryOverheadBytes = 24;

/** Bytes an entry counts for. */
export function entryCost(entry: Entry): number {
  return entry.data.length + entryOverheadBytes;
}

export class EntryCache {
  #items: (Entry | undefined)[] = [];
  /** Slots of `#items` that were given up. */
  #head = 0;
  #first: number;
  #bytes = 0;

  /** @param first - index of the first entry that will be pushed */
  constructor(first: number) {
    this.#first = first;
  }

  /** Index of the oldest entry held; one past the end when empty. */
  get first(): number {
    return this.#first;
  }

  /** One past the newest entry held. */
  get end(): number {
    return this.#first + this.#items.length - this.#head;
  }

  /** Puts an entry at its index, dropping it and everything after it if it is there. */
  push(entry: Entry): void {
    if (entry.index !== this.end) this.#cut(entry.index);
    this.#items.push(entry);
    this.#bytes += entryCost(entry);
  }

  /** Gives up the oldest entries up to index `upTo` while more than `bytesMax` bytes are held. */
  evict(upTo: number, bytesMax: number): void {
    while (this.#bytes > bytesMax && this.#first <= upTo && this.#head < this.#items.length) {
      this.#shift();
    }
    this.#compact();
  }

  /** Gives up the entries up to `index`. */
  dropThrough(index: number): void {
    if (index >= this.end - 1) {
      if (index >= this.#first) this.reset(index + 1);
      return;
    }
    while (this.#first <= index) this.#shift();
    this.#compact();
  }

  #shift(): void {
    this.#bytes -= entryCost(this.#items[this.#head] as Entry);
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#first += 1;
  }

  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** Empties it; the next entry pushed has index `first`. */
  reset(first: number): void {
    this.#items = [];
    this.#head = 0;
    this.#first = first;
    this.#bytes = 0;
  }

  /** The entry at an index that is held. */
  at(index: number): Entry {
    const entry = this.#items[index - this.#first + this.#head];
    assert(entry !== undefined, `wal: entry ${index} is in memory`);
    return entry;
  }

  #cut(index: number): void {
    assert(index <= this.end, `wal: entry ${index} after ${this.end - 1}`);
    if (index <= this.#first) return this.reset(index);
    while (this.end > index) this.#bytes -= entryCost(this.#items.pop() as Entry);
  }
}
