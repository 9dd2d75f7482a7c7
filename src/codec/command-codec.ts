/**
 * Commands as the bytes of log entries: a version byte, then one flat array
 *
 *     [session, seq, doneBelow, op, ...fields of the op]
 *
 * `compact` has one field, the revision, `read-lease` one, the milliseconds, `session-open` none,
 * `alarm` two, the member and whether it is raised; the others are in `operation-codec.ts` and `txn-codec.ts`.
 * Lists inside a transaction follow each other, their lengths stand in front. These bytes are what
 * every member applies, for as long as the log lives: reading them may depend on nothing else, so
 * the bounds here are part of the format and not taken from the limits (DESIGN §4.5).
 */
import { assert, unreachable } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Command } from '../mvcc/types.js';
import type { CommandEnvelope } from './command-envelope.js';
import { FlatReader } from './flat-reader.js';
import { readLease, writeLease } from './lease-codec.js';
import { isPutWith, readDelete, readPut, writeDelete, writePut } from './operation-codec.js';
import { checkScalars, packKept, type Scalar, unpackFlat } from './packr.js';
import { readTxn, writeTxn } from './txn-codec.js';

/**
 * Version of the command format this release writes and reads.
 *
 * @since 0.1.0
 */
export const commandVersion = 1;

/** Place in the list is the number in the bytes: only ever append. */
const ops = [
  'put',
  'delete',
  'txn',
  'compact',
  'put-with',
  'delete-with',
  'read-lease',
  'lease-grant',
  'lease-revoke',
  'lease-checkpoint',
  'session-open',
  'alarm',
] as const;

const elementsMax = 2 ** 21;
assert(limits.requestBytesMax < elementsMax, 'a request of one-byte elements fits the format');

/**
 * Encodes a command with its request id.
 *
 * @param envelope - keys are binary strings, leases int64; numbers are safe integers of at least 0
 * @returns bytes for keeping
 * @throws {KontikiError} REQUEST_TOO_LARGE, `rejected`, for more elements than the format allows,
 *   which is far beyond the bytes of a request
 * @since 0.1.0
 */
export function encodeCommand(envelope: CommandEnvelope): Uint8Array {
  const { session, seq, doneBelow, command } = envelope;
  const values: Scalar[] = [session, seq, doneBelow];
  writeCommand(values, command);
  if (values.length > elementsMax) {
    throw kontikiError('REQUEST_TOO_LARGE', `a command of ${values.length} elements`, {
      outcome: 'rejected',
    });
  }
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
      values.push(ops.indexOf(isPutWith(command) ? 'put-with' : 'put'));
      return writePut(values, command);
    case 'delete':
      values.push(ops.indexOf(command.previous === true ? 'delete-with' : 'delete'));
      return writeDelete(values, command);
    case 'txn':
      values.push(ops.indexOf('txn'));
      return writeTxn(values, command);
    case 'compact':
      values.push(ops.indexOf('compact'), command.revision);
      return;
    case 'read-lease':
      values.push(ops.indexOf('read-lease'), command.leaseMs);
      return;
    case 'lease-grant':
    case 'lease-revoke':
    case 'lease-checkpoint':
      values.push(ops.indexOf(command.op));
      return writeLease(values, command);
    case 'session-open':
      values.push(ops.indexOf('session-open'));
      return;
    case 'alarm':
      values.push(ops.indexOf('alarm'), command.member, command.isRaised);
      return;
    default:
      unreachable(command);
  }
}

function readCommand(reader: FlatReader): Command {
  const op = reader.oneOf('op', ops);
  switch (op) {
    case 'put':
    case 'put-with':
      return readPut(reader, op === 'put-with');
    case 'delete':
    case 'delete-with':
      return readDelete(reader, op === 'delete-with');
    case 'txn':
      return readTxn(reader);
    case 'compact':
      return { op: 'compact', revision: reader.integer('revision') };
    case 'read-lease':
      return { op: 'read-lease', leaseMs: reader.integer('leaseMs') };
    case 'lease-grant':
    case 'lease-revoke':
    case 'lease-checkpoint':
      return readLease(op, reader);
    case 'session-open':
      return { op };
    case 'alarm':
      return { op, member: reader.integer('member'), isRaised: reader.boolean('isRaised') };
    default:
      unreachable(op);
  }
}
