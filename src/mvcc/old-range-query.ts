/**
 * Reads a range at an old revision, in parts of bounded size. A key is decided by its current record
 * and its closed versions together, so both are read in one view, and only keys that the part holds
 * whole are decided by it. Between two parts newer changes may be applied: they do not show, because
 * what a key was at an old revision does not change.
 */
import type { BinaryString } from '../base/bytes.js';
import { limits } from '../base/limits.js';
import type { RangeRead, ReadSet, StoredRecord } from './backend.js';
import type { Query } from './query.js';
import {
  type FoundVersion,
  findAmong,
  foundVersion,
  missingRecords,
  type OldRangeOperation,
} from './range-read.js';
import { isDescending, matchesNeeded, shapeRange, storedShown } from './range-shape.js';
import { restOf } from './range-slices.js';
import { FetchedView } from './read-view.js';
import { type ReadableRevisions, revisionFault } from './readable-revisions.js';
import {
  closedRange,
  currentKey,
  currentRange,
  keyOfCurrent,
  newestClosed,
  parseClosedKey,
  unescapeKey,
} from './record-keys.js';
import { singleKey } from './selection.js';
import type { RangeResult } from './types.js';

const partMin = 16;
const partMax = 512;
/** Closed versions that are read beside the current ones, for each of them. */
const closedPerKey = 2;

/**
 * Starts a range query at an old revision.
 *
 * @param operation - checked by itself already
 * @param readable - the keyspace's ends, live: they are asked again after each fetch
 * @throws {KontikiError} COMPACTED, FUTURE_REVISION
 * @since 0.1.0
 */
export function startOldRangeQuery(
  operation: OldRangeOperation,
  readable: ReadableRevisions,
): Query<RangeResult> {
  return new OldRangeReader(operation, readable).start();
}

class OldRangeReader {
  readonly #operation: OldRangeOperation;
  readonly #readable: ReadableRevisions;
  /** Current revision when the read began. */
  readonly #revision: number;
  /** Enough versions, in ascending key order; `undefined`: all. */
  readonly #needed: number | undefined;
  readonly #found: FoundVersion[] = [];
  /** Keys that the next part reads at most: as few as the closed versions decide. */
  #keysMax = partMax;
  /** Closed versions that it reads at most: few where a key has more than that by itself. */
  #closedMax = closedPerKey * partMax;

  constructor(operation: OldRangeOperation, readable: ReadableRevisions) {
    this.#operation = operation;
    this.#readable = readable;
    this.#revision = readable.revision;
    this.#needed = isDescending(operation) ? undefined : matchesNeeded(operation);
  }

  start(): Query<RangeResult> {
    this.#check();
    const { keys } = this.#operation;
    const single = singleKey(keys);
    return single === undefined ? this.#readPart(keys.gte) : this.#readKey(single, undefined);
  }

