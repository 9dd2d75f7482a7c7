/**
 * The few compares and operations that locks and elections are made of, as the data that a transaction
 * takes. Built here by hand: this folder knows the store by its types alone, so that the recipes run on
 * any `KvClient` and drag no store along.
 */
import { binaryString, prefixEnd, utf8Bytes } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import type { Bytes } from '../store/kv-client.js';
import type { Relations, TxnOperation } from '../store/operations.js';

/** A condition of a transaction, to be given to `txn().if`. @since 0.1.0 */
export type Guard = ReturnType<Relations<number>['eq']>;

/**
 * Holds when all keys of a range were created at this revision; 0: when there is none.
 *
 * @since 0.1.0
 */
export function createdAt(keys: Guard['keys'], revision: number): Guard {
  return { keys, result: 'equal', target: 'create-revision', operand: revision };
}

/**
 * The range that is one key.
 *
 * @since 0.1.0
 */
export function oneKey(key: string): Guard['keys'] {
  const gte = binaryString(key);
  return { gte, lt: `${gte}\0` };
}

/**
 * The range of all keys with a prefix.
 *
 * @since 0.1.0
 */
export function allWith(prefix: string): Guard['keys'] {
  const gte = binaryString(prefix);
  return { gte, lt: prefixEnd(gte) };
}

/**
 * A value as it is put; the caller's array may change afterwards.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function ownValue(value: Bytes): Uint8Array {
  if (typeof value === 'string') return utf8Bytes(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  const message = `expected the value to be a string or a Uint8Array, got ${typeof value}`;
  throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}

/**
 * Puts a key that ends with a lease.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function put(key: string, value: Bytes, lease: bigint): TxnOperation {
  const bytes = ownValue(value);
  const operation = { op: 'put', key: binaryString(key), value: bytes, lease } as const;
  return { kind: 'put', operation };
}

/**
 * Reads the key with a prefix that was created first.
 *
 * @since 0.1.0
 */
export function first(prefix: string): TxnOperation {
  const sort = { target: 'create-revision', order: 'ascend' } as const;
  return { kind: 'range', operation: { op: 'range', keys: allWith(prefix), sort, limit: 1 } };
}

/**
 * Deletes a key.
 *
 * @since 0.1.0
 */
export function remove(key: string): TxnOperation {
  return { kind: 'delete', operation: { op: 'delete', keys: oneKey(key) } };
}
