/**
 * The log as the core sees it: what the storage holds, and the tail it has not confirmed yet.
 *
 *     first ........ applied .. applying .. committed ........ last
 *     |<------ storage ------>|<--- unstable: being written | not handed out --->|
 *                              ^ offset                      ^ inProgress
 *
 * applied <= applying <= committed <= last, and applying < offset unless the caller writes before
 * it applies: only what is durable here is applied.
 */
import { assert } from '../base/assert.js';
import type { LogReader } from './log-reader.js';
import type { Entry, LogId, Snapshot } from './types.js';
import { Unstable } from './unstable.js';

/** Bytes an entry counts for in message and apply budgets. @since 0.1.0 */
export function encodedBytes(entry: Entry): number {
  return entry.data.length + 24;
}

/** @since 0.1.0 */
export class RaftLog {
  readonly #reader: LogReader;
  readonly #applyBytesMax: number;
  readonly #applyUnstable: boolean;
  readonly #unstable: Unstable;
  /** Encoded bytes handed to the state machine and not yet applied. */
  #applyingBytes = 0;
  /** The budget ended a page: the next one waits for an answer of the state machine. */
  #applyPaused = false;
  /** Index of the last snapshot that was installed. */
  #installed = 0;
  committed: number;
  applying: number;
  applied: number;

  /**
   * @param applyBytesMax - encoded bytes that may be under way to the state machine
   * @param applyUnstable - whether entries may be applied in the same `Ready` that writes them;
   *   default false
   */
  constructor(reader: LogReader, applyBytesMax: number, applyUnstable = false) {
    this.#reader = reader;
    this.#applyBytesMax = applyBytesMax;
    this.#applyUnstable = applyUnstable;
    this.#unstable = new Unstable(reader.lastIndex() + 1);
    const start = reader.firstIndex() - 1;
    this.committed = start;
    this.applying = start;
    this.applied = start;
  }

  get firstIndex(): number {
    const { snapshot } = this.#unstable;
    return snapshot === undefined ? this.#reader.firstIndex() : snapshot.last.index + 1;
  }

  get lastIndex(): number {
    return this.#unstable.lastIndex;
  }

  get last(): LogId {
    const index = this.lastIndex;
    return { index, term: this.termAt(index) };
  }

  /** Index of the first entry that is not known to be durable. */
  get offset(): number {
    return this.#unstable.offset;
  }

  get hasUnstable(): boolean {
    return this.#unstable.entries.length > 0;
  }

  /** Received and not installed yet. While there is one nothing is applied. */
  get pendingSnapshot(): Snapshot | undefined {
    return this.#unstable.snapshot;
  }

