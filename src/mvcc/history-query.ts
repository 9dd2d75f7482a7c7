/**
 * What happened from a revision on, for a watcher that is behind: a {@link Query} over history. A
 * revision is never split over two answers (invariant W3), however large it is, unless the caller
 * asks for fragments; then the pieces say so.
 */
import type { BinaryString } from '../base/bytes.js';
import { limits } from '../base/limits.js';
import type { RangeRead, ReadSet, StoredRecord } from './backend.js';
import { isStubOf, type PutStub } from './put-stub.js';
import type { Query } from './query.js';
import { lostRecord } from './range-read.js';
import { historySlice, nextLimit, restOf } from './range-slices.js';
import { type ReadableRevisions, revisionFault } from './readable-revisions.js';
import { type ChangeRecord, decodeCurrent, decodeEnded, decodeHistory } from './record.js';
import { corruptRecord } from './record-bytes.js';
import { currentKey, historyKey, historyRange, parseHistoryKey } from './record-keys.js';
import { selects } from './selection.js';
import type { KeyEvent, KeySelection, KeyVersion } from './types.js';

/** The changes of one revision, whole unless marked, in order. @since 0.1.0 */
export interface RevisionEvents {
  readonly revision: number;
  readonly events: readonly KeyEvent[];
  /** More of this revision follows: a piece, which only those get who asked for fragments. */
  readonly isPart?: true;
}

/** Which part of history. @since 0.1.0 */
export interface HistoryRange {
  /** First revision; not below the compacted one. */
  readonly fromRevision: number;
  /** First position inside it, to go on after a piece; default 0. */
  readonly fromSub?: number | undefined;
  /** Last revision; default: the current one. */
  readonly upTo?: number | undefined;
  /** Changes to read at a time, 1 or more; a larger revision is read whole, or in pieces. */
  readonly limit: number;
  /** Only changes of these keys; default all. */
  readonly keys?: KeySelection | undefined;
  /** Leaves puts out; default false. */
  readonly noPut?: boolean | undefined;
  /** Leaves deletes out; default false. */
  readonly noDelete?: boolean | undefined;
  /** `false` spares the reads of the versions before; default true. */
  readonly previous?: boolean | undefined;
  /** Cuts a revision of more than `limit` changes into pieces; default false. */
  readonly fragment?: boolean | undefined;
}

/** A part of history. @since 0.1.0 */
export interface History {
  /** Revisions with at least one selected change, ascending. */
  readonly revisions: readonly RevisionEvents[];
  /** Everything from `fromRevision` to before this one is in `revisions`: go on here. */
  readonly nextRevision: number;
  /** Position to go on at inside `nextRevision`; above 0 after a piece only. */
  readonly nextSub: number;
  /** Bytes of the records that were read, selected or not. */
  readonly bytes: number;
  /** Of the heaviest of the slices that it took: one revision may take many. */
  readonly sliceBytes: number;
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
    const { fromRevision: nextRevision, fromSub: nextSub = 0 } = range;
    return {
      done: true,
      result: { revisions: [], nextRevision, nextSub, bytes: 0, sliceBytes: 0 },
    };
  }
  return new HistoryReader(range, upTo, readable).start();
}

class HistoryReader {
  readonly #range: HistoryRange;
  readonly #upTo: number;
  readonly #readable: ReadableRevisions;
  readonly #revisions: { revision: number; events: KeyEvent[]; isPart?: true }[] = [];
  /** Read, and not yet among the revisions. */
  #changes: (ChangeRecord | PutStub)[] = [];
  /** Decoded history by record key, to find versions before. */
  readonly #known = new Map<BinaryString, KeyVersion>();
  /** Versions to read at a time: only the answer tells how large they are. */
  #versionsLimit: number;
  #isStripped = false;
  #nextRevision = 0;
  #nextSub = 0;
  #bytes = 0;
  /** Of them, those of the slices before this one. */
  #bytesBefore = 0;
  /** Of the heaviest slice. */
  #sliceBytes = 0;

  constructor(range: HistoryRange, upTo: number, readable: ReadableRevisions) {
    this.#range = range;
    this.#upTo = upTo;
    this.#readable = readable;
    this.#versionsLimit = range.limit;
  }

