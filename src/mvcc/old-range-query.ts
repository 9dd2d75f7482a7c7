/**
 * Reads a range at an old revision, in parts of bounded size. A key is decided by its current record
 * and its closed versions together, so both are read in one view, and only keys that the part holds
 * whole are decided by it. Between two parts newer changes may be applied: they do not show, because
 * what a key was at an old revision does not change.
 */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead, ReadSet, StoredRecord } from './backend.js';
import type { Query } from './query.js';
import {
  type FoundVersion,
  findAmong,
  foundVersion,
  missingRecords,
  type OldRangeOperation,
} from './range-read.js';
import { isDescending, matchesNeeded, shapeRange } from './range-shape.js';
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
    const limit = Math.min(partMax, Math.max(partMin, left));
    const current: RangeRead = { ...currentRange({ gte: from, lt }), limit };
    const closed: RangeRead = { ...closedRange({ gte: from, lt }), limit: 2 * limit };
    return {
      done: false,
      plan: { keys: [], ranges: [current, closed] },
      next: ({ ranges: [live = [], ended = []] }) => {
        this.#check();
        const end = endOfPart({ live, ended, limit });
        // One key has more versions than a part holds: it is read by itself.
        if (end === from) return this.#readKey(from, `${from}\0`);
        this.#take(before(live, end, liveKey), before(ended, end, endedKey));
        return this.#isEnough() || end === undefined ? this.#finish() : this.#readPart(end);
      },
    };
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
    for (const each of findAmong(live, ended, this.#operation.revision)) this.#found.push(each);
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

/** What a part read; each list may have been cut at its limit. */
interface Part {
  readonly live: readonly StoredRecord[];
  readonly ended: readonly StoredRecord[];
  readonly limit: number;
}

/** Keys below the end are whole in the part; `undefined`: all are. */
function endOfPart({ live, ended, limit }: Part): BinaryString | undefined {
  const lastLive = live[limit - 1];
  const lastEnded = ended[2 * limit - 1];
  const liveEnd = lastLive === undefined ? undefined : `${liveKey(lastLive)}\0`;
  // The last key may have more versions behind the cut.
  const endedEnd = lastEnded === undefined ? undefined : endedKey(lastEnded);
  if (liveEnd === undefined || endedEnd === undefined) return liveEnd ?? endedEnd;
  return liveEnd < endedEnd ? liveEnd : endedEnd;
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
