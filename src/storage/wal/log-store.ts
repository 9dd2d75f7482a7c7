/**
 * The replicated log on the write-ahead log: what the driver appends to and the core reads from.
 *
 *     1 ....... fetched ....... cache.first ..... applied ..... durable ..... last
 *     |<-- on disk only, loaded by fetch -->|<----- in memory, whole ----->|
 */
import { assert } from '../../base/assert.js';
import { kontikiError } from '../../base/errors.js';
import type { InitialState } from '../../raft/log-reader.js';
import type { Entry, HardState, IndexRange } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import type { LogBatch, LogStore } from '../log-store.js';
import { type EntryCache, entryCost } from './entry-cache.js';
import type { EntryIndex } from './entry-index.js';
import { loadEntries } from './entry-loader.js';
import { FetchedEntries, fetchEnd } from './fetched-entries.js';
import { GroupCommit, type PendingGroup } from './group-commit.js';
import type { ChainState } from './group-reader.js';
import type { LogHistory } from './log-history.js';
import type { SegmentWriter } from './segment-writer.js';

/** Bytes of records one fetch loads, and fetched entries that are kept. */
const fetchBytesMax = 8 * 1024 * 1024;
const fetchedBytesMax = 4 * fetchBytesMax;

/**
 * What opening the log found.
 *
 * @since 0.1.0
 */
export interface WalRecovery {
  /** Entries up to here are committed by the log's own word; beyond it the driver decides. */
  readonly committedIndex: number;
  readonly lastIndex: number;
  /** The torn last write that was cut, if there was one: nobody had been told it was durable. */
  readonly cut?: { readonly file: string; readonly offset: number } | undefined;
}

/** What a store is made of, all of it verified. */
export interface WalParts {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly groupId: number;
  readonly cacheBytes: number;
  readonly applied: number;
  readonly recovery: WalRecovery;
  readonly history: LogHistory;
  readonly index: EntryIndex;
  readonly cache: EntryCache;
  readonly writer: SegmentWriter;
  readonly next: ChainState;
}

/**
 * A {@link LogStore} over files. `openWal` makes it.
 *
 * @since 0.1.0
 */
export class WalLogStore implements LogStore {
  /** What opening found. */
  readonly recovery: WalRecovery;
  readonly #parts: WalParts;
  readonly #commit: GroupCommit;
  readonly #fetched = new FetchedEntries(fetchedBytesMax);
  readonly #initial: InitialState;
  #applied: number;
  /** Last entry known to be on stable storage. */
  #durable: number;
  /** A commit index that is not worth a sync of its own; the next group carries it. */
  #lazy: HardState | undefined;
  #closing: Promise<void> | undefined;

