/**
 * What a transaction can do and compare: the namespaces `op` and `cmp`.
 */
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { selectKey } from '../mvcc/selection.js';
import type { Compare, CompareResult, Operation } from '../mvcc/types.js';
import {
  checkBoolean,
  checkOptions,
  checkPositive,
  keyRangeNames,
  toKey,
  toSelection,
  toTarget,
  toValue,
} from './arguments.js';
import type { Bytes, RangeOptions, WatchTarget } from './kv-client.js';

/** One step of a transaction. Made by {@link op}. @since 0.1.0 */
export interface TxnOperation {
  readonly kind: 'put' | 'delete' | 'get' | 'range';
  readonly operation: Operation;
}

/**
 * Operations of a transaction.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID: from each of them, at once
 * @since 0.1.0
 * @example store.txn().do(op.put('a', '1'), op.get('b')).commit();
 */
export const op = {
  put(key: Bytes, value: Bytes): TxnOperation {
    return { kind: 'put', operation: { op: 'put', key: toKey(key), value: toValue(value) } };
  },
  delete(target: WatchTarget): TxnOperation {
    return { kind: 'delete', operation: { op: 'delete', keys: toTarget(target) } };
  },
  get(key: Bytes): TxnOperation {
    return { kind: 'get', operation: { op: 'range', keys: selectKey(toKey(key)) } };
  },
  range(options: Pick<RangeOptions, 'prefix' | 'from' | 'to' | 'limit' | 'count'>): TxnOperation {
    checkOptions(options, [...keyRangeNames, 'limit', 'count'], 'range');
    checkPositive(options.limit, 'limit');
    checkBoolean(options.count, 'count');
    const { limit, count } = options;
    return {
      kind: 'range',
      operation: { op: 'range', keys: toSelection(options), limit, count },
    };
  },
} as const;

/** The four relations of a compare. @since 0.1.0 */
export interface Relations<T> {
  /** Equal. */
  eq(operand: T): Compare;
  /** Not equal. */
  ne(operand: T): Compare;
  /** Greater than the operand. */
  gt(operand: T): Compare;
  /** Less than the operand. */
  lt(operand: T): Compare;
}

/** What of a key can be compared. @since 0.1.0 */
export interface Comparisons {
  version(key: Bytes): Relations<number>;
  createRevision(key: Bytes): Relations<number>;
  modRevision(key: Bytes): Relations<number>;
  value(key: Bytes): Relations<Bytes>;
  lease(key: Bytes): Relations<bigint>;
}

/**
 * Conditions of a transaction, on the state before it. A missing key has version, create and mod
 * revision 0 and lease 0; no value compare of a missing key holds.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID: from each of them, at once
 * @since 0.1.0
 * @example store.txn().if(cmp.modRevision('a').eq(7)).do(op.put('a', '2')).commit();
 */
export const cmp: Comparisons = {
  version: (key) => numeric('version', key),
  createRevision: (key) => numeric('create-revision', key),
  modRevision: (key) => numeric('mod-revision', key),
  value(key) {
    const name = toKey(key);
    return relations((result, operand) => {
      return { key: name, result, target: 'value', operand: toValue(operand) };
    });
  },
  lease(key) {
    const name = toKey(key);
    return relations((result, operand) => {
      if (typeof operand !== 'bigint' || BigInt.asIntN(64, operand) !== operand) {
        throw operandInvalid('a signed 64-bit bigint', operand);
      }
      return { key: name, result, target: 'lease', operand };
    });
  },
};

function numeric(
  target: 'version' | 'create-revision' | 'mod-revision',
  key: Bytes,
): Relations<number> {
  const name: BinaryString = toKey(key);
  return relations((result, operand) => {
    if (!Number.isSafeInteger(operand) || operand < 0) {
      throw operandInvalid('an integer of at least 0', operand);
    }
    return { key: name, result, target, operand };
  });
}

function relations<T>(make: (result: CompareResult, operand: T) => Compare): Relations<T> {
  return {
    eq: (operand) => make('equal', operand),
    ne: (operand) => make('not-equal', operand),
    gt: (operand) => make('greater', operand),
    lt: (operand) => make('less', operand),
  };
}

function operandInvalid(expected: string, got: unknown) {
  const message = `store: expected the compare's operand to be ${expected}, got ${String(got)}`;
  return kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}
