/**
 * The tail of the log that the storage has not confirmed yet, and a received snapshot that it has
 * not installed yet.
 *
 *     offset ......... inProgress ......... last
 *     | being written  | not handed out yet |
 *
 * A pending snapshot lies directly before `offset`.
 */
import { assert } from '../base/assert.js';
import type { Entry, LogId, Snapshot } from './types.js';

/** @since 0.1.0 */
export class Unstable {
  #snapshot: Snapshot | undefined;
  #snapshotInProgress = false;
  #entries: Entry[] = [];
  #offset: number;
  #inProgress: number;

  /** @param offset - index after the last one that the storage has */
  constructor(offset: number) {
    this.#offset = offset;
    this.#inProgress = offset;
  }

  /** Index of the first entry that is not known to be durable. */
  get offset(): number {
    return this.#offset;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get lastIndex(): number {
    return this.#offset + this.#entries.length - 1;
  }

  /** Received and not installed yet. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Term of an index at or above `offset`, or of the pending snapshot's last entry. */
  term(index: number): number | undefined {
    if (index >= this.#offset) return this.#entries[index - this.#offset]?.term;
    return this.#snapshot?.last.index === index ? this.#snapshot.last.term : undefined;
  }

  /** Replaces everything from the first entry's index on, which is at most `lastIndex + 1`. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const { index } = first;
    if (index <= this.#offset) {
      this.#entries = entries.slice();
      this.#offset = index;
      this.#inProgress = index;
      return;
    }
    this.#entries.length = index - this.#offset;
    for (const entry of entries) this.#entries.push(entry);
    this.#inProgress = Math.min(this.#inProgress, index);
  }

  /** Starts over behind a snapshot. */
  restore(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
    this.#entries = [];
    this.#offset = snapshot.last.index + 1;
    this.#inProgress = this.#offset;
  }

  /** Whether anything waits to be handed to the storage. */
  get hasUntaken(): boolean {
    return this.#untakenSnapshot !== undefined || this.#inProgress <= this.lastIndex;
  }

  get #untakenSnapshot(): Snapshot | undefined {
    return this.#snapshotInProgress ? undefined : this.#snapshot;
  }

  /** Entries for the storage; they count as handed out from now on. */
  takeEntries(): readonly Entry[] {
    const from = this.#inProgress - this.#offset;
    this.#inProgress = this.#offset + this.#entries.length;
    return from === 0 ? this.#entries.slice() : this.#entries.slice(from);
  }

  /** The snapshot for the storage, once. */
  takeSnapshot(): Snapshot | undefined {
    const snapshot = this.#untakenSnapshot;
    this.#snapshotInProgress = this.#snapshot !== undefined;
    return snapshot;
  }

  /** The storage has everything up to `id`, unless that position was overwritten meanwhile. */
  stableTo(id: LogId): void {
    if (id.index < this.#offset || this.term(id.index) !== id.term) return;
    this.#entries = this.#entries.slice(id.index + 1 - this.#offset);
    this.#offset = id.index + 1;
    this.#inProgress = Math.max(this.#inProgress, this.#offset);
  }

  /** The storage has installed the snapshot at `index`, unless a later one came meanwhile. */
  snapshotStable(index: number): void {
    if (this.#snapshot?.last.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** The ordered relations, checked after every step in tests. */
  check(previousTerm: number): void {
    const end = this.#offset + this.#entries.length;
    assert(
      this.#offset <= this.#inProgress && this.#inProgress <= end,
      'offset <= inProgress <= end',
    );
    let index = this.#offset;
    let term = previousTerm;
    for (const entry of this.#entries) {
      assert(entry.index === index && entry.term >= term, 'unstable entries are contiguous');
      index += 1;
      term = entry.term;
    }
    assert(
      this.#snapshot === undefined || this.#snapshot.last.index < this.#offset,
      'a pending snapshot lies before the unstable entries',
    );
  }
}
