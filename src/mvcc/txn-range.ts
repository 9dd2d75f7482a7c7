/**
 * Ranges of a transaction, read when their step runs: by then it is known which keys were deleted
 * before them, so a limit reads no more than it needs.
 */
import type { RangeRead, ReadSet, StoredRecord } from './backend.js';
import { startOldRangeQuery } from './old-range-query.js';
import type { OldRangeOperation } from './range-read.js';
import { isDescending, matchesNeeded, type RangeAnswer, storedShown } from './range-shape.js';
import { type RangeSlice, restOf, type Steps } from './range-slices.js';
import type { ReadableRevisions } from './readable-revisions.js';
import { currentKey, currentRange, keyOfCurrent } from './record-keys.js';
import type { RevisionDraft } from './revision-draft.js';
import type { KeySelection, RangeOperation } from './types.js';

const noValue = new Uint8Array(0);

/**
 * Stored records of the keys that a range selects and the draft has not changed, ascending: all, or as
 * many as decide the answer. Of those that only count, the values are left out.
 *
 * @param operation - at the latest revision, of more than a single key
 * @param slice - how much to read at a time
 * @param draft - what the transaction did before
 * @since 0.1.0
 */
export function* readUnchanged(
  operation: RangeOperation,
  slice: RangeSlice,
  draft: RevisionDraft,
): Steps<readonly StoredRecord[]> {
  const needed = matchesNeeded(operation) ?? Infinity;
  const shown = storedShown(operation);
  const reverse = isDescending(operation);
  const found: StoredRecord[] = [];
  const { limit, bytesMax } = slice;
  const first = { limit: Math.min(limit, needed), bytesMax, reverse };
  let rest: RangeRead | undefined = { ...currentRange(operation.keys), ...first };
  while (rest !== undefined && found.length < needed) {
    const {
      ranges: [records = []],
    }: ReadSet = yield { keys: [], ranges: [rest] };
    const before = found.length;
    for (const record of records) {
      if (draft.isOwn(keyOfCurrent(record[0]))) continue;
      found.push(found.length < shown ? record : [record[0], noValue]);
    }
    // Nothing that is stored there is left: the next range need not walk over it again.
    if (found.length === before) noteEmpty(rest, records, draft);
    rest = behindDeleted(rest, records, draft);
    // Much of what was read did not count, so the next read looks further.
    if (rest !== undefined) rest = { ...rest, limit: Math.min(limit, 2 * (rest.limit ?? limit)) };
  }
  return reverse ? found.reverse() : found;
}

/**
 * The answer of a range at an older revision. What the transaction has done does not show there.
 *
 * @param operation - at a revision that can be read
 * @param state - the ends of what can be read
 * @since 0.1.0
 */
export function* readOld(
  operation: OldRangeOperation,
  state: ReadableRevisions,
): Steps<RangeAnswer> {
  let query = startOldRangeQuery(operation, state);
  while (!query.done) query = query.next(yield query.plan);
  return query.result;
}

function noteEmpty(range: RangeRead, records: readonly StoredRecord[], draft: RevisionDraft): void {
  const last = records.at(-1);
  if (records.length < 2 || last === undefined) return;
  const end = keyOfCurrent(last[0]);
  const { lt: all } = currentRange({ gte: '' });
  if (range.reverse !== true) draft.deletedAll({ gte: keyOfCurrent(range.gte), lt: `${end}\0` });
  else draft.deletedAll({ gte: end, lt: range.lt === all ? undefined : keyOfCurrent(range.lt) });
}

/** What is left to read, without the deleted range in which the last record lies. */
function behindDeleted(
  range: RangeRead,
  records: readonly StoredRecord[],
  draft: RevisionDraft,
): RangeRead | undefined {
  const rest = restOf(range, records);
  const last = records.at(-1);
  if (rest === undefined || last === undefined) return rest;
  const deleted: KeySelection | undefined = draft.deletedAround(keyOfCurrent(last[0]));
  if (deleted === undefined) return rest;
  if (rest.reverse === true) return { ...rest, lt: currentKey(deleted.gte) };
  return deleted.lt === undefined ? undefined : { ...rest, gte: currentKey(deleted.lt) };
}