  start(): Query<History> {
    this.#check();
    const { fromRevision: from, fromSub: sub = 0, limit } = this.#range;
    // What goes on inside a revision ends with it: an answer is whole revisions or one piece.
    const upTo = sub > 0 ? from : this.#upTo;
    const { lt } = historyRange({ from, upTo });
    const range = { gte: historyKey({ revision: from, sub }), lt, limit: limit + 1 };
    const plan = { keys: [], ranges: [range] };
    return { done: false, plan, next: (reads) => this.#onFirst(reads, upTo) };
  }

  /** Of one record too many only the position counts: its revision goes on past the limit. */
  #onFirst(reads: ReadSet, upTo: number): Query<History> {
    this.#check();
    const records = reads.ranges[0] ?? [];
    const { limit } = this.#range;
    const extra = records[limit];
    if (extra === undefined) {
      this.#take(records, upTo + 1);
      return this.#readCurrent();
    }
    const { revision, sub } = parseHistoryKey(extra[0]);
    const whole = records.filter(([key]) => parseHistoryKey(key).revision < revision);
    if (whole.length > 0) {
      this.#take(whole, revision);
      return this.#readCurrent();
    }
    const before = records.slice(0, -1);
    if (this.#range.fragment === true) {
      this.#take(before, revision);
      this.#nextSub = sub;
      return this.#readCurrent();
    }
    this.#take(before, revision + 1);
    const { lt } = historyRange({ from: revision, upTo: revision });
    return this.#readCurrent({ gte: extra[0], lt, limit, bytesMax: limits.historyBytesMax });
  }

