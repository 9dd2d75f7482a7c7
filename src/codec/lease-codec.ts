/**
 * Lease commands as elements of a command:
 *
 *     lease-grant       [id, seconds]
 *     lease-revoke      [id], or of one lease [id, generation], or when it ran out [id, term, generation]
 *     lease-checkpoint  [term, then per lease: id, generation, remaining ms]
 */
import { assert, unreachable } from '../base/assert.js';
import type {
  LeaseCheckpoint,
  LeaseCheckpointCommand,
  LeaseCommand,
  LeaseRevokeCommand,
} from '../mvcc/lease-types.js';
import type { FlatReader } from './flat-reader.js';
import type { Scalar } from './packr.js';

/**
 * Appends the fields of a lease command.
 *
 * @since 0.1.0
 */
export function writeLease(values: Scalar[], command: LeaseCommand): void {
  switch (command.op) {
    case 'lease-grant':
      values.push(command.id, command.ttlSeconds);
      return;
    case 'lease-revoke':
      return writeRevoke(values, command);
    case 'lease-checkpoint':
      values.push(command.term);
      for (const { id, generation, remainingMs } of command.leases) {
        values.push(id, generation, remainingMs);
      }
      return;
    default:
      unreachable(command);
  }
}

/**
 * Reads the fields of a lease command, to the end.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readLease(op: LeaseCommand['op'], reader: FlatReader): LeaseCommand {
  switch (op) {
    case 'lease-grant':
      return { op, id: reader.bigint('id'), ttlSeconds: reader.integer('seconds') };
    case 'lease-revoke':
      return readRevoke(reader);
    case 'lease-checkpoint':
      return readCheckpoint(reader);
    default:
      return unreachable(op);
  }
}

function writeRevoke(values: Scalar[], { id, generation, expired }: LeaseRevokeCommand): void {
  assert(generation === undefined || expired === undefined, 'a revoke has one generation');
  values.push(id);
  if (generation !== undefined) values.push(generation);
  if (expired !== undefined) values.push(expired.term, expired.generation);
}

/** The three forms differ in how many fields they have: a revoke ends its command. */
function readRevoke(reader: FlatReader): LeaseRevokeCommand {
  const id = reader.bigint('id');
  if (reader.left === 0) return { op: 'lease-revoke', id };
  const isExpiry = reader.left > 1;
  const term = isExpiry ? reader.integer('term') : 0;
  const generation = reader.integer('generation');
  if (!isExpiry) return { op: 'lease-revoke', id, generation };
  return { op: 'lease-revoke', id, expired: { term, generation } };
}

function readCheckpoint(reader: FlatReader): LeaseCheckpointCommand {
  const term = reader.integer('term');
  const leases: LeaseCheckpoint[] = [];
  while (reader.left > 0) {
    const id = reader.bigint('id');
    const generation = reader.integer('generation');
    leases.push({ id, generation, remainingMs: reader.integer('remaining') });
  }
  return { op: 'lease-checkpoint', term, leases };
}