  /** Term of `index`, or `undefined` outside `firstIndex - 1 .. lastIndex`. */
  term(index: number): number | undefined {
    if (index >= this.#unstable.offset || this.#unstable.snapshot !== undefined) {
      return this.#unstable.term(index);
    }
    if (index < this.#reader.firstIndex() - 1) return undefined;
    return this.#reader.term(index);
  }

  /** Term of an index that must be in the log. */
  termAt(index: number): number {
    const term = this.term(index);
    assert(term !== undefined, `log: term of ${index} is known (last ${this.lastIndex})`);
    return term;
  }

  matches(id: LogId): boolean {
    return this.term(id.index) === id.term;
  }

  /** Raft §5.4.1: later last term, or the same and at least as long. */
  isUpToDate(last: LogId): boolean {
    const own = this.last;
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /**
   * Entries from `lo` to the end, cut to about `bytesMax` but never to nothing; `pending` when the
   * storage must load them first, `undefined` when they are gone.
   */
  entriesFrom(lo: number, bytesMax: number): readonly Entry[] | 'pending' | undefined {
    return this.slice(lo, this.lastIndex + 1, bytesMax);
  }

  /** As {@link entriesFrom}, up to `hi` (exclusive). */
  slice(lo: number, hi: number, bytesMax: number): readonly Entry[] | 'pending' | undefined {
    assert(lo <= hi && hi <= this.lastIndex + 1, 'log: a slice lies in the log');
    if (lo === hi) return [];
    const { offset, entries } = this.#unstable;
    if (lo >= offset) return limitBytes(entries, lo - offset, hi - offset, bytesMax);
    if (lo < this.firstIndex) return undefined;
    const stableHi = Math.min(hi, offset);
    const stable = this.#reader.entries({ lo, hi: stableHi }, bytesMax);
    if (stable === undefined || stable === 'pending' || hi <= offset) return stable;
    if (stable.length < stableHi - lo) return stable;
    let room = bytesMax;
    for (const entry of stable) room -= encodedBytes(entry);
    const first = entries[0];
    if (first === undefined || room < encodedBytes(first)) return stable;
    return stable.concat(limitBytes(entries, 0, hi - offset, room));
  }

  /** Appends, replacing everything from the first entry's index on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const index = first.index;
    assert(index > this.committed, `log: append at ${index} would change ${this.committed}`);
    assert(index <= this.lastIndex + 1, `log: append at ${index} after ${this.lastIndex}`);
    this.#unstable.append(entries);
  }

  /**
   * Follower's append: false when `previous` does not match. Entries that are already there are
   * left alone, so an old, shorter append does not cut the log (semantics S2).
   */
  maybeAppend(previous: LogId, entries: readonly Entry[]): boolean {
    if (!this.matches(previous)) return false;
    // A loop of its own: this runs per entry received, and a closure per call is not free.
    for (let at = 0; at < entries.length; at += 1) {
      if (this.matches(entries[at] as Entry)) continue;
      this.append(at === 0 ? entries : entries.slice(at));
      break;
    }
    return true;
  }

  /**
   * The newest position at or below `index` whose term is at most `term`: where two logs may still
   * agree (semantics §8.3). A position whose term is unknown is reported with term 0.
   */
  findConflictByTerm(index: number, term: number): LogId {
    // Terms never fall along the log; whoever asks may name any position, again and again.
    let low = this.firstIndex - 2;
    while (low < index) {
      const at = Math.ceil((low + index) / 2);
      if ((this.term(at) ?? 0) <= term) low = at;
      else index = at - 1;
    }
    return { index, term: this.term(index) ?? 0 };
  }

  commitTo(index: number): void {
    if (index <= this.committed) return;
    assert(index <= this.lastIndex, `log: commit ${index} beyond last ${this.lastIndex}`);
    this.committed = index;
  }

  /** Starts over from a snapshot that is ahead of everything committed here. */
  restore(snapshot: Snapshot): void {
    assert(snapshot.last.index > this.committed, 'log: a snapshot only leads forward');
    this.#unstable.restore(snapshot);
    this.committed = snapshot.last.index;
  }

  /** Entries for the storage; they count as handed out from now on. */
  takeUnstable(): readonly Entry[] {
    return this.#unstable.takeEntries();
  }

  /** A snapshot for the storage, once. */
  takeSnapshot(): Snapshot | undefined {
    return this.#unstable.takeSnapshot();
  }

  get hasUntaken(): boolean {
    return this.#unstable.hasUntaken;
  }

  /** The storage has everything up to `id`, unless that position was overwritten meanwhile. */
  stableTo(id: LogId): void {
    this.#unstable.stableTo(id);
  }

  /** The storage and the state machine have the snapshot at `index`. */
  snapshotInstalled(index: number): void {
    this.#unstable.snapshotStable(index);
    this.#installed = Math.max(this.#installed, index);
    this.applied = Math.max(this.applied, index);
    this.applying = Math.max(this.applying, index);
  }

  /** Whether `takeCommitted` would return anything. */
  get hasCommitted(): boolean {
    return (
      !this.#applyPaused && this.applying < this.#applicable && this.pendingSnapshot === undefined
    );
  }

  get #applicable(): number {
    if (this.#applyUnstable) return this.committed;
    return Math.min(this.committed, this.#unstable.offset - 1);
  }

  /**
   * Committed entries for the state machine, within what its budget has left: durable ones only,
   * unless they are written by the same `Ready`.
   */
  takeCommitted(): readonly Entry[] {
    if (!this.hasCommitted) return [];
    const room = this.#applyBytesMax - this.#applyingBytes;
    const entries = this.slice(this.applying + 1, this.#applicable + 1, room);
    assert(Array.isArray(entries) && entries.length > 0, 'log: unapplied entries are in memory');
    for (const entry of entries) this.#applyingBytes += encodedBytes(entry);
    this.applying += entries.length;
    // A page cut short means that the next entry did not fit, whatever room is left.
    this.#applyPaused =
      this.#applyingBytes >= this.#applyBytesMax || this.applying < this.#applicable;
    return entries;
  }

  appliedTo(index: number, bytes: number): void {
    // A snapshot may have overtaken what the state machine was busy with.
    const least = this.applied > this.#installed ? this.applied : 0;
    assert(
      least <= index && index <= this.applying,
      `log: applied ${this.applied} <= ${index} <= applying ${this.applying}`,
    );
    this.applied = Math.max(this.applied, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyPaused = this.#applyingBytes >= this.#applyBytesMax;
  }

  /** At start: what the state machine already has. */
  restoreApplied(index: number): void {
    this.applied = Math.max(this.applied, index);
    this.applying = this.applied;
  }

  /** The ordered relations of the pointers, checked after every step in tests. */
  check(): void {
    const { offset } = this.#unstable;
    if (this.pendingSnapshot === undefined) {
      assert(this.firstIndex - 1 <= this.applied, 'first - 1 <= applied');
      assert(this.#applyUnstable || this.applying < offset, 'applying < offset');
    } else {
      assert(this.pendingSnapshot.last.index <= this.committed, 'a snapshot is committed');
    }
    assert(this.applied <= this.applying, 'applied <= applying');
    assert(this.applying <= this.committed, 'applying <= committed');
    assert(this.committed <= this.lastIndex, 'committed <= last');
    assert(this.#applyingBytes >= 0, 'applying bytes >= 0');
    this.#unstable.check(this.term(offset - 1) ?? 0);
  }
}

function limitBytes(entries: readonly Entry[], from: number, to: number, bytesMax: number) {
  let bytes = encodedBytes(entries[from] as Entry);
  let end = from + 1;
  for (; end < to; end += 1) {
    bytes += encodedBytes(entries[end] as Entry);
    if (bytes > bytesMax) break;
  }
  return entries.slice(from, end);
}
