/**
 * Commands as the bytes of log entries: a version byte, then one flat array
 *
 *     [session, seq, doneBelow, op, ...fields of the op]
 *
 * Lists inside a transaction follow each other, their lengths stand in front. These bytes are what
 * every member applies, for as long as the log lives: reading them may depend on nothing else, so
 * the bounds here are part of the format and not taken from the limits (DESIGN §4.5).
 */
import { assert, unreachable } from '../base/assert.js';
import { limits } from '../base/limits.js';
import type { Command, Compare, Operation, TxnCommand } from '../mvcc/types.js';
import type { CommandEnvelope } from './command-envelope.js';
import { readCompare, writeCompare } from './compare-codec.js';
import { FlatReader } from './flat-reader.js';
import {
  readDelete,
  readOperation,
  readPut,
  writeFields,
  writeOperation,
} from './operation-codec.js';
import { checkScalars, packKept, type Scalar, unpackFlat } from './packr.js';

/**
 * Version of the command format this release writes and reads.
 *
 * @since 0.1.0
 */
export const commandVersion = 1;

/** Place in the list is the number in the bytes: only ever append. */
const ops = ['put', 'delete', 'txn'] as const;

const elementsMax = 65_536;
assert(
  7 + 3 * 6 * limits.transactionOperationsMax < elementsMax,
  'every lawful transaction fits the element count of the format',
);

/**
 * Encodes a command with its request id.
 *
 * @param envelope - keys are binary strings, leases int64; numbers are safe integers of at least 0
 * @returns bytes for keeping
 * @since 0.1.0
 */
export function encodeCommand(envelope: CommandEnvelope): Uint8Array {
  const { session, seq, doneBelow, command } = envelope;
  const values: Scalar[] = [session, seq, doneBelow, ops.indexOf(command.op)];
  writeCommand(values, command);
  assert(values.length <= elementsMax, 'a command fits the element count of the format');
  checkScalars(values);
  return packKept(values, commandVersion);
}

/**
 * Decodes a command. The result holds nothing that points into `bytes`.
 *
 * @param bytes - what {@link encodeCommand} gave, or anything
 * @throws {KontikiError} FORMAT_UNSUPPORTED for another version, FRAME_INVALID for all other bytes
 *   that {@link encodeCommand} would not write
 * @since 0.1.0
 */
export function decodeCommand(bytes: Uint8Array): CommandEnvelope {
  const reader = new FlatReader(unpackFlat(bytes, commandVersion, elementsMax));
  const session = reader.integer('session');
  const seq = reader.integer('seq');
  const doneBelow = reader.integer('doneBelow');
  const command = readCommand(reader);
  reader.end();
  return { session, seq, doneBelow, command };
}

function writeCommand(values: Scalar[], command: Command): void {
  switch (command.op) {
    case 'put':
    case 'delete':
      return writeFields(values, command);
    case 'txn':
      return writeTxn(values, command);
    default:
      unreachable(command);
  }
}

function readCommand(reader: FlatReader): Command {
  const op = reader.oneOf('op', ops);
  switch (op) {
    case 'put':
      return readPut(reader);
    case 'delete':
      return readDelete(reader);
    case 'txn':
      return readTxn(reader);
    default:
      unreachable(op);
  }
}

function writeTxn(values: Scalar[], { compares, success, failure }: TxnCommand): void {
  values.push(compares.length, success.length, failure.length);
  for (const compare of compares) writeCompare(values, compare);
  for (const operation of success) writeOperation(values, operation);
  for (const operation of failure) writeOperation(values, operation);
}

function readTxn(reader: FlatReader): TxnCommand {
  const compareCount = reader.integer('compare count');
  const successCount = reader.integer('success count');
  const failureCount = reader.integer('failure count');
  const compares: Compare[] = [];
  // The counts are not trusted: the reader runs dry before a wrong one can cost anything.
  while (compares.length < compareCount) compares.push(readCompare(reader));
  const success: Operation[] = [];
  while (success.length < successCount) success.push(readOperation(reader));
  const failure: Operation[] = [];
  while (failure.length < failureCount) failure.push(readOperation(reader));
  return { op: 'txn', compares, success, failure };
}
