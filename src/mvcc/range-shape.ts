/**
 * From the keys that a range selects to its answer: bounds of revisions, order, limit. What needs no
 * look into the versions (a limit by key order, a count) is done without one.
 */
import { unreachable } from '../base/assert.js';
import { compareBytes } from '../base/bytes.js';
import type { KeyVersion, RangeOperation, RangeResult, SortTarget } from './types.js';

/** The part of a result that does not depend on when the read ran. @since 0.1.0 */
export type RangeAnswer = Pick<RangeResult, 'kvs' | 'more' | 'count'>;

const noValue = new Uint8Array(0);

/**
 * Whether the versions of all matches must be seen before any can be left out.
 *
 * @since 0.1.0
 */
export function needsAll({ sort, ...bounds }: RangeOperation): boolean {
  if (sort !== undefined && sort.target !== 'key') return true;
  return (
    bounds.minModRevision !== undefined ||
    bounds.maxModRevision !== undefined ||
    bounds.minCreateRevision !== undefined ||
    bounds.maxCreateRevision !== undefined
  );
}

/**
 * Whether the answer is from the high end of the keys down.
 *
 * @since 0.1.0
 */
export function isDescending({ sort }: RangeOperation): boolean {
  return sort !== undefined && sort.target === 'key' && sort.order === 'descend';
}

/**
 * How many matches, at the end where the answer begins, decide it: one more than the limit.
 * `undefined`: all of them.
 *
 * @since 0.1.0
 */
export function matchesNeeded(operation: RangeOperation): number | undefined {
  const { limit, count, countOnly } = operation;
  // Planning comes before checking: a limit that is none is refused at execution.
  if (limit === undefined || !Number.isSafeInteger(limit) || limit < 1) return undefined;
  return count === true || countOnly === true || needsAll(operation) ? undefined : limit + 1;
}

/**
 * Whether keys count that the answer need not look at: then it need not read them either.
 *
 * @since 0.1.0
 */
export function countsUnread(operation: RangeOperation): boolean {
  const { limit, count, countOnly } = operation;
  if (countOnly === true) return true;
  return count === true && limit !== undefined && !needsAll(operation);
}

/**
 * The matches whose versions the answer shows or depends on.
 *
 * @param matches - in ascending key order
 * @since 0.1.0
 */
export function matchesShown<T>(operation: RangeOperation, matches: readonly T[]): readonly T[] {
  const { limit = matches.length, countOnly } = operation;
  if (countOnly === true) return [];
  if (needsAll(operation) || matches.length <= limit) return matches;
  return isDescending(operation) ? matches.slice(matches.length - limit) : matches.slice(0, limit);
}

/**
 * How many matches, at the end where the answer begins, may be shown or looked into: behind those a key
 * does. Others may be put between them.
 *
 * @since 0.1.0
 */
export function storedShown(operation: RangeOperation): number {
  if (operation.countOnly === true) return 0;
  return needsAll(operation) ? Infinity : (operation.limit ?? Infinity);
}

/**
 * The answer of a range.
 *
 * @param operation - the operation
 * @param matches - the selected keys in ascending order, all or as many as {@link matchesNeeded}
 * @param versionOf - looks into a match; asked of {@link matchesShown} only
 * @since 0.1.0
 */
export function shapeRange<T>(
  operation: RangeOperation,
  matches: readonly T[],
  versionOf: (match: T) => KeyVersion,
): RangeAnswer {
  const { limit, countOnly } = operation;
  if (countOnly === true) return { kvs: [], more: false, count: matches.length };
  let kvs = matchesShown(operation, matches).map(versionOf);
  let more = matches.length > kvs.length;
  if (needsAll(operation)) {
    kvs = sorted(operation, within(operation, kvs));
    more = limit !== undefined && kvs.length > limit;
    if (more) kvs = kvs.slice(0, limit);
  } else if (isDescending(operation)) {
    kvs.reverse();
  }
  if (operation.keysOnly === true) kvs = kvs.map(withoutValue);
  return operation.count === true ? { kvs, more, count: matches.length } : { kvs, more };
}

function within(operation: RangeOperation, kvs: KeyVersion[]): KeyVersion[] {
  const { minModRevision = 0, maxModRevision = Infinity } = operation;
  const { minCreateRevision = 0, maxCreateRevision = Infinity } = operation;
  return kvs.filter(({ modRevision, createRevision }) => {
    if (modRevision < minModRevision || modRevision > maxModRevision) return false;
    return createRevision >= minCreateRevision && createRevision <= maxCreateRevision;
  });
}

/** Sorting is stable, and what comes in is in key order: so ties are, in both directions. */
function sorted({ sort }: RangeOperation, kvs: KeyVersion[]): KeyVersion[] {
  if (sort === undefined) return kvs;
  const { target, order } = sort;
  if (target === 'key') return order === 'descend' ? kvs.reverse() : kvs;
  const sign = order === 'descend' ? -1 : 1;
  return kvs.sort((a, b) => sign * compareBy(target, a, b));
}

function compareBy(target: Exclude<SortTarget, 'key'>, a: KeyVersion, b: KeyVersion): number {
  switch (target) {
    case 'version':
      return a.version - b.version;
    case 'create-revision':
      return a.createRevision - b.createRevision;
    case 'mod-revision':
      return a.modRevision - b.modRevision;
    case 'value':
      return compareBytes(a.value, b.value);
    default:
      return unreachable(target);
  }
}

function withoutValue(kv: KeyVersion): KeyVersion {
  const { key, createRevision, modRevision, version, lease } = kv;
  return { key, value: noValue, createRevision, modRevision, version, lease };
}
