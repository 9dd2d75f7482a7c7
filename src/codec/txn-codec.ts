/**
 * Transactions as elements of a command: the lengths of the three lists, then the compares, the
 * operations of the one branch and those of the other, each operation behind its number. An operation
 * may be a transaction again.
 */
import { assert, unreachable } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Compare, Operation, TxnCommand } from '../mvcc/types.js';
import { readCompare, writeCompare } from './compare-codec.js';
import type { FlatReader } from './flat-reader.js';
import {
  isPutWith,
  isRangeWith,
  readDelete,
  readPut,
  readRange,
  writeDelete,
  writePut,
  writeRange,
} from './operation-codec.js';
import type { Scalar } from './packr.js';

/** Place in the list is the number in the bytes: only ever append. */
const ops = ['put', 'delete', 'range', 'txn', 'put-with', 'delete-with', 'range-with'] as const;

/** Part of the format: bytes of open transactions must not overflow a member's stack. */
const depthMax = 256;
assert(
  // One inside a full list needs an operation of that list, and the innermost may be empty.
  limits.transactionOperationsMax + 1 < depthMax,
  'every lawful transaction fits the depth of the format',
);

/**
 * Appends the elements of a transaction.
 *
 * @since 0.1.0
 */
export function writeTxn(values: Scalar[], { compares, success, failure }: TxnCommand): void {
  values.push(compares.length, success.length, failure.length);
  for (const compare of compares) writeCompare(values, compare);
  for (const operation of success) writeOperation(values, operation);
  for (const operation of failure) writeOperation(values, operation);
}

/**
 * Reads what {@link writeTxn} wrote.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readTxn(reader: FlatReader): TxnCommand {
  return readNested(reader, 1);
}

function readNested(reader: FlatReader, depth: number): TxnCommand {
  if (depth > depthMax) {
    throw kontikiError('FRAME_INVALID', `transactions inside each other, more than ${depthMax}`);
  }
  const compareCount = reader.integer('compare count');
  const successCount = reader.integer('success count');
  const failureCount = reader.integer('failure count');
  const compares: Compare[] = [];
  // The counts are not trusted: the reader runs dry before a wrong one can cost anything.
  while (compares.length < compareCount) compares.push(readCompare(reader));
  const success: Operation[] = [];
  while (success.length < successCount) success.push(readOperation(reader, depth));
  const failure: Operation[] = [];
  while (failure.length < failureCount) failure.push(readOperation(reader, depth));
  return { op: 'txn', compares, success, failure };
}

function writeOperation(values: Scalar[], operation: Operation): void {
  switch (operation.op) {
    case 'put':
      values.push(ops.indexOf(isPutWith(operation) ? 'put-with' : 'put'));
      return writePut(values, operation);
    case 'delete':
      values.push(ops.indexOf(operation.previous === true ? 'delete-with' : 'delete'));
      return writeDelete(values, operation);
    case 'range':
      values.push(ops.indexOf(isRangeWith(operation) ? 'range-with' : 'range'));
      return writeRange(values, operation);
    case 'txn':
      values.push(ops.indexOf('txn'));
      return writeTxn(values, operation);
    default:
      unreachable(operation);
  }
}

function readOperation(reader: FlatReader, depth: number): Operation {
  const op = reader.oneOf('op', ops);
  switch (op) {
    case 'put':
    case 'put-with':
      return readPut(reader, op === 'put-with');
    case 'delete':
    case 'delete-with':
      return readDelete(reader, op === 'delete-with');
    case 'range':
    case 'range-with':
      return readRange(reader, op === 'range-with');
    case 'txn':
      return readNested(reader, depth + 1);
    default:
      unreachable(op);
  }
}
