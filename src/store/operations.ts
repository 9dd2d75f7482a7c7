/**
 * What a transaction can do and compare: the namespaces `op` and `cmp`.
 */
import { kontikiError } from '../base/errors.js';
import { selectKey } from '../mvcc/selection.js';
import type { Compare, CompareResult, Operation } from '../mvcc/types.js';
import {
  checkBoolean,
  checkLeaseId,
  checkOptions,
  checkPositive,
  toKey,
  toTarget,
  toValue,
} from './arguments.js';
import type { Bytes, PutKeepOptions, RangeQueryOptions, WatchTarget } from './kv-client.js';
import { rangeQueryNames, toRange } from './range-request.js';

/** One step of a transaction. Made by {@link op}. @since 0.1.0 */
export interface TxnOperation {
  readonly kind: 'put' | 'delete' | 'get' | 'range' | 'txn';
  readonly operation: Operation;
  /** The branches of a transaction inside the transaction. */
  readonly inner?: {
    readonly success: readonly TxnOperation[];
    readonly failure: readonly TxnOperation[];
  };
}

/** A transaction inside a transaction: compares, and what to do if they all hold, or else. @since 0.1.0 */
export interface InnerTxn {
  readonly if?: readonly Compare[] | undefined;
  readonly do?: readonly TxnOperation[] | undefined;
  readonly else?: readonly TxnOperation[] | undefined;
}

/**
 * Operations of a transaction.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID: from each of them, at once
 * @since 0.1.0
 * @example store.txn().do(op.put('a', '1'), op.get('b')).commit();
 */
export const op = {
  put(key: Bytes, value: Bytes, options: PutKeepOptions = {}): TxnOperation {
    checkOptions(options, putKeepNames, 'put');
    return { kind: 'put', operation: toPut(key, value, options) };
  },
  delete(target: WatchTarget, options: { readonly previous?: boolean } = {}): TxnOperation {
    checkOptions(options, ['previous'], 'delete');
    return { kind: 'delete', operation: toDelete(target, options) };
  },
  get(key: Bytes, options: { readonly revision?: number | undefined } = {}): TxnOperation {
    const keys = selectKey(toKey(key));
    checkOptions(options, ['revision'], 'get');
    const { revision } = options;
    checkPositive(revision, 'revision');
    return { kind: 'get', operation: { op: 'range', keys, revision } };
  },
  range(options: RangeQueryOptions): TxnOperation {
    checkOptions(options, rangeQueryNames, 'range');
    return { kind: 'range', operation: toRange(options) };
  },
  /** Its compares, too, are of the state before the whole transaction. */
  txn(inner: InnerTxn): TxnOperation {
    checkOptions(inner, ['if', 'do', 'else'], 'txn');
    const { if: compares = [], do: success = [], else: failure = [] } = inner;
    checkMade(compares, 'target', 'compares, made with cmp');
    checkMade(success, 'operation', 'operations, made with op');
    checkMade(failure, 'operation', 'operations, made with op');
    const branches = { success: success.map(operationOf), failure: failure.map(operationOf) };
    return {
      kind: 'txn',
      operation: { op: 'txn', compares: [...compares], ...branches },
      inner: { success: [...success], failure: [...failure] },
    };
  },
} as const;

/** Names of {@link PutKeepOptions}. @since 0.1.0 */
export const putKeepNames = ['lease', 'ignoreValue', 'ignoreLease', 'previous'] as const;

/**
 * A put as an operation of the keyspace.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toPut(key: Bytes, value: Bytes, options: PutKeepOptions) {
  const { lease, ignoreValue, ignoreLease, previous } = options;
  checkLeaseId(lease);
  checkBoolean(ignoreValue, 'ignoreValue');
  checkBoolean(ignoreLease, 'ignoreLease');
  checkBoolean(previous, 'previous');
  const plain = { op: 'put', key: toKey(key), value: toValue(value) } as const;
  const put = lease === undefined ? plain : { ...plain, lease };
  // The common put stays small: it is copied on its way down.
  const isPlain = ignoreValue !== true && ignoreLease !== true && previous !== true;
  return isPlain ? put : { ...put, ignoreValue, ignoreLease, previous };
}

/**
 * A delete as an operation of the keyspace.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toDelete(
  target: WatchTarget,
  { previous }: { readonly previous?: boolean | undefined },
) {
  checkBoolean(previous, 'previous');
  const remove = { op: 'delete', keys: toTarget(target) } as const;
  return previous === true ? { ...remove, previous } : remove;
}

/**
 * The operation of a step.
 *
 * @since 0.1.0
 */
export function operationOf({ operation }: TxnOperation): Operation {
  return operation;
}

/**
 * Refuses a list of anything but what `cmp` or `op` made.
 *
 * @param items - what came
 * @param field - that each of them must have
 * @param expected - for the message
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkMade(items: readonly unknown[], field: string, expected: string): void {
  if (!Array.isArray(items)) throw notMade(expected, items);
  for (const item of items) {
    if (typeof item !== 'object' || item === null || !(field in item)) {
      throw notMade(expected, item);
    }
  }
}

function notMade(expected: string, got: unknown) {
  const message = `store: expected ${expected}, got ${typeof got}`;
  return kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}

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

/** What of a key, or of each key of a range, can be compared. @since 0.1.0 */
export interface Comparisons {
  version(target: WatchTarget): Relations<number>;
  createRevision(target: WatchTarget): Relations<number>;
  modRevision(target: WatchTarget): Relations<number>;
  value(target: WatchTarget): Relations<Bytes>;
  lease(target: WatchTarget): Relations<bigint>;
}

/**
 * Conditions of a transaction, on the state before it. A missing key has version, create and mod
 * revision 0 and lease 0; no value compare of a missing key holds. Of a range every key must meet
 * the condition, and an empty range counts as a missing key.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID: from each of them, at once
 * @since 0.1.0
 * @example store.txn().if(cmp.modRevision('a').eq(7)).do(op.put('a', '2')).commit();
 */
export const cmp: Comparisons = {
  version: (target) => numeric('version', target),
  createRevision: (target) => numeric('create-revision', target),
  modRevision: (target) => numeric('mod-revision', target),
  value(target) {
    const keys = toTarget(target);
    return relations((result, operand) => {
      return { keys, result, target: 'value', operand: toValue(operand) };
    });
  },
  lease(target) {
    const keys = toTarget(target);
    return relations((result, operand) => {
      if (typeof operand !== 'bigint' || BigInt.asIntN(64, operand) !== operand) {
        throw operandInvalid('a signed 64-bit bigint', operand);
      }
      return { keys, result, target: 'lease', operand };
    });
  },
};

function numeric(
  field: 'version' | 'create-revision' | 'mod-revision',
  target: WatchTarget,
): Relations<number> {
  const keys = toTarget(target);
  return relations((result, operand) => {
    if (!Number.isSafeInteger(operand) || operand < 0) {
      throw operandInvalid('an integer of at least 0', operand);
    }
    return { keys, result, target: field, operand };
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
