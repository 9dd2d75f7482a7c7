/**
 * Removes what a compaction gave up, a few changes at a time. The compaction itself is one number in
 * the meta record, replicated; from then on nothing reads below it, so the records can go whenever
 * there is time, and no answer depends on how many are gone (DESIGN §4.6; etcd parity §2.7).
 *
 * A pass to revision C walks the changes from the last finished pass on, up to C: each ends the
 * version it replaced, whose records go. What a delete left, its own change, goes too unless it is at
 * C: a watch may start at C and must see it (etcd incidents 18089 and 19179). The next pass begins
 * with C again and removes it then.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { limits } from '../base/limits.js';
import type { Change, RangeRead, StoredRecord } from './backend.js';
import type { CompactionProgress } from './compaction-progress.js';
import type { PutStub } from './put-stub.js';
import type { Query } from './query.js';
import { nextLimit, type RangeSlice, restOf } from './range-slices.js';
import { type ChangeRecord, decodeEnded, decodeHistory, encodeClosed } from './record.js';
import { closedKey, historyFrom, historyKey, parseHistoryKey } from './record-keys.js';
import { HashSums } from './state-hash.js';

/** One step of a compaction, ready to be applied. @since 0.1.0 */
export interface CompactionSlice {
  /** The progress it started from. */
  readonly from: CompactionProgress;
  /** The progress once it is applied. */
  readonly to: CompactionProgress;
  /** Record keys to delete. */
  readonly removals: readonly Change[];
  /** Sums of the records that are deleted. */
  readonly removed: HashSums;
  /** Bytes that were read, to size the next slice by. */
  readonly bytes: number;
}

/**
 * Starts the next step.
 *
 * @param progress - where the removal stands
 * @param compactRevision - the keyspace's
 * @param changesMax - changes to look at, 1 or more: the work of the step
 * @returns `undefined` when everything is removed
 * @since 0.1.0
 */
export function startCompactionSlice(
  progress: CompactionProgress,
  compactRevision: number,
  changesMax: number,
): Query<CompactionSlice> | undefined {
  assert(changesMax >= 1, `a slice looks at one change or more, got ${changesMax}`);
  const isRunning = progress.target > progress.done;
  if (!isRunning && compactRevision <= progress.done) return undefined;
  const target = isRunning ? progress.target : compactRevision;
  const next = isRunning ? progress.next : { revision: progress.done, sub: 0 };
  return new SliceReader({ ...progress, target, next }, progress, changesMax).start();
}

/** What a step reads at a time. */
const aim: RangeSlice = {
  limit: limits.compactionChangesMax,
  bytesMax: limits.compactionBytesAim,
};
/** Replaced versions that are read first, before anybody knows how large they are. */
const firstReplaced = 8;

class SliceReader {
  readonly #progress: CompactionProgress;
  readonly #from: CompactionProgress;
  readonly #changesMax: number;
  readonly #removals: Change[] = [];
  readonly #removed = new HashSums();
  #bytes = 0;

  /**
   * @param progress - of the pass
   * @param from - as the keyspace knows it
   */
  constructor(progress: CompactionProgress, from: CompactionProgress, changesMax: number) {
    this.#progress = progress;
    this.#from = from;
    this.#changesMax = changesMax;
  }

  start(): Query<CompactionSlice> {
    const { next, target } = this.#progress;
    const { bytesMax } = aim;
    const range = { ...historyFrom(next, target), limit: this.#changesMax, bytesMax };
    return {
      done: false,
      plan: { keys: [], ranges: [range] },
      next: ({ ranges: [records = []] }) => this.#onChanges(range, records),
    };
  }

  #onChanges(range: RangeRead, records: readonly StoredRecord[]): Query<CompactionSlice> {
    const known = new Map<BinaryString, Uint8Array>();
    const replaced: (ChangeRecord | PutStub)[] = [];
    for (const [recordKey, bytes] of records) {
      const change = decodeHistory(recordKey, bytes);
      known.set(recordKey, bytes);
      this.#bytes += bytes.length;
      if (change.previous.revision > 0) replaced.push(change);
      if (change.type === 'delete' && change.version.modRevision < this.#progress.target) {
        this.#remove(recordKey, bytes);
      }
    }
    const to = this.#after(restOf(range, records) && records.at(-1));
    const missing = replaced.filter((change) => {
      const bytes = known.get(historyKey(change.previous));
      if (bytes !== undefined) this.#removeReplaced(change, bytes);
      return bytes === undefined;
    });
    return this.#readReplaced(missing, Math.min(firstReplaced, this.#changesMax), to);
  }

  #readReplaced(
    missing: readonly (ChangeRecord | PutStub)[],
    limit: number,
    to: CompactionProgress,
  ): Query<CompactionSlice> {
    if (missing.length === 0) return { done: true, result: this.#slice(to) };
    const part = missing.slice(0, limit);
    return {
      done: false,
      plan: { keys: part.map(({ previous }) => historyKey(previous)), ranges: [] },
      next: ({ records }) => {
        const before = this.#bytes;
        part.forEach((change, at) => {
          const bytes = records[at];
          // At the first revision of a pass, the pass before may have removed what was replaced.
          if (bytes !== undefined) this.#removeReplaced(change, bytes);
        });
        const next = nextLimit(limit, this.#bytes - before, aim);
        return this.#readReplaced(missing.slice(part.length), next, to);
      },
    };
  }

  #removeReplaced({ version, previous }: ChangeRecord | PutStub, bytes: Uint8Array): void {
    const recordKey = historyKey(previous);
    decodeEnded(recordKey, bytes);
    this.#bytes += bytes.length;
    this.#remove(recordKey, bytes);
    const closed = closedKey(version.key, previous);
    this.#removed.addClosed(closed, encodeClosed(version.modRevision));
    this.#removals.push([closed, undefined]);
  }

  #remove(recordKey: BinaryString, bytes: Uint8Array): void {
    this.#removed.addHistory(bytes);
    this.#removals.push([recordKey, undefined]);
  }

  #slice(to: CompactionProgress): CompactionSlice {
    return {
      from: this.#from,
      to,
      removals: this.#removals,
      removed: this.#removed,
      bytes: this.#bytes,
    };
  }

  /** @param last - record that was looked at; `undefined`: nothing is behind it */
  #after(last: StoredRecord | undefined): CompactionProgress {
    const { done, target } = this.#progress;
    if (last === undefined) return { done: target, target, next: { revision: target, sub: 0 } };
    const { revision, sub } = parseHistoryKey(last[0]);
    return { done, target, next: { revision, sub: sub + 1 } };
  }
}
