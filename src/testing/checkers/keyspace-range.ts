/** What a range answers, and what a compare says: questions about one content of the keyspace. */
import { compareBytes } from '../../base/bytes.js';
import type { Compare, KeyVersion, RangeOperation, RangeResult } from '../../mvcc/types.js';
import type { KeyspaceContent } from './keyspace-state.js';

const noValue = new Uint8Array(0);

/**
 * The pairs of a range.
 *
 * @param operation - its `revision` has chosen the content already
 * @param content - what is looked at
 * @since 0.1.0
 */
export function rangeOf(
  operation: RangeOperation,
  content: KeyspaceContent,
): Pick<RangeResult, 'kvs' | 'more' | 'count'> {
  const { keys, limit = Infinity } = operation;
  const selected = content.range(keys.gte, keys.lt);
  const count = selected.length;
  if (operation.countOnly === true) return { kvs: [], more: false, count };
  const matches = inOrder(selected.filter(withinBounds(operation)), operation);
  const shown = matches.slice(0, limit);
  const kvs = operation.keysOnly === true ? shown.map((kv) => ({ ...kv, value: noValue })) : shown;
  const more = matches.length > kvs.length;
  return operation.count === true ? { kvs, more, count } : { kvs, more };
}

/**
 * Whether a compare holds for everything it selects, or for a key that was never written when it
 * selects nothing.
 *
 * @param compare - the condition
 * @param content - what is looked at
 * @since 0.1.0
 */
export function holds(compare: Compare, content: KeyspaceContent): boolean {
  const selected: (KeyVersion | undefined)[] = content.range(compare.keys.gte, compare.keys.lt);
  if (selected.length === 0) selected.push(undefined);
  return selected.every((kv) => {
    const order = orderOf(compare, kv);
    if (order === undefined) return false;
    if (compare.result === 'equal') return order === 0;
    if (compare.result === 'not-equal') return order !== 0;
    return compare.result === 'greater' ? order > 0 : order < 0;
  });
}

/** Of the field and the operand; `undefined` when they cannot be compared. */
function orderOf(compare: Compare, kv: KeyVersion | undefined): number | undefined {
  if (compare.target === 'value') {
    return kv === undefined ? undefined : compareBytes(kv.value, compare.operand);
  }
  const field = {
    version: kv?.version ?? 0,
    'create-revision': kv?.createRevision ?? 0,
    'mod-revision': kv?.modRevision ?? 0,
    lease: kv?.lease ?? 0n,
  }[compare.target];
  return ascending(field, compare.operand);
}

function withinBounds(operation: RangeOperation): (kv: KeyVersion) => boolean {
  const { minModRevision = 0, maxModRevision = Infinity } = operation;
  const { minCreateRevision = 0, maxCreateRevision = Infinity } = operation;
  return ({ modRevision: mod, createRevision: create }) =>
    mod >= minModRevision &&
    mod <= maxModRevision &&
    create >= minCreateRevision &&
    create <= maxCreateRevision;
}

/** Sorting is stable: what is equal stays in the order of the keys. */
function inOrder(kvs: KeyVersion[], { sort }: RangeOperation): KeyVersion[] {
  if (sort === undefined) return kvs;
  const orders: Record<typeof sort.target, (a: KeyVersion, b: KeyVersion) => number> = {
    key: (a, b) => ascending(a.key, b.key),
    value: (a, b) => compareBytes(a.value, b.value),
    version: (a, b) => a.version - b.version,
    'create-revision': (a, b) => a.createRevision - b.createRevision,
    'mod-revision': (a, b) => a.modRevision - b.modRevision,
  };
  const order = orders[sort.target];
  return kvs.sort(sort.order === 'ascend' ? order : (a, b) => order(b, a));
}

function ascending<T extends bigint | number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
