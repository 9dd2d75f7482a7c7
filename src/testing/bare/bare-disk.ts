/**
 * The disk of a bare member. What was accepted and what would survive a crash are two images of the
 * same log; the core may read only where both agree, because it may read only what it was told is
 * durable.
 */
import { assert } from '../../base/assert.js';
import type {
  ConfState,
  Entry,
  InitialState,
  LogReader,
  MemberId,
  StorageAppend,
} from '../../raft/index.js';
import { encodedBytes } from '../../raft/log.js';
import { LogImage } from './log-image.js';

/**
 * A log store without promises: writes are accepted at once and completed when the simulation says.
 *
 * @since 0.1.0
 */
export class BareDisk implements LogReader {
  /** Current at the applied index from which the member starts. */
  configuration: ConfState;
  /** What a crash leaves at least. */
  durable = new LogImage();
  /** What was accepted, durable or not. */
  written = new LogImage();
  /** Answered without being forced to disk: legal for commit-only writes. */
  #unsynced: StorageAppend[] = [];
  /** Accepted, not answered. */
  #queue: StorageAppend[] = [];
  /** Entries up to here are not in memory. */
  evictedTo = 0;
  /** Entries handed out beyond `bytesMax` when there are any: budgets are about right, not exact. */
  overshoot = 0;

  /**
   * @param voters - of the group that the member is to found; none for one that joins
   */
  constructor(voters: readonly MemberId[]) {
    this.configuration = { voters };
  }

  /** Writes that were not answered. */
  get pendingAppends(): number {
    return this.#queue.length;
  }

  /** Writes that a crash may lose. */
  get openWrites(): number {
    return this.#unsynced.length + this.#queue.length;
  }

  /** Takes a write; it counts as written, and is durable once completed. */
  accept(append: StorageAppend): void {
    this.written.take(append);
    this.#queue.push(append);
  }

  /**
   * Finishes the oldest accepted write.
   *
   * @param force - sync it even if it need not be
   * @returns the write; `undefined` when there was none
   */
  complete(force = true): StorageAppend | undefined {
    const append = this.#queue.shift();
    if (append === undefined) return undefined;
    this.#unsynced.push(append);
    if (force || append.mustSync) {
      for (const each of this.#unsynced) this.durable.take(each);
      this.#unsynced.length = 0;
    }
    return append;
  }

  /** Loses all but the first `survivors` writes that were not durable, and `parts` of the next. */
  crash(survivors: number, parts = 0): void {
    const open = [...this.#unsynced, ...this.#queue];
    for (const append of open.slice(0, survivors)) this.durable.take(append);
    const torn = open[survivors];
    if (torn !== undefined) this.durable.takeTorn(torn, parts);
    this.written = this.durable.copy();
    this.#unsynced = [];
    this.#queue = [];
    this.evictedTo = 0;
  }

  /** Forgets entries up to `index`; the state machine has them durably. */
  compact(index: number): void {
    this.durable.compact(index);
    this.written.compact(index);
  }

  /** Raised to the applied index at a restart, as recovery does when the stored commit lags. */
  raiseCommit(index: number): void {
    const { hardState } = this.durable;
    if (hardState.commit >= index) return;
    this.durable.hardState = { ...hardState, commit: index };
    this.written.hardState = this.durable.hardState;
  }

  initialState(): InitialState {
    return { voters: [], ...this.configuration, hardState: this.durable.hardState } as InitialState;
  }

  firstIndex(): number {
    return this.durable.firstIndex;
  }

  lastIndex(): number {
    return this.durable.lastIndex;
  }

  term(index: number): number | undefined {
    if (index < this.durable.base.index) return undefined;
    const term = this.durable.term(index);
    this.#checkReadable(index, term);
    return term;
  }

  entries(
    range: { readonly lo: number; readonly hi: number },
    bytesMax: number,
  ): readonly Entry[] | 'pending' | undefined {
    const { lo, hi } = range;
    const { base, entries } = this.durable;
    if (lo <= base.index) return undefined;
    this.#checkReadable(hi - 1, this.durable.term(hi - 1));
    if (lo <= this.evictedTo) return 'pending';
    let bytes = 0;
    let end = lo;
    for (; end < hi; end += 1) {
      bytes += encodedBytes(entries[end - base.index - 1] as Entry);
      if (bytes > bytesMax && end > lo) break;
    }
    end = Math.min(hi, end + this.overshoot);
    return entries.slice(lo - base.index - 1, end - base.index - 1);
  }

  /** A range that the core waited for is in memory from now on. */
  load(lo: number): void {
    this.evictedTo = Math.min(this.evictedTo, lo - 1);
  }

  #checkReadable(index: number, durable: number | undefined): void {
    if (durable !== undefined && durable === this.written.term(index)) return;
    const terms = `durable with ${durable}, written with ${this.written.term(index)}`;
    assert(false, `store: the core reads only what it was told is durable: ${index}, ${terms}`);
  }
}