  /** Reads on from a key. */
  #readPart(from: BinaryString): Query<RangeResult> {
    const { lt } = this.#operation.keys;
    if (lt !== undefined && from >= lt) return this.#finish();
    const left = this.#needed === undefined ? partMax : this.#needed - this.#found.length;
    const limit = Math.min(this.#keysMax, Math.max(partMin, left));
    const closedLimit = Math.min(this.#closedMax, closedPerKey * Math.max(partMin, left));
    const bytesMax = limits.historyBytesMax;
    const current: RangeRead = { ...currentRange({ gte: from, lt }), limit, bytesMax };
    const closed: RangeRead = { ...closedRange({ gte: from, lt }), limit: closedLimit };
    return {
      done: false,
      plan: { keys: [], ranges: [current, closed] },
      next: ({ ranges: [live = [], ended = []] }) => {
        this.#check();
        const liveEnd = endOf(current, live);
        // The last key may have more versions behind the cut.
        const endedEnd =
          ended.length < closedLimit ? undefined : endedKey(ended.at(-1) as StoredRecord);
        const isShort = endedEnd !== undefined && (liveEnd === undefined || endedEnd < liveEnd);
        const end = isShort ? endedEnd : liveEnd;
        const decided = before(live, end, liveKey);
        // More versions than a part holds: the key is read by itself.
        const isAlone =
          isShort && decided.length === 0 && endedKey(ended[0] as StoredRecord) === end;
        this.#adapt(isShort, isAlone, decided.length);
        if (isAlone) return this.#readKey(end as BinaryString, `${end}\0`);
        this.#take(decided, before(ended, end, endedKey));
        return this.#isEnough() || end === undefined ? this.#finish() : this.#readPart(end);
      },
    };
  }

  /**
   * @param isShort - the part ended where its closed versions did
   * @param isAlone - all of those were of one key
   * @param decided - keys of those it read that were whole in it
   */
  #adapt(isShort: boolean, isAlone: boolean, decided: number): void {
    const next = (size: number): number => (isAlone ? size >>> 1 : 2 * size);
    const keys = isShort && !isAlone ? 2 * decided : next(this.#keysMax);
    this.#keysMax = Math.max(partMin, Math.min(partMax, keys));
    const closed = next(this.#closedMax);
    this.#closedMax = Math.max(closedPerKey * partMin, Math.min(closedPerKey * partMax, closed));
  }

  /** Reads one key, then goes on from `next`, if there is one. */
  #readKey(key: BinaryString, next: BinaryString | undefined): Query<RangeResult> {
    const recordKey = currentKey(key);
    const ranges = [newestClosed(key, this.#operation.revision)];
    return {
      done: false,
      plan: { keys: [recordKey], ranges },
      next: ({ records: [bytes], ranges: [ended = []] }) => {
        this.#check();
        this.#take(bytes === undefined ? [] : [[recordKey, bytes]], ended);
        return this.#isEnough() || next === undefined ? this.#finish() : this.#readPart(next);
      },
    };
  }

  #take(live: readonly StoredRecord[], ended: readonly StoredRecord[]): void {
    const found = this.#found;
    const shown = storedShown(this.#operation);
    const isFromEnd = isDescending(this.#operation);
    for (const each of findAmong(live, ended, this.#operation.revision)) {
      found.push(isFromEnd || found.length < shown ? each : { key: each.key });
      // Of those that only count, nothing is held: versions are views of whole records.
      const at = found.length - 1 - shown;
      const counted = isFromEnd ? found[at] : undefined;
      if (counted !== undefined) found[at] = { key: counted.key };
    }
  }

  #isEnough(): boolean {
    return this.#needed !== undefined && this.#found.length >= this.#needed;
  }

  /** The versions that are not current any more are in history, which no apply changes. */
  #finish(): Query<RangeResult> {
    const keys = missingRecords(this.#operation, this.#found);
    const view = new FetchedView();
    if (keys.length === 0) return this.#answer(view);
    const plan = { keys, ranges: [] };
    return {
      done: false,
      plan,
      next: (reads: ReadSet) => {
        // A compaction between the fetches may have taken the records away.
        this.#check();
        view.add(plan, reads);
        return this.#answer(view);
      },
    };
  }

  #answer(view: FetchedView): Query<RangeResult> {
    const answer = shapeRange(this.#operation, this.#found, (it) => foundVersion(it, view));
    return { done: true, result: { op: 'range', revision: this.#revision, ...answer } };
  }

  #check(): void {
    const fault = revisionFault(this.#readable, this.#operation.revision);
    if (fault !== undefined) throw fault;
  }
}

/** Keys below it are among the current records that were read, if they are anywhere; `undefined`: all are. */
function endOf(range: RangeRead, live: readonly StoredRecord[]): BinaryString | undefined {
  const rest = restOf(range, live);
  return rest && keyOfCurrent(rest.gte);
}

function before(
  records: readonly StoredRecord[],
  end: BinaryString | undefined,
  keyOf: (record: StoredRecord) => BinaryString,
): readonly StoredRecord[] {
  return end === undefined ? records : records.filter((record) => keyOf(record) < end);
}

function liveKey([recordKey]: StoredRecord): BinaryString {
  return keyOfCurrent(recordKey);
}

function endedKey([recordKey]: StoredRecord): BinaryString {
  return unescapeKey(parseClosedKey(recordKey).escapedKey);
}