  /** Reads the rest of one revision, as much at a time as of any others. */
  #readRest(range: RangeRead): Query<History> {
    return {
      done: false,
      plan: { keys: [], ranges: [range] },
      next: ({ ranges: [records = []] }) => {
        this.#check();
        this.#take(records, this.#nextRevision);
        return this.#readCurrent(restOf(range, records));
      },
    };
  }

  #take(records: readonly StoredRecord[], nextRevision: number): void {
    for (const [recordKey, bytes] of records) {
      const change = decodeHistory(recordKey, bytes);
      this.#bytes += bytes.length;
      if (!this.#isSelected(change)) continue;
      this.#changes.push(change);
      if (change.type !== 'stub') this.#known.set(recordKey, change.version);
    }
    this.#nextRevision = nextRevision;
  }

  #isSelected({ type, version }: ChangeRecord | PutStub): boolean {
    const { keys, noPut, noDelete } = this.#range;
    if (keys !== undefined && !selects(keys, version.key)) return false;
    return type === 'delete' ? noDelete !== true : noPut !== true;
  }

  /**
   * Reads the versions that were current. One that is not any more has moved to where its stub was.
   *
   * @param rest - of the same revision, to be read afterwards
   */
  #readCurrent(rest?: RangeRead): Query<History> {
    const inHistory = ({ sub, version }: PutStub): BinaryString =>
      historyKey({ revision: version.modRevision, sub });
    return this.#resolve(
      ({ version }) => currentKey(version.key),
      decodeCurrent,
      () => this.#resolve(inHistory, decodeEnded, () => this.#readPrevious(rest)),
    );
  }

  /** Puts changes in the place of their stubs, as far as they are where `keyOf` says. */
  #resolve(
    keyOf: (stub: PutStub) => BinaryString,
    decode: (recordKey: BinaryString, bytes: Uint8Array) => ChangeRecord,
    then: () => Query<History>,
  ): Query<History> {
    const places = new Map<BinaryString, number>();
    this.#changes.forEach((change, at) => {
      if (change.type === 'stub') places.set(keyOf(change), at);
    });
    const take = (recordKey: BinaryString, bytes: Uint8Array): void => {
      const at = places.get(recordKey) as number;
      const stub = this.#changes[at] as PutStub;
      const change = decode(recordKey, bytes);
      if (change.version.modRevision !== stub.version.modRevision) return;
      if (!isStubOf(stub, bytes)) throw corruptRecord(recordKey, 'history names another put');
      this.#changes[at] = change;
    };
    return this.#readVersions([...places.keys()], take, then);
  }

  #readPrevious(rest: RangeRead | undefined): Query<History> {
    const keys: BinaryString[] = [];
    if (this.#range.previous !== false) {
      for (const { previous } of this.#changes) {
        if (previous.revision === 0) continue;
        const recordKey = historyKey(previous);
        if (!this.#known.has(recordKey)) keys.push(recordKey);
      }
    }
    const take = (recordKey: BinaryString, bytes: Uint8Array): void => {
      this.#known.set(recordKey, decodeEnded(recordKey, bytes).version);
    };
    return this.#readVersions(keys, take, () => this.#goOn(rest));
  }

  #readVersions(
    missing: readonly BinaryString[],
    take: (recordKey: BinaryString, bytes: Uint8Array) => void,
    then: () => Query<History>,
  ): Query<History> {
    if (missing.length === 0) return then();
    const keys = missing.slice(0, this.#versionsLimit);
    return {
      done: false,
      plan: { keys, ranges: [] },
      next: ({ records }) => {
        this.#check();
        const before = this.#bytes;
        keys.forEach((recordKey, at) => {
          const bytes = records[at];
          if (bytes === undefined) return;
          this.#bytes += bytes.length;
          take(recordKey, bytes);
        });
        this.#versionsLimit = nextLimit(this.#versionsLimit, this.#bytes - before, historySlice);
        return this.#readVersions(missing.slice(keys.length), take, then);
      },
    };
  }

  #goOn(rest: RangeRead | undefined): Query<History> {
    this.#build();
    const bytes = this.#bytes - this.#bytesBefore;
    this.#bytesBefore = this.#bytes;
    this.#sliceBytes = Math.max(this.#sliceBytes, bytes);
    if (rest !== undefined) {
      return this.#readRest({ ...rest, limit: nextLimit(rest.limit ?? 1, bytes, historySlice) });
    }
    const result: History = {
      revisions: this.#revisions,
      nextRevision: this.#nextRevision,
      nextSub: this.#nextSub,
      bytes: this.#bytes,
      sliceBytes: this.#sliceBytes,
    };
    return { done: true, result };
  }

  #build(): void {
    const isPart = this.#nextSub > 0;
    for (const change of this.#changes) {
      const revision = change.version.modRevision;
      if (change.type === 'stub') throw lostRecord(historyKey({ revision, sub: change.sub }));
      const event = this.#eventOf(change);
      const last = this.#revisions.at(-1);
      if (last?.revision === revision) last.events.push(event);
      else if (isPart) this.#revisions.push({ revision, events: [event], isPart });
      else this.#revisions.push({ revision, events: [event] });
    }
    this.#changes = [];
    this.#known.clear();
  }

  #eventOf({ type, sub, version, previous }: ChangeRecord): KeyEvent {
    const { key, modRevision: revision } = version;
    const isWanted = this.#range.previous !== false;
    const before = isWanted ? this.#previousOf(previous, revision) : undefined;
    const event: KeyEvent = { type, key, revision, sub };
    const withCurrent = type === 'put' ? { ...event, current: version } : event;
    return before === undefined ? withCurrent : { ...withCurrent, previous: before };
  }

  #previousOf(position: ChangeRecord['previous'], revision: number): KeyVersion | undefined {
    if (position.revision === 0) return undefined;
    // Compaction to C keeps what was current at C: what changes at C itself replaced is gone, or
    // about to go. All members say the same (W11), so it is absent in both cases, as in etcd.
    if (revision <= this.#readable.compactRevision) return undefined;
    const recordKey = historyKey(position);
    const version = this.#known.get(recordKey);
    if (version === undefined) throw lostRecord(recordKey);
    return version;
  }

  #check(): void {
    const fault = revisionFault(this.#readable, this.#range.fromRevision);
    if (fault !== undefined) throw fault;
    // Of a revision that was compacted to while it was being read, no event has a version before.
    const [built] = this.#revisions;
    if (built === undefined || this.#isStripped) return;
    if (built.revision > this.#readable.compactRevision) return;
    this.#isStripped = true;
    built.events = built.events.map(({ previous: _, ...event }) => event);
  }
}
