/**
 * The replicated log in memory: for tests, and for members that may forget everything when their
 * process ends. It keeps what was synced apart, so that a crash can be played.
 */
import { assert } from '../../base/assert.js';
import { kontikiError } from '../../base/errors.js';
import type { InitialState } from '../../raft/log-reader.js';
import type { Entry, IndexRange, LogId, MemberId } from '../../raft/types.js';
import type { LogBatch, LogStore, SnapshotMark } from '../log-store.js';
import { type LogChange, MemoryLog } from './memory-log.js';

/** Entries that are let go of together: each time those behind them are moved. */
const forgottenAtOnce = 256;

/** What an entry costs besides its data, for `bytesMax` of `entries`. */
const entryOverheadBytes = 16;

/**
 * A {@link LogStore} that holds everything in memory. Nothing in it is ever pending.
 *
 * @since 0.1.0
 */
export class MemoryLogStore implements LogStore {
  readonly hasSpace: boolean = true;
  readonly #forgetsApplied: boolean;
  #current: MemoryLog;
  #durable: MemoryLog;
  #applied = 0;
  /** Accepted, not yet durable, in order. */
  #unsynced: LogChange[] = [];
  #syncedCount = 0;
  #closed = false;

  /**
   * @param options.voters - members that vote from the start
   * @param options.context - what the driver keeps beside them; default nothing
   * @param options.forgetsApplied - lets go of what was applied: nobody else is there who needs it, and
   *   there is no next process. Default false
   */
  constructor(options: {
    readonly voters: readonly MemberId[];
    readonly context?: Uint8Array | undefined;
    readonly forgetsApplied?: boolean | undefined;
  }) {
    const { context, forgetsApplied = false } = options;
    this.#forgetsApplied = forgetsApplied;
    const voters = [...options.voters];
    const configuration = context === undefined ? { voters } : { voters, context };
    const started = [{ index: 0, configuration }];
    this.#current = new MemoryLog(started);
    this.#durable = new MemoryLog(started);
  }

  initialState(): InitialState {
    const { hardState, installing } = this.#current;
    const at = installing?.last.index ?? this.#applied;
    const { voters = [], ...others } = this.#current.configurationAt(at);
    return { ...others, hardState, voters };
  }

  firstIndex(): number {
    return this.#current.base.index + 1;
  }

  lastIndex(): number {
    return this.#current.lastIndex;
  }

  term(index: number): number | undefined {
    return this.#current.term(index);
  }

  entries(range: IndexRange, bytesMax: number): readonly Entry[] | undefined {
    const first = this.firstIndex();
    if (range.lo < first) return undefined;
    const { entries } = this.#current;
    assert(range.hi <= this.lastIndex() + 1, `entries up to ${range.hi} of ${this.lastIndex()}`);
    let bytes = 0;
    let end = range.lo;
    for (; end < range.hi; end += 1) {
      bytes += costOf(entries[end - first] as Entry);
      if (bytes > bytesMax && end > range.lo) break;
    }
    return entries.slice(range.lo - first, end - first);
  }

  get installing(): SnapshotMark | undefined {
    return this.#current.installing;
  }

  /** @throws {KontikiError} CLOSED */
  append(batch: LogBatch): Promise<void> {
    return this.#change({ kind: 'append', batch }, batch.mustSync);
  }

  /** @throws {KontikiError} CLOSED */
  installed(last: LogId): Promise<void> {
    return this.#change({ kind: 'installed', last }, true);
  }

  /** @throws {KontikiError} CLOSED */
  truncate(index: number): Promise<void> {
    return this.#change({ kind: 'truncate', index }, false);
  }

  bytesAbove(index: number): number {
    const from = Math.max(0, index - this.#current.base.index);
    let bytes = 0;
    for (let at = from; at < this.#current.entries.length; at += 1) {
      bytes += costOf(this.#current.entries[at] as Entry);
    }
    return bytes;
  }

  async reserve(): Promise<boolean> {
    return true;
  }

  /** @throws {KontikiError} CLOSED */
  async fetch(_range: IndexRange): Promise<void> {
    this.#checkOpen();
  }

  /** Everything stays in memory, but for what nobody will ask for again. */
  applied(index: number): void {
    if (!this.#forgetsApplied || index - this.#current.base.index < forgottenAtOnce) return;
    // Once it is closed there is nothing to let go of.
    this.truncate(index).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A clean close keeps what the page cache held: the machine did not go down.
    this.#sync(this.#unsynced.length);
  }

  /**
   * The machine goes down: what was not synced is gone, and this store, which belonged to the
   * process that died, is closed. {@link reopen} is the next process.
   */
  crash(): void {
    this.#closed = true;
    this.#unsynced = [];
    this.#current = this.#durable.copy();
  }

  /**
   * The store of the next process, over what this one left behind. Closes this one.
   *
   * @param options.applied - last entry the state machine has durably applied, which decides whose
   *   configuration the next process starts from; default 0
   */
  reopen(options: { readonly applied?: number } = {}): MemoryLogStore {
    this.#closed = true;
    const next = new MemoryLogStore({ voters: [] });
    next.#current = this.#current.copy();
    next.#durable = this.#durable.copy();
    next.#unsynced = [...this.#unsynced];
    next.#applied = options.applied ?? 0;
    return next;
  }

  async #change(change: LogChange, mustSync: boolean): Promise<void> {
    this.#checkOpen();
    this.#current.change(change);
    this.#unsynced.push(change);
    const accepted = this.#syncedCount + this.#unsynced.length;
    await Promise.resolve();
    this.#checkOpen();
    // Changes after this one may have been accepted meanwhile: their own sync covers them.
    if (mustSync) this.#sync(accepted - this.#syncedCount);
  }

  #sync(count: number): void {
    for (const change of this.#unsynced.splice(0, count)) this.#durable.change(change);
    this.#syncedCount += count;
  }

  #checkOpen(): void {
    if (this.#closed) throw kontikiError('CLOSED', 'the memory log store is closed');
  }
}

function costOf(entry: Entry): number {
  return entry.data.length + entryOverheadBytes;
}
