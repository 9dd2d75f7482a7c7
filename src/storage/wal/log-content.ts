/**
 * The entries of the log as they are found again: their places on disk, and the newest in memory.
 */
import type { Entry } from '../../raft/types.js';
import { EntryCache } from './entry-cache.js';
import { EntryIndex } from './entry-index.js';
import type { RecordPlace } from './reader.js';
import type { WalRecord } from './record.js';

/** How much stays in memory. */
export interface LogContentOptions {
  /** Last entry that the state machine has durably applied. */
  readonly applied: number;
  /** Bytes of applied entries to keep. */
  readonly cacheBytes: number;
}

export class LogContent {
  readonly index: EntryIndex = new EntryIndex();
  readonly cache: EntryCache = new EntryCache(1);
  readonly #options: LogContentOptions;
  #isEmpty = true;

  constructor(options: LogContentOptions) {
    this.#options = options;
  }

  /** Takes a record that was read, in order. */
  read(record: WalRecord, place: RecordPlace): void {
    if (record.kind === 'entry') this.#readEntry(record.entry, place);
    // Other heads repeat what is known; an install in a head was begun before it.
    else if (record.kind === 'head' && this.#isEmpty) this.reset(record.position.index);
    else if (record.kind === 'installing' && !place.isHead) this.reset(record.snapshot.last.index);
    this.#isEmpty = false;
  }

  /** Empties it; the next entry is the one behind `base`. */
  reset(base: number): void {
    this.index.reset(base);
    this.cache.reset(base + 1);
  }

  /** Forgets entries up to `index`. */
  dropThrough(index: number): void {
    this.cache.dropThrough(index);
    this.index.dropThrough(index);
  }

  #readEntry(entry: Entry, place: RecordPlace): void {
    const { applied, cacheBytes } = this.#options;
    this.index.set(entry.index, place.segment, place.offset, place.size, place.seed);
    // The reader's bytes are a whole segment: keeping a view would keep all of it.
    this.cache.push({ ...entry, data: new Uint8Array(entry.data) });
    this.cache.evict(applied, cacheBytes);
  }
}
