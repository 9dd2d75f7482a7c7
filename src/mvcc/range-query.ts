/**
 * Reads outside the log: a range operation as a {@link Query}. One key at the latest revision is a
 * single record, so that it can be served without waiting when it is in memory.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import type { Query, QueryDone } from './query.js';
import {
  answerRange,
  currentVersion,
  findVersions,
  foundVersion,
  isOldRange,
  missingRecords,
  type OldRangeOperation,
  planRange,
  type RangeAnswer,
} from './range-read.js';
import { emptyPlan, FetchedView } from './read-view.js';
import { decodeCurrent } from './record.js';
import { currentKey } from './record-keys.js';
import { singleKey } from './selection.js';
import type { RangeOperation, RangeResult } from './types.js';

/** The two ends of what can be read, as of now. @since 0.1.0 */
export interface ReadableRevisions {
  readonly revision: number;
  readonly compactRevision: number;
}

/**
 * Why `revision` cannot be read; `undefined` when it can.
 *
 * @since 0.1.0
 */
export function revisionFault(readable: ReadableRevisions, revision: number) {
  const { compactRevision } = readable;
  if (revision > readable.revision) {
    return kontikiError(
      'FUTURE_REVISION',
      `revision ${revision} is not there yet, the newest is ${readable.revision}`,
      { revision: readable.revision, outcome: 'rejected' },
    );
  }
  if (revision >= compactRevision) return undefined;
  return kontikiError(
    'COMPACTED',
    `revision ${revision} is compacted, the oldest readable is ${compactRevision}`,
    { compactRevision, outcome: 'rejected' },
  );
}

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
  if (isOldRange(operation)) return oldRangeQuery(operation, readable);
  const single = singleKey(operation.keys);
  if (single !== undefined) return singleQuery(operation, single, readable.revision);
  const { revision } = readable;
  const plan = emptyPlan();
  planRange(operation, plan, 0);
  return {
    done: false,
    plan,
    next: (reads) => {
      const answer = answerRange(operation, reads.ranges[0] ?? [], currentVersion);
      for (const { modRevision } of answer.kvs) assertOnTime(modRevision, revision);
      return done(revision, answer);
    },
  };
}

function singleQuery(operation: RangeOperation, key: string, revision: number): Query<RangeResult> {
  const recordKey = currentKey(key);
  return {
    done: false,
    plan: { keys: [recordKey], ranges: [] },
    next: ({ records: [bytes] }) => {
      const kvs = bytes === undefined ? [] : [decodeCurrent(recordKey, bytes).version];
      if (kvs[0] !== undefined) assertOnTime(kvs[0].modRevision, revision);
      const answer = { kvs, more: false };
      return done(revision, operation.count ? { ...answer, count: kvs.length } : answer);
    },
  };
}

function oldRangeQuery(
  operation: OldRangeOperation,
  readable: ReadableRevisions,
): Query<RangeResult> {
  const check = (): void => {
    const fault = revisionFault(readable, operation.revision);
    if (fault !== undefined) throw fault;
  };
  check();
  const { revision } = readable;
  const plan = emptyPlan();
  planRange(operation, plan, 0);
  return {
    done: false,
    plan,
    next: (reads) => {
      check();
      const view = new FetchedView();
      view.add(plan, reads);
      const found = findVersions(operation, view, 0);
      const answer = () => {
        return done(
          revision,
          answerRange(operation, found, (it) => foundVersion(it, view)),
        );
      };
      const history = { keys: missingRecords(operation, found), ranges: [] };
      if (history.keys.length === 0) return answer();
      return {
        done: false,
        plan: history,
        next: (more) => {
          // A compaction between the fetches may have taken the records away.
          check();
          view.add(history, more);
          return answer();
        },
      };
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
