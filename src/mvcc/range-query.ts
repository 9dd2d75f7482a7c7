/**
 * Reads outside the log: a range operation as a {@link Query}. One key at the latest revision is a
 * single record, so that it can be served without waiting when it is in memory.
 */
import { assert } from '../base/assert.js';
import type { StoredRecord } from './backend.js';
import { startOldRangeQuery } from './old-range-query.js';
import type { Query, QueryDone } from './query.js';
import { currentVersion, isOldRange, planRange } from './range-read.js';
import { countsUnread, isDescending, type RangeAnswer, shapeRange } from './range-shape.js';
import { emptyPlan } from './read-view.js';
import type { ReadableRevisions } from './readable-revisions.js';
import { currentKey, currentRange } from './record-keys.js';
import { singleKey } from './selection.js';
import type { RangeOperation, RangeResult } from './types.js';

/**
 * Starts a range query.
 *
 * @param operation - checked by itself already
 * @param readable - the keyspace's ends, live: they are asked again after each fetch
 * @throws {KontikiError} COMPACTED, FUTURE_REVISION
 * @since 0.1.0
 */
export function startRangeQuery(
  operation: RangeOperation,
  readable: ReadableRevisions,
): Query<RangeResult> {
  if (isOldRange(operation)) return startOldRangeQuery(operation, readable);
  const single = singleKey(operation.keys);
  if (single !== undefined) return singleQuery(operation, single, readable.revision);
  const { revision } = readable;
  const isCounted = countsUnread(operation);
  const listed = isCounted ? { ...operation, count: undefined, countOnly: undefined } : operation;
  const plan = emptyPlan();
  if (operation.countOnly !== true) planRange(listed, plan);
  return {
    done: false,
    plan: isCounted ? { ...plan, counts: [currentRange(operation.keys)] } : plan,
    next: (reads) => {
      const read = reads.ranges[0] ?? [];
      const stored = isDescending(operation) ? read.toReversed() : read;
      const answer = shapeRange(listed, stored, currentVersion);
      for (const { modRevision } of answer.kvs) assertOnTime(modRevision, revision);
      if (!isCounted) return done(revision, answer);
      const count = reads.counts?.[0];
      assert(count !== undefined, 'what was planned to be counted is counted');
      return done(revision, { ...answer, count });
    },
  };
}

function singleQuery(operation: RangeOperation, key: string, revision: number): Query<RangeResult> {
  const recordKey = currentKey(key);
  return {
    done: false,
    plan: { keys: [recordKey], ranges: [] },
    next: ({ records: [bytes] }) => {
      const stored: StoredRecord[] = bytes === undefined ? [] : [[recordKey, bytes]];
      const answer = shapeRange(operation, stored, currentVersion);
      if (answer.kvs[0] !== undefined) assertOnTime(answer.kvs[0].modRevision, revision);
      return done(revision, answer);
    },
  };
}

function done(revision: number, answer: RangeAnswer): QueryDone<RangeResult> {
  return { done: true, result: { op: 'range', revision, ...answer } };
}

function assertOnTime(modRevision: number, revision: number): void {
  assert(
    modRevision <= revision,
    `read at revision ${revision} saw ${modRevision}: plan read late`,
  );
}
