/**
 * The replicated log in memory: for tests, and for members that may forget everything when their
 * process ends. It keeps what was synced apart, so that a crash can be played.
 */
import { assert } from '../../base/assert.js';
import { kontikiError } from '../../base/errors.js';
import type { InitialState } from '../../raft/log-reader.js';
import type { Entry, HardState, IndexRange, MemberId } from '../../raft/types.js';
import type { LogBatch, LogStore } from '../log-store.js';

/** What an entry costs besides its data, for `bytesMax` of `entries`. */
const entryOverheadBytes = 16;

/**
 * A {@link LogStore} that holds everything in memory. Nothing in it is ever pending.
 *
 * @since 0.1.0
 */
export class MemoryLogStore implements LogStore {
  readonly #voters: readonly MemberId[];
  #current = new MemoryLog();
  #durable = new MemoryLog();
  /** Accepted, not yet durable, in order. */
  #unsynced: LogBatch[] = [];
  #syncedCount = 0;
  #closed = false;

  /**
   * @param options.voters - members that vote from the start
   */
  constructor(options: { readonly voters: readonly MemberId[] }) {
    this.#voters = [...options.voters];
  }

  initialState(): InitialState {
    return { hardState: this.#current.hardState, voters: this.#voters };
  }

  firstIndex(): number {
    return 1;
  }

  lastIndex(): number {
    return this.#current.entries.length;
  }

  term(index: number): number | undefined {
    if (index === 0) return 0;
    return this.#current.entries[index - 1]?.term;
  }

  entries(range: IndexRange, bytesMax: number): readonly Entry[] | undefined {
    if (range.lo < this.firstIndex()) return undefined;
    const { entries } = this.#current;
    assert(range.hi <= entries.length + 1, `entries up to ${range.hi} of ${entries.length}`);
    let bytes = 0;
    let end = range.lo;
    for (; end < range.hi; end += 1) {
      bytes += (entries[end - 1] as Entry).data.length + entryOverheadBytes;
      if (bytes > bytesMax && end > range.lo) break;
    }
    return entries.slice(range.lo - 1, end - 1);
  }

  /** @throws {KontikiError} CLOSED */
  async append(batch: LogBatch): Promise<void> {
    this.#checkOpen();
    this.#current.apply(batch);
    this.#unsynced.push(batch);
    const accepted = this.#syncedCount + this.#unsynced.length;
    await Promise.resolve();
    this.#checkOpen();
    // Batches after this one may have been accepted meanwhile: their own sync covers them.
    if (batch.mustSync) this.#sync(accepted - this.#syncedCount);
  }

  async fetch(_range: IndexRange): Promise<void> {
    this.#checkOpen();
  }

  /** Everything stays in memory. */
  applied(_index: number): void {}

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
   */
  reopen(): MemoryLogStore {
    this.#closed = true;
    const next = new MemoryLogStore({ voters: this.#voters });
    next.#current = this.#current.copy();
    next.#durable = this.#durable.copy();
    next.#unsynced = [...this.#unsynced];
    return next;
  }

  #sync(count: number): void {
    for (const batch of this.#unsynced.splice(0, count)) this.#durable.apply(batch);
    this.#syncedCount += count;
  }

  #checkOpen(): void {
    if (this.#closed) throw kontikiError('CLOSED', 'the memory log store is closed');
  }
}

class MemoryLog {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  readonly entries: Entry[] = [];

  apply(batch: LogBatch): void {
    if (batch.hardState !== undefined) this.hardState = batch.hardState;
    const first = batch.entries[0];
    if (first === undefined) return;
    const last = this.entries.length;
    assert(first.index >= 1 && first.index <= last + 1, `append at ${first.index} after ${last}`);
    this.entries.length = first.index - 1;
    for (const entry of batch.entries) {
      assert(entry.index === this.entries.length + 1, `a hole before entry ${entry.index}`);
      this.entries.push(entry);
    }
  }

  copy(): MemoryLog {
    const copy = new MemoryLog();
    copy.hardState = this.hardState;
    for (const entry of this.entries) copy.entries.push(entry);
    return copy;
  }
}
