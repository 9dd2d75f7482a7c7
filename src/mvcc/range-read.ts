/**
 * How a range operation is planned and answered, at the latest revision and at an older one.
 *
 * At revision R a key's version is its current one if that was written at or before R. Otherwise it
 * is the newest closed version written at or before R, if it ended after R; its bytes are in
 * history, so an old read takes a second fetch.
 */
import { replaceAdvice } from '../base/advice.js';
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import type { RangeRead, StoredRecord } from './backend.js';
import { isDescending, matchesNeeded, matchesShown } from './range-shape.js';
import type { ReadPlanDraft, ReadView } from './read-view.js';
import { decodeClosed, decodeCurrent, decodeEnded } from './record.js';
import {
  type ChangePosition,
  closedRange,
  currentKey,
  currentRange,
  historyKey,
  newestClosed,
  parseClosedKey,
  unescapeKey,
} from './record-keys.js';
import { singleKey } from './selection.js';
import type { KeySelection, KeyVersion, RangeOperation } from './types.js';

/** A range operation at an older revision. @since 0.1.0 */
export type OldRangeOperation = RangeOperation & { readonly revision: number };

/** A version found at an old revision: at hand, or its history record's key. @since 0.1.0 */
export interface FoundVersion {
  readonly key: BinaryString;
  readonly version?: KeyVersion;
  readonly recordKey?: BinaryString;
}

/**
 * Whether the operation names a revision, and so is answered from history.
 *
 * @since 0.1.0
 */
export function isOldRange(operation: RangeOperation): operation is OldRangeOperation {
  return operation.revision !== undefined;
}

/**
 * Adds what a range operation reads first.
 *
 * @param operation - the operation
 * @param plan - is added to
 * @since 0.1.0
 */
export function planRange(operation: RangeOperation, plan: ReadPlanDraft): void {
  const { keys } = operation;
  const single = singleKey(keys);
  if (single !== undefined) plan.keys.push(currentKey(single));
  if (isOldRange(operation)) {
    if (single !== undefined) plan.ranges.push(newestClosed(single, operation.revision));
    else plan.ranges.push(currentRange(keys), closedRange(keys));
  } else if (single === undefined) {
    plan.ranges.push(latestRange(operation));
  }
}

/**
 * How many ranges {@link planRange} plans.
 *
 * @since 0.1.0
 */
export function rangesOfRange(operation: RangeOperation): number {
  const single = singleKey(operation.keys) !== undefined;
  if (isOldRange(operation)) return single ? 1 : 2;
  return single ? 0 : 1;
}

/**
 * Current records of the selected keys, in key order.
 *
 * @param keys - the selection
 * @param view - holds the answers
 * @param rangeAt - place of the selection's range in the plan, when it is not a single key
 * @since 0.1.0
 */
export function storedCurrent(
  keys: KeySelection,
  view: ReadView,
  rangeAt: number,
): readonly StoredRecord[] {
  const single = singleKey(keys);
  if (single === undefined) return view.range(rangeAt);
  const recordKey = currentKey(single);
  const bytes = view.record(recordKey);
  return bytes === undefined ? [] : [[recordKey, bytes]];
}

/**
 * Current records of the keys that a range selects, ascending, however they were read.
 *
 * @param operation - at the latest revision
 * @param view - holds the answers
 * @param rangeAt - place of the operation's range in the plan
 * @since 0.1.0
 */
export function storedAscending(
  operation: RangeOperation,
  view: ReadView,
  rangeAt: number,
): readonly StoredRecord[] {
  const records = storedCurrent(operation.keys, view, rangeAt);
  return isDescending(operation) ? records.toReversed() : records;
}

/**
 * The versions of the selected keys at the operation's revision, in key order.
 *
 * @param operation - at a revision that is neither compacted nor in the future
 * @param view - holds the answers to the first plan
 * @param rangeAt - place of the operation's first range in the plan
 * @since 0.1.0
 */
