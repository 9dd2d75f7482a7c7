/** What callers say about a range, as an operation of the keyspace. */
import type { RangeOperation, RangeSort, SortTarget } from '../mvcc/types.js';
import {
  checkBoolean,
  checkOneOf,
  checkPositive,
  keyRangeNames,
  toSelection,
} from './arguments.js';
import type { RangeOrderOptions, RangeQueryOptions } from './kv-client.js';

const boundNames = [
  'minModRevision',
  'maxModRevision',
  'minCreateRevision',
  'maxCreateRevision',
] as const;

/** Names of the options that say what a range answers with. @since 0.1.0 */
export const rangeQueryNames = [
  ...keyRangeNames,
  'revision',
  'limit',
  'count',
  'countOnly',
  'keysOnly',
  'sortBy',
  'order',
  ...boundNames,
] as const;

const targets: Readonly<Record<NonNullable<RangeOrderOptions['sortBy']>, SortTarget>> = {
  key: 'key',
  version: 'version',
  createRevision: 'create-revision',
  modRevision: 'mod-revision',
  value: 'value',
};

/**
 * The operation that the options order; names are checked by the caller.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toRange(options: RangeQueryOptions): RangeOperation {
  const { limit, count, revision, countOnly, keysOnly } = options;
  checkPositive(limit, 'limit');
  checkPositive(revision, 'revision');
  checkBoolean(count, 'count');
  checkBoolean(countOnly, 'countOnly');
  checkBoolean(keysOnly, 'keysOnly');
  for (const name of boundNames) checkPositive(options[name], name);
  const sort = toSort(options);
  const plain: RangeOperation = { op: 'range', keys: toSelection(options), limit, count, revision };
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = options;
  const bounds = { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision };
  return { ...plain, countOnly, keysOnly, sort, ...bounds };
}

function toSort({ sortBy, order }: RangeOrderOptions): RangeSort | undefined {
  checkOneOf(sortBy, Object.keys(targets), 'sortBy');
  checkOneOf(order, ['ascend', 'descend'], 'order');
  if (sortBy === undefined && order === undefined) return undefined;
  return { target: targets[sortBy ?? 'key'], order: order ?? 'ascend' };
}
