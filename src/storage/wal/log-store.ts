/**
 * The replicated log on the write-ahead log: what the driver appends to and the core reads from.
 *
 *     base | first ....... fetched ....... cache.first ..... applied ..... durable ..... last
 *     gone |<-- on disk only, loaded by fetch -->|<-------- in memory, whole -------->|
 */
import { assert } from '../../base/assert.js';
import { kontikiError } from '../../base/errors.js';
import type { InitialState } from '../../raft/log-reader.js';
import type { Entry, HardState, IndexRange, LogId } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import type { AppliedConfiguration, LogBatch, LogStore, SnapshotMark } from '../log-store.js';
import { entryCost } from './entry-cache.js';
import { loadEntries } from './entry-loader.js';
import { FetchedEntries, fetchEnd } from './fetched-entries.js';
import type { GroupPosition } from './group-builder.js';
import { GroupCommit, type GroupCommitOptions, type PendingGroup } from './group-commit.js';
import type { LogContent } from './log-content.js';
import type { LogHistory } from './log-history.js';
import type { WalMark } from './record.js';
import type { SegmentStart } from './segment-map.js';
import { SegmentRemoval } from './segment-removal.js';
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
  readonly segmentBytes: number;
  readonly cacheBytes: number;
  readonly applied: number;
  readonly recovery: WalRecovery;
  readonly history: LogHistory;
  readonly content: LogContent;
  readonly writer: SegmentWriter;
  readonly commit: GroupCommitOptions;
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
  readonly #removal: SegmentRemoval;
  readonly #fetched = new FetchedEntries(fetchedBytesMax);
  readonly #initial: InitialState;
  /** Resolves when the log durably starts where memory says it does. */
  #startSaid: Promise<void> = Promise.resolve();
  #applied: number;
  /** Last entry known to be on stable storage. */
  #durable: number;
  /** A commit index that is not worth a sync of its own; the next group carries it. */
  #lazy: HardState | undefined;
  #closing: Promise<void> | undefined;

  /** @param parts - see {@link WalParts} */
  constructor(parts: WalParts) {
    const { dir, fs, history, writer } = parts;
    this.recovery = parts.recovery;
    this.#parts = parts;
    this.#applied = parts.applied;
    this.#durable = history.terms.last;
    const { voters = [], ...others } = history.configurationAt(parts.applied);
    this.#initial = { hardState: history.hardState, voters, ...others };
    this.#removal = new SegmentRemoval(fs, dir, history.startSegment);
    this.#commit = new GroupCommit(writer, parts.commit, {
      head: () => history.head,
      onSealed: (group, place) => this.#onSealed(group, place),
      onDurable: (group) => this.#onDurable(group),
    });
  }

  initialState(): InitialState {
    return this.#initial;
  }

  firstIndex(): number {
    return this.#parts.history.terms.base + 1;
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
    return this.#guarded(() => this.#accept(batch));
  }

  /**
   * Tells that the state machine has applied entries up to `index`, so that older ones may leave
   * memory. Never goes back.
   */
  applied(index: number): void {
    this.#applied = Math.max(this.#applied, index);
    this.#evict();
  }

  get installing(): SnapshotMark | undefined {
    return this.#parts.history.installing;
  }

  /** @throws {KontikiError} STORAGE_IO, NO_SPACE, CLOSED */
  installed(last: LogId): Promise<void> {
    return this.#guarded(() => {
      const group = this.#commit.open();
      this.#mark({ kind: 'installed', last }, group);
      return group.done.promise;
    });
  }

  /**
   * Lets the log start with a later segment, if the entries before it are all at or below `index` and
   * committed: says so in the log, and once that is durable removes the files.
   *
   * @throws {KontikiError} STORAGE_IO, NO_SPACE, CLOSED
   */
  truncate(index: number): Promise<void> {
    return this.#guarded(() => {
      const { history } = this.#parts;
      const start = history.segments.startFor(Math.min(index, history.hardState.commit));
      if (start !== undefined) this.#startSaid = this.#startWith(start);
      // An earlier call may have said so, and its record may still be on its way.
      return this.#removal.removeBefore(history.startSegment, this.#startSaid);
    });
  }

  #startWith({ position, segment }: SegmentStart): Promise<void> {
    const group = this.#commit.open();
    // Nobody may find a log that starts behind what it says is committed.
    this.#takeLazy(group);
    this.#mark({ kind: 'start', position, segment }, group);
    const { content, history } = this.#parts;
    content.dropThrough(history.terms.base);
    return group.done.promise;
  }

  /** As the files are; segments are taken to be as long as they are now. */
  bytesAbove(index: number): number {
    const { content, history, segmentBytes, writer } = this.#parts;
    const from = Math.max(index, history.terms.base);
    if (from >= this.#durable) return 0;
    const { offset, segment } = content.index.at(from + 1);
    return (writer.segment - segment) * segmentBytes + writer.offset - offset;
  }

  get hasSpace(): boolean {
    return this.#parts.writer.hasSpace;
  }

  waitForSpace(isWaitedFor: boolean): void {
    this.#parts.writer.isPatient = isWaitedFor && this.#closing === undefined;
  }

  reserve(): Promise<boolean> {
    return this.#parts.writer.reserve();
  }

  /**
   * @throws {KontikiError} WAL_CORRUPT, when an entry is no longer what was written; STORAGE_IO, CLOSED
   */
  async fetch(range: IndexRange): Promise<void> {
    if (this.#closing !== undefined) throw closedError();
    const { dir, fs, history } = this.#parts;
    const { cache, index } = this.#parts.content;
    const lo = Math.max(range.lo, this.firstIndex());
    const onDisk = Math.min(range.hi, cache.first);
    if (lo >= onDisk) return;
    const sizeAt = (at: number): number => index.at(at).size;
    const hi = fetchEnd({ lo, hi: onDisk }, sizeAt, fetchBytesMax);
    const wanted = Array.from({ length: hi - lo }, (_, at) => {
      return { ...index.at(lo + at), index: lo + at, term: history.terms.at(lo + at) as number };
    });
    // What is not in memory is applied, so it is never replaced: not now, and not later.
    try {
      this.#fetched.add(await loadEntries(fs, dir, wanted));
    } catch (error) {
      // Unless a segment was removed meanwhile: then nobody asks for these any more.
      if (lo >= this.firstIndex()) throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#parts.writer.isPatient = false;
    if (this.#lazy !== undefined && !this.#commit.hasFailed) this.#takeLazy(this.#commit.open());
    await this.#commit.idle();
    await this.#removal.idle();
    await this.#parts.writer.close();
  }

  /** Does what may reach the disk, unless the log takes no more. */
  #guarded(accept: () => Promise<void>): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    if (this.#commit.hasFailed) return Promise.reject(this.#commit.failure);
    try {
      return accept();
    } catch (error) {
      // Half a batch may be in the group: nothing of it may reach the disk.
      this.#commit.fail(error);
      return Promise.reject(error);
    }
  }

  #accept(batch: LogBatch): Promise<void> {
    const { entries, hardState, snapshot } = batch;
    const configuration = this.#newConfiguration(batch);
    const isMarked = snapshot !== undefined || configuration !== undefined;
    if (entries.length === 0 && !isMarked && this.#canWait(batch)) {
      this.#noteHardState(hardState);
      this.#lazy = hardState ?? this.#lazy;
      return this.#commit.newest ?? Promise.resolve();
    }
    const group = this.#commit.open();
    if (snapshot !== undefined) this.#install(snapshot, group);
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
    if (configuration !== undefined) {
      this.#mark({ kind: 'configuration', applied: configuration }, group);
    }
    return group.done.promise;
  }

  /** After a crash entries are applied again: the log may know already what they lead to. */
  #newConfiguration({ configuration }: LogBatch): AppliedConfiguration | undefined {
    if (configuration === undefined) return undefined;
    return this.#parts.history.knowsConfiguration(configuration.index) ? undefined : configuration;
  }

  /** Empties the log to the snapshot's last entry, in memory and in groups on their way. */
  #install({ last, configuration }: SnapshotMark, group: PendingGroup): void {
    this.#takeLazy(group);
    this.#mark({ kind: 'installing', snapshot: { last, configuration } }, group);
    this.#commit.cut(0);
    this.#parts.content.reset(last.index);
    this.#fetched.clear();
    this.#applied = Math.max(this.#applied, last.index);
    this.#durable = last.index;
  }

  #mark(mark: WalMark, group: PendingGroup): void {
    const problem = this.#parts.history.addMark(mark);
    assert(problem === undefined, `wal: ${problem}`);
    group.builder.addMark(mark);
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
    const { history } = this.#parts;
    const { cache, index } = this.#parts.content;
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
    const { cache } = this.#parts.content;
    return index >= cache.first ? cache.at(index) : this.#fetched.at(index);
  }

  #onSealed(group: PendingGroup, place: GroupPosition): void {
    const { content, history } = this.#parts;
    const { position } = group.head;
    if (place.segment > history.segments.newest) {
      history.segments.begin(place.segment, position, group.lowest > position.index);
    }
    content.index.locate(group.lo, group.hi, place);
  }

  #onDurable(group: PendingGroup): void {
    if (group.hi > group.lo) this.#durable = Math.max(this.#durable, group.hi - 1);
    this.#evict();
  }

  #evict(): void {
    this.#parts.content.cache.evict(Math.min(this.#applied, this.#durable), this.#parts.cacheBytes);
  }
}

function closedError() {
  return kontikiError('CLOSED', 'the log is closed');
}