  /** @param parts - see {@link WalParts} */
  constructor(parts: WalParts) {
    const { fs, groupId, history, next, writer } = parts;
    this.recovery = parts.recovery;
    this.#parts = parts;
    this.#applied = parts.applied;
    this.#durable = history.terms.last;
    this.#initial = { hardState: history.hardState, voters: history.voters ?? [] };
    this.#commit = new GroupCommit(
      writer,
      { crc32: fs.crc32, groupId, next },
      {
        onSealed: (group, place) => parts.index.locate(group.lo, group.hi, place),
        onDurable: (group) => this.#onDurable(group),
      },
    );
  }

  initialState(): InitialState {
    return this.#initial;
  }

  firstIndex(): number {
    return 1;
  }

  lastIndex(): number {
    return this.#parts.history.terms.last;
  }

  term(index: number): number | undefined {
    return this.#parts.history.terms.at(index);
  }

  entries(range: IndexRange, bytesMax: number): readonly Entry[] | 'pending' | undefined {
    const { lo, hi } = range;
    if (lo < this.firstIndex()) return undefined;
    assert(hi <= this.lastIndex() + 1, `wal: entries up to ${hi} of ${this.lastIndex()}`);
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = lo; index < hi; index += 1) {
      const entry = this.#held(index);
      if (entry === undefined) return found.length === 0 ? 'pending' : found;
      bytes += entryCost(entry);
      if (bytes > bytesMax && found.length > 0) break;
      found.push(entry);
    }
    return found;
  }

  /**
   * As the seam says; and a batch that only raises the commit index and need not be synced stays in
   * memory until the next group or `close`. A write of its own could be torn while the group after it
   * is durable, and then a crash could not be told from damage.
   *
   * @throws {KontikiError} STORAGE_IO, NO_SPACE, CLOSED
   */
  append(batch: LogBatch): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    if (this.#commit.hasFailed) return Promise.reject(this.#commit.failure);
    try {
      return this.#accept(batch);
    } catch (error) {
      // Half a batch may be in the group: nothing of it may reach the disk.
      this.#commit.fail(error);
      return Promise.reject(error);
    }
  }

  /**
   * Tells that the state machine has applied entries up to `index`, so that older ones may leave
   * memory. Never goes back.
   */
  applied(index: number): void {
    this.#applied = Math.max(this.#applied, index);
    this.#evict();
  }

  /**
   * @throws {KontikiError} WAL_CORRUPT, when an entry is no longer what was written; STORAGE_IO, CLOSED
   */
  async fetch(range: IndexRange): Promise<void> {
    if (this.#closing !== undefined) throw closedError();
    const { cache, dir, fs, history, index } = this.#parts;
    const lo = Math.max(range.lo, this.firstIndex());
    const onDisk = Math.min(range.hi, cache.first);
    if (lo >= onDisk) return;
    const sizeAt = (at: number): number => index.at(at).size;
    const hi = fetchEnd({ lo, hi: onDisk }, sizeAt, fetchBytesMax);
    const wanted = Array.from({ length: hi - lo }, (_, at) => {
      return { ...index.at(lo + at), index: lo + at, term: history.terms.at(lo + at) as number };
    });
    // What is not in memory is applied, so it is never replaced: not now, and not later.
    this.#fetched.add(await loadEntries(fs, dir, wanted));
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#lazy !== undefined && !this.#commit.hasFailed) this.#takeLazy(this.#commit.open());
    await this.#commit.idle();
    await this.#parts.writer.close();
  }

  #accept(batch: LogBatch): Promise<void> {
    const { hardState, entries } = batch;
    if (entries.length === 0 && this.#canWait(batch)) {
      this.#noteHardState(hardState);
      this.#lazy = hardState ?? this.#lazy;
      return this.#commit.newest ?? Promise.resolve();
    }
    const group = this.#commit.open();
    const first = entries[0];
    if (first !== undefined) this.#replaceFrom(first.index, group);
    for (const entry of entries) this.#add(entry, group);
    if (hardState !== undefined) {
      this.#noteHardState(hardState);
      group.builder.addHardState(hardState);
      this.#lazy = undefined;
    } else {
      this.#takeLazy(group);
    }
    return group.done.promise;
  }

  /** Writes the commit index that was waiting for company. */
  #takeLazy(group: PendingGroup): void {
    if (this.#lazy === undefined) return;
    group.builder.addHardState(this.#lazy);
    this.#lazy = undefined;
  }

  /** Whether a batch without entries brings nothing that must be durable when it settles. */
  #canWait({ hardState: next, mustSync }: LogBatch): boolean {
    if (mustSync) return next === undefined && this.#lazy === undefined;
    const now = this.#parts.history.hardState;
    return next === undefined || (next.term === now.term && next.vote === now.vote);
  }

  #noteHardState(next: HardState | undefined): void {
    if (next === undefined) return;
    const problem = this.#parts.history.addHardState(next);
    assert(problem === undefined, `wal: ${problem}`);
  }

  /** Entries from `index` on are about to be replaced: in memory, and in groups on their way. */
  #replaceFrom(index: number, group: PendingGroup): void {
    assert(index > this.#applied, `wal: entry ${index} of ${this.#applied} applied is replaced`);
    if (index <= this.lastIndex()) {
      this.#durable = Math.min(this.#durable, index - 1);
      this.#commit.cut(index);
    }
    if (group.lo === group.hi) group.lo = group.hi = index;
  }

  #add(entry: Entry, group: PendingGroup): void {
    const { history, index, cache } = this.#parts;
    const problem = history.addEntry(entry.term, entry.index);
    assert(problem === undefined, `wal: ${problem}`);
    const { builder } = group;
    const seed = builder.chain;
    const at = builder.position;
    index.set(entry.index, 0, at, builder.addEntry(entry), seed);
    cache.push(entry);
    group.hi = entry.index + 1;
  }

  #held(index: number): Entry | undefined {
    const { cache } = this.#parts;
    return index >= cache.first ? cache.at(index) : this.#fetched.at(index);
  }

  #onDurable(group: PendingGroup): void {
    if (group.hi > group.lo) this.#durable = Math.max(this.#durable, group.hi - 1);
    this.#evict();
  }

  #evict(): void {
    this.#parts.cache.evict(Math.min(this.#applied, this.#durable), this.#parts.cacheBytes);
  }
}

function closedError() {
  return kontikiError('CLOSED', 'the log is closed');
}