export function findVersions(
  operation: OldRangeOperation,
  view: ReadView,
  rangeAt: number,
): FoundVersion[] {
  const current = storedCurrent(operation.keys, view, rangeAt);
  const closed = view.range(rangeAt + rangesOfRange(operation) - 1);
  return findAmong(current, closed, operation.revision);
}

/**
 * The versions at a revision among records that cover some keys whole, in key order.
 *
 * @param current - current records
 * @param closed - records of closed versions, at least the newest at the revision of each key
 * @param revision - neither compacted nor in the future
 * @since 0.1.0
 */
export function findAmong(
  current: readonly StoredRecord[],
  closed: readonly StoredRecord[],
  revision: number,
): FoundVersion[] {
  const found: FoundVersion[] = [];
  for (const [recordKey, bytes] of current) {
    const { version } = decodeCurrent(recordKey, bytes);
    if (version.modRevision <= revision) found.push({ key: version.key, version });
  }
  findClosed(closed, revision, found);
  // A key is in one of the two lists only: an older version ended where the current one began.
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * The history records that the answer needs beside what is at hand.
 *
 * @param operation - the operation
 * @param found - all versions, or as many as `matchesNeeded`
 * @since 0.1.0
 */
export function missingRecords(
  operation: RangeOperation,
  found: readonly FoundVersion[],
): BinaryString[] {
  const missing: BinaryString[] = [];
  for (const { recordKey } of matchesShown(operation, found)) {
    if (recordKey !== undefined) missing.push(recordKey);
  }
  return missing;
}

/**
 * The version found, decoded from its history record unless it is at hand.
 *
 * @throws {KontikiError} STATE_CORRUPT, when a readable revision has lost its record
 * @since 0.1.0
 */
export function foundVersion(found: FoundVersion, view: ReadView): KeyVersion {
  if (found.version !== undefined) return found.version;
  const recordKey = found.recordKey as BinaryString;
  const bytes = view.record(recordKey);
  if (bytes === undefined) throw lostRecord(recordKey);
  return decodeEnded(recordKey, bytes).version;
}

/**
 * Decodes a current record to its version.
 *
 * @since 0.1.0
 */
export function currentVersion([recordKey, bytes]: StoredRecord): KeyVersion {
  return decodeCurrent(recordKey, bytes).version;
}

/**
 * The error for a history record that another record points to and that is not there.
 *
 * @since 0.1.0
 */
export function lostRecord(recordKey: BinaryString) {
  return kontikiError(
    'STATE_CORRUPT',
    `stored record ${JSON.stringify(recordKey)} is missing though another one points to it; ` +
      replaceAdvice,
  );
}

/** With a limit, no more is read than decides the answer, from the end where it begins. */
function latestRange(operation: RangeOperation): RangeRead {
  const range = currentRange(operation.keys);
  const needed = matchesNeeded(operation);
  const reverse = isDescending(operation);
  if (needed === undefined) return reverse ? { ...range, reverse } : range;
  return reverse ? { ...range, limit: needed, reverse } : { ...range, limit: needed };
}

/** Records come by key, then by revision, so a key's last one not after R is its newest. */
function findClosed(
  records: readonly StoredRecord[],
  revision: number,
  found: FoundVersion[],
): void {
  let candidate: { record: StoredRecord; at: ReturnType<typeof parseClosedKey> } | undefined;
  const settle = (): void => {
    if (candidate === undefined) return;
    const { record, at } = candidate;
    if (decodeClosed(...record) > revision) {
      found.push({ key: unescapeKey(at.escapedKey), recordKey: historyKey(at as ChangePosition) });
    }
  };
  for (const record of records) {
    const at = parseClosedKey(record[0]);
    if (at.revision > revision) continue;
    if (candidate !== undefined && candidate.at.escapedKey !== at.escapedKey) settle();
    candidate = { record, at };
  }
  settle();
}
