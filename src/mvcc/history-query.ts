/**
 * What happened from a revision on, for a watcher that is behind: a {@link Query} over history. A
 * revision is never split over two answers (invariant W3), however large it is.
 */
import type { BinaryString } from '../base/bytes.js';
import type { ReadSet, StoredRecord } from './backend.js';
import type { Query } from './query.js';
import { type ReadableRevisions, revisionFault } from './range-query.js';
import { lostRecord } from './range-read.js';
import { type ChangeRecord, decodeHistory } from './record.js';
import { historyKey, historyRange, parseHistoryKey } from './record-keys.js';
import { selects } from './selection.js';
import type { KeyEvent, KeySelection, KeyVersion } from './types.js';

/** The changes of one revision, whole, in order. @since 0.1.0 */
export interface RevisionEvents {
  readonly revision: number;
  readonly events: readonly KeyEvent[];
}

/** Which part of history. @since 0.1.0 */
export interface HistoryRange {
  /** First revision; not below the compacted one. */
  readonly fromRevision: number;
  /** Last revision; default: the current one. */
  readonly upTo?: number | undefined;
  /** Changes to read at a time, 1 or more; a larger revision is read whole. */
  readonly limit: number;
  /** Only changes of these keys; default all. */
  readonly keys?: KeySelection | undefined;
}

/** A part of history. @since 0.1.0 */
export interface History {
  /** Revisions with at least one selected change, ascending. */
  readonly revisions: readonly RevisionEvents[];
  /** Everything from `fromRevision` to before this one is in `revisions`: go on here. */
  readonly nextRevision: number;
}

/**
 * Starts a history query.
 *
 * @param range - which part
 * @param readable - the keyspace's ends, live
 * @throws {KontikiError} COMPACTED, when `fromRevision` is below the compacted revision. At it all
 *   changes are still there; only what they replaced may not be
 * @since 0.1.0
 */
export function startHistoryQuery(
  range: HistoryRange,
  readable: ReadableRevisions,
): Query<History> {
  const upTo = Math.min(range.upTo ?? readable.revision, readable.revision);
  if (range.fromRevision > upTo) {
    return { done: true, result: { revisions: [], nextRevision: range.fromRevision } };
  }
  return new HistoryReader(range, upTo, readable).start();
}

class HistoryReader {
  readonly #range: HistoryRange;
  readonly #upTo: number;
  readonly #readable: ReadableRevisions;
  readonly #changes: ChangeRecord[] = [];
  /** Decoded history by record key, to find versions before. */
  readonly #known = new Map<BinaryString, KeyVersion>();
  #nextRevision = 0;

  constructor(range: HistoryRange, upTo: number, readable: ReadableRevisions) {
    this.#range = range;
    this.#upTo = upTo;
    this.#readable = readable;
  }

  start(): Query<History> {
    this.#check();
    const { fromRevision: from, limit } = this.#range;
    const plan = { keys: [], ranges: [{ ...historyRange({ from, upTo: this.#upTo }), limit }] };
    return { done: false, plan, next: (reads) => this.#onFirst(reads) };
  }

  /** Cuts the last revision off, which may go on after the limit, unless it is the only one. */
  #onFirst(reads: ReadSet): Query<History> {
    this.#check();
    const records = reads.ranges[0] ?? [];
    const last = records.at(-1);
    if (records.length < this.#range.limit || last === undefined) {
      this.#take(records, this.#upTo + 1);
      return this.#readPrevious();
    }
    const { revision } = parseHistoryKey(last[0]);
    const whole = records.filter(([key]) => parseHistoryKey(key).revision < revision);
    if (whole.length > 0) {
      this.#take(whole, revision);
      return this.#readPrevious();
    }
    this.#take(records, revision + 1);
    return this.#readRest(last[0], revision);
  }

  #readRest(after: BinaryString, revision: number): Query<History> {
    const { lt } = historyRange({ from: revision, upTo: revision });
    return {
      done: false,
      plan: { keys: [], ranges: [{ gte: `${after}\0`, lt }] },
      next: (reads) => {
        this.#check();
        this.#take(reads.ranges[0] ?? [], revision + 1);
        return this.#readPrevious();
      },
    };
  }

  #take(records: readonly StoredRecord[], nextRevision: number): void {
    const { keys } = this.#range;
    for (const [recordKey, bytes] of records) {
      const change = decodeHistory(recordKey, bytes);
      if (keys !== undefined && !selects(keys, change.version.key)) continue;
      this.#changes.push(change);
      this.#known.set(recordKey, change.version);
    }
    this.#nextRevision = nextRevision;
  }

  #readPrevious(): Query<History> {
    const keys: BinaryString[] = [];
    for (const { previous } of this.#changes) {
      if (previous.revision === 0) continue;
      const recordKey = historyKey(previous);
      if (!this.#known.has(recordKey)) keys.push(recordKey);
    }
    if (keys.length === 0) return this.#finish();
    return {
      done: false,
      plan: { keys, ranges: [] },
      next: ({ records }) => {
        this.#check();
        keys.forEach((recordKey, at) => {
          const bytes = records[at];
          if (bytes === undefined) return;
          this.#known.set(recordKey, decodeHistory(recordKey, bytes).version);
        });
        return this.#finish();
      },
    };
  }

  #finish(): Query<History> {
    const revisions: { revision: number; events: KeyEvent[] }[] = [];
    for (const change of this.#changes) {
      const revision = change.version.modRevision;
      const event = this.#eventOf(change);
      const last = revisions.at(-1);
      if (last?.revision === revision) last.events.push(event);
      else revisions.push({ revision, events: [event] });
    }
    return { done: true, result: { revisions, nextRevision: this.#nextRevision } };
  }

  #eventOf({ type, sub, version, previous }: ChangeRecord): KeyEvent {
    const { key, modRevision: revision } = version;
    const before = this.#previousOf(previous, revision);
    const event: KeyEvent = { type, key, revision, sub };
    const withCurrent = type === 'put' ? { ...event, current: version } : event;
    return before === undefined ? withCurrent : { ...withCurrent, previous: before };
  }

  #previousOf(position: ChangeRecord['previous'], revision: number): KeyVersion | undefined {
    if (position.revision === 0) return undefined;
    const recordKey = historyKey(position);
    const version = this.#known.get(recordKey);
    // Compaction to C keeps what was current at C, so only changes at C itself may lack it.
    if (version === undefined && revision > this.#readable.compactRevision) {
      throw lostRecord(recordKey);
    }
    return version;
  }

  #check(): void {
    const fault = revisionFault(this.#readable, this.#range.fromRevision);
    if (fault !== undefined) throw fault;
  }
}
