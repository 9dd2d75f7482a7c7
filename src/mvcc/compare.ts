/** Evaluates the conditions of a transaction on the state before it. */
import { unreachable } from '../base/assert.js';
import { compareBytes } from '../base/bytes.js';
import type { StoredRecord } from './backend.js';
import { decodeCurrent } from './record.js';
import type { Compare, CompareResult, KeyVersion } from './types.js';

/**
 * Whether a condition holds for all selected keys. None at all count as one key that is missing
 * (etcd: txn/txn.go, applyCompare).
 *
 * @param compare - the condition
 * @param records - current records of the keys it selects
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function compareHolds(compare: Compare, records: readonly StoredRecord[]): boolean {
  if (records.length === 0) return holdsFor(compare, undefined);
  return records.every((record) => holdsFor(compare, decodeCurrent(...record).version));
}

/** A missing key counts as all zeros, and makes every compare of the value false. */
function holdsFor(compare: Compare, current: KeyVersion | undefined): boolean {
  switch (compare.target) {
    case 'version':
      return relates(sign(current?.version ?? 0, compare.operand), compare.result);
    case 'create-revision':
      return relates(sign(current?.createRevision ?? 0, compare.operand), compare.result);
    case 'mod-revision':
      return relates(sign(current?.modRevision ?? 0, compare.operand), compare.result);
    case 'lease':
      return relates(sign(current?.lease ?? 0n, compare.operand), compare.result);
    case 'value':
      if (current === undefined) return false;
      return relates(compareBytes(current.value, compare.operand), compare.result);
    default:
      return unreachable(compare);
  }
}

function sign<T extends number | bigint>(field: T, operand: T): number {
  if (field === operand) return 0;
  return field < operand ? -1 : 1;
}

function relates(order: number, result: CompareResult): boolean {
  switch (result) {
    case 'equal':
      return order === 0;
    case 'not-equal':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
    default:
      return unreachable(result);
  }
}
