/**
 * What makes a lease command wrong by itself, whatever the state; see `command-check.ts`.
 */
import { unreachable } from '../base/assert.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { LeaseCheckpoint, LeaseCommand, LeaseRevokeCommand } from './lease-types.js';

/**
 * What is wrong with a lease command by itself; `undefined` when it can be executed.
 *
 * @since 0.1.0
 */
export function leaseCommandFault(command: LeaseCommand): KontikiError | undefined {
  switch (command.op) {
    case 'lease-grant': {
      const { id, ttlSeconds } = command;
      // Milliseconds must stay exact too.
      const isTtl = Number.isSafeInteger(ttlSeconds * 1_000) && isInteger(ttlSeconds, 1);
      if (!isTtl) return fault(`a TTL is an integer of seconds from 1, got ${ttlSeconds}`);
      return idFault(id);
    }
    case 'lease-revoke':
      return generationFault(command) ?? idFault(command.id);
    case 'lease-checkpoint':
      if (!isInteger(command.term, 1)) return fault('a term is an integer from 1');
      for (const lease of command.leases) {
        const found = checkpointFault(lease);
        if (found !== undefined) return found;
      }
      return undefined;
    default:
      return unreachable(command);
  }
}

/**
 * What of a lease command is beyond the proposer's limits.
 *
 * @since 0.1.0
 */
export function leaseLimitFault(command: LeaseCommand): KontikiError | undefined {
  const max = limits.leaseTtlSecondsMax;
  if (command.op === 'lease-grant' && command.ttlSeconds > max) {
    return fault(`a TTL is at most ${max} seconds, got ${command.ttlSeconds}`);
  }
  return undefined;
}

function generationFault({ generation, expired }: LeaseRevokeCommand): KontikiError | undefined {
  if (expired !== undefined && !(isInteger(expired.term, 1) && isInteger(expired.generation))) {
    return fault('term and generation of an expiry are integers');
  }
  if (generation === undefined) return undefined;
  if (expired !== undefined) return fault('an expiry brings its own generation');
  return isInteger(generation, 1) ? undefined : fault('a generation is an integer from 1');
}

function checkpointFault({ id, generation, remainingMs }: LeaseCheckpoint) {
  if (isInteger(generation) && isInteger(remainingMs)) return idFault(id);
  return fault('generation and remaining milliseconds are integers');
}

function idFault(id: bigint): KontikiError | undefined {
  if (typeof id === 'bigint' && id !== 0n && BigInt.asIntN(64, id) === id) return undefined;
  return fault(`a lease id is a signed 64-bit bigint other than 0, got ${id}`);
}

function isInteger(value: number, least = 0): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function fault(message: string): KontikiError {
  return kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}
