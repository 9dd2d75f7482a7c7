/**
 * The log as the core sees it: what the storage holds, and the tail it has not confirmed yet.
 *
 *     first ........ applied .. applying .. committed ........ last
 *     |<------ storage ------>|<--- unstable: being written | not handed out --->|
 *                              ^ offset                      ^ inProgress
 *
 * applied <= applying <= committed <= last, applying < offset: only what is durable here is
 * applied. Nothing below `offset` is ever changed by this member's own storage again.
 */
import { assert } from '../base/assert.js';
import type { LogReader } from './log-reader.js';
import type { Entry, LogId } from './types.js';

/** Bytes an entry counts for in message and apply budgets. @since 0.1.0 */
export function encodedBytes(entry: Entry): number {
  return entry.data.length + 24;
}

/** @since 0.1.0 */
export class RaftLog {
  readonly #reader: LogReader;
  readonly #applyBytesMax: number;
  #unstable: Entry[] = [];
  /** Index of the first unstable entry; everything below is durable. */
  #offset: number;
  /** Entries below this index were handed to the storage. */
  #inProgress: number;
  /** Encoded bytes handed to the state machine and not yet applied. */
  #applyingBytes = 0;
  committed: number;
  applying: number;
  applied: number;

  constructor(reader: LogReader, applyBytesMax: number) {
    this.#reader = reader;
    this.#applyBytesMax = applyBytesMax;
    this.#offset = reader.lastIndex() + 1;
    this.#inProgress = this.#offset;
    const start = reader.firstIndex() - 1;
    this.committed = start;
    this.applying = start;
    this.applied = start;
  }

  get firstIndex(): number {
    return this.#reader.firstIndex();
  }

  get lastIndex(): number {
    return this.#offset + this.#unstable.length - 1;
  }

  get last(): LogId {
    const index = this.lastIndex;
    return { index, term: this.termAt(index) };
  }

  /** Index of the first entry that is not known to be durable. */
  get offset(): number {
    return this.#offset;
  }

  get hasUnstable(): boolean {
    return this.#unstable.length > 0;
  }

