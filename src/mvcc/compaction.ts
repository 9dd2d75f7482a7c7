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
import type { Change, StoredRecord } from './backend.js';
import type { CompactionProgress } from './compaction-progress.js';
import type { PutStub } from './put-stub.js';
import type { Query } from './query.js';
import { type ChangeRecord, decodeEnded, decodeHistory, encodeClosed } from './record.js';
import { type ChangePosition, closedKey, historyFrom, historyKey } from './record-keys.js';
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
    const range = { ...historyFrom(next, target), limit: this.#changesMax };
    return {
      done: false,
      plan: { keys: [], ranges: [range] },
      next: ({ ranges: [records = []] }) => this.#onChanges(records),
    };
  }

  #onChanges(records: readonly StoredRecord[]): Query<CompactionSlice> {
    const changes: (ChangeRecord | PutStub)[] = [];
    const known = new Map<BinaryString, Uint8Array>();
    for (const [recordKey, bytes] of records) {
      const change = decodeHistory(recordKey, bytes);
      changes.push(change);
      known.set(recordKey, bytes);
      this.#bytes += bytes.length;
      if (change.type === 'delete' && change.version.modRevision < this.#progress.target) {
        this.#remove(recordKey, bytes);
      }
    }
    const replaced = changes.filter(({ previous }) => previous.revision > 0);
    const missing = replaced
      .map(({ previous }) => historyKey(previous))
      .filter((recordKey) => !known.has(recordKey));
    const finish = (): Query<CompactionSlice> => {
      for (const change of replaced) this.#removeReplaced(change, known);
      return { done: true, result: this.#slice(changes) };
    };
    if (missing.length === 0) return finish();
    return {
      done: false,
      plan: { keys: missing, ranges: [] },
      next: (reads) => {
        missing.forEach((recordKey, at) => {
          const bytes = reads.records[at];
          if (bytes !== undefined) known.set(recordKey, bytes);
        });
        return finish();
      },
    };
  }

  /** At the first revision of a pass, the pass before may have removed what was replaced. */
  #removeReplaced(
    { version, previous }: ChangeRecord | PutStub,
    known: Map<BinaryString, Uint8Array>,
  ): void {
    const recordKey = historyKey(previous);
    const bytes = known.get(recordKey);
    if (bytes === undefined) return;
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

  #slice(changes: readonly (ChangeRecord | PutStub)[]): CompactionSlice {
    return {
      from: this.#from,
      to: this.#after(changes),
      removals: this.#removals,
      removed: this.#removed,
      bytes: this.#bytes,
    };
  }

  #after(changes: readonly (ChangeRecord | PutStub)[]): CompactionProgress {
    const { done, target } = this.#progress;
    const last = changes.at(-1);
    if (changes.length < this.#changesMax || last === undefined) {
      return { done: target, target, next: { revision: target, sub: 0 } };
    }
    const next: ChangePosition = { revision: last.version.modRevision, sub: last.sub + 1 };
    return { done, target, next };
  }
}