  /** Term of `index`, or `undefined` outside `firstIndex - 1 .. lastIndex`. */
  term(index: number): number | undefined {
    if (index >= this.#offset) return this.#unstable[index - this.#offset]?.term;
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
    return this.#slice(lo, this.lastIndex + 1, bytesMax);
  }

  #slice(lo: number, hi: number, bytesMax: number): readonly Entry[] | 'pending' | undefined {
    if (lo >= hi) return [];
    if (lo >= this.#offset) {
      return limitBytes(this.#unstable, lo - this.#offset, hi - this.#offset, bytesMax);
    }
    const stableHi = Math.min(hi, this.#offset);
    const stable = this.#reader.entries({ lo, hi: stableHi }, bytesMax);
    if (stable === undefined || stable === 'pending' || hi <= this.#offset) return stable;
    if (stable.length < stableHi - lo) return stable;
    let room = bytesMax;
    for (const entry of stable) room -= encodedBytes(entry);
    const first = this.#unstable[0];
    if (first === undefined || room < encodedBytes(first)) return stable;
    return stable.concat(limitBytes(this.#unstable, 0, hi - this.#offset, room));
  }

  /** Appends, replacing everything from the first entry's index on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const index = first.index;
    assert(index > this.committed, `log: append at ${index} would change ${this.committed}`);
    assert(index <= this.lastIndex + 1, `log: append at ${index} after ${this.lastIndex}`);
    if (index <= this.#offset) {
      this.#unstable = entries.slice();
      this.#offset = index;
      this.#inProgress = index;
      return;
    }
    this.#unstable.length = index - this.#offset;
    for (const entry of entries) this.#unstable.push(entry);
    this.#inProgress = Math.min(this.#inProgress, index);
  }

  /**
   * Follower's append: false when `previous` does not match. Entries that are already there are
   * left alone, so an old, shorter append does not cut the log (semantics S2).
   */
  maybeAppend(previous: LogId, entries: readonly Entry[]): boolean {
    if (!this.matches(previous)) return false;
    const conflict = entries.findIndex((entry) => !this.matches(entry));
    if (conflict >= 0) this.append(conflict === 0 ? entries : entries.slice(conflict));
    return true;
  }

  /**
   * The newest position at or below `index` whose term is at most `term`: where two logs may still
   * agree (semantics §8.3). A position whose term is unknown is reported with term 0.
   */
  findConflictByTerm(index: number, term: number): LogId {
    let at = index;
    for (; at > 0; at -= 1) {
      const own = this.term(at);
      if (own === undefined) return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  commitTo(index: number): void {
    if (index <= this.committed) return;
    assert(index <= this.lastIndex, `log: commit ${index} beyond last ${this.lastIndex}`);
    this.committed = index;
  }

  /** Entries for the storage; they count as handed out from now on. */
  takeUnstable(): readonly Entry[] {
    const from = this.#inProgress - this.#offset;
    this.#inProgress = this.#offset + this.#unstable.length;
    return from === 0 ? this.#unstable.slice() : this.#unstable.slice(from);
  }

  get hasUntaken(): boolean {
    return this.#inProgress < this.#offset + this.#unstable.length;
  }

  /** The storage has everything up to `id`, unless that position was overwritten meanwhile. */
  stableTo(id: LogId): void {
    if (id.index < this.#offset || this.term(id.index) !== id.term) return;
    this.#unstable = this.#unstable.slice(id.index + 1 - this.#offset);
    this.#offset = id.index + 1;
    this.#inProgress = Math.max(this.#inProgress, this.#offset);
  }

  /** Whether `takeCommitted` would return anything. */
  get hasCommitted(): boolean {
    return this.#applyingBytes < this.#applyBytesMax && this.applying < this.#applicable;
  }

  get #applicable(): number {
    return Math.min(this.committed, this.#offset - 1);
  }

  /** Durable committed entries for the state machine, within what its budget has left. */
  takeCommitted(): readonly Entry[] {
    if (!this.hasCommitted) return [];
    const room = this.#applyBytesMax - this.#applyingBytes;
    const entries = this.#slice(this.applying + 1, this.#applicable + 1, room);
    assert(Array.isArray(entries) && entries.length > 0, 'log: unapplied entries are in memory');
    for (const entry of entries) this.#applyingBytes += encodedBytes(entry);
    this.applying += entries.length;
    return entries;
  }

  appliedTo(index: number, bytes: number): void {
    assert(
      this.applied <= index && index <= this.applying,
      `log: applied ${this.applied} <= ${index} <= applying ${this.applying}`,
    );
    this.applied = index;
    this.#applyingBytes -= bytes;
  }

  /** At start: what the state machine already has. */
  restoreApplied(index: number): void {
    assert(index <= this.committed, `log: restored applied ${index} <= commit ${this.committed}`);
    this.applied = Math.max(this.applied, index);
    this.applying = this.applied;
  }

  /** The ordered relations of the pointers, checked after every step in tests. */
  check(): void {
    assert(this.firstIndex - 1 <= this.applied, 'first - 1 <= applied');
    assert(this.applied <= this.applying, 'applied <= applying');
    assert(this.applying <= this.committed, 'applying <= committed');
    assert(this.applying < this.#offset, 'applying < offset');
    assert(this.committed <= this.lastIndex, 'committed <= last');
    assert(
      this.#offset <= this.#inProgress && this.#inProgress <= this.#offset + this.#unstable.length,
      'offset <= inProgress <= end',
    );
    assert(this.#applyingBytes >= 0, 'applying bytes >= 0');
    let index = this.#offset;
    let term = this.term(index - 1) ?? 0;
    for (const entry of this.#unstable) {
      assert(entry.index === index && entry.term >= term, 'unstable entries are contiguous');
      index += 1;
      term = entry.term;
    }
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
