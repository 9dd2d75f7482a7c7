/**
 * What a command about leases does to the keyspace. Time is not known here, as it is not known to the
 * keyspace: an expiry is a revoke that somebody ordered.
 */
import { unreachable } from '../../base/assert.js';
import type { LeaseCommand, LeaseRevokeCommand, LogPlace } from '../../mvcc/lease-types.js';
import type { KeyspaceAnswer } from './keyspace-answer.js';
import { KeyspaceRevision } from './keyspace-revision.js';
import type { KeyspaceState } from './keyspace-state.js';
import type { Executed } from './model.js';

type Run = Executed<KeyspaceState, KeyspaceAnswer>;

/**
 * Executes a command about leases.
 *
 * @param place - where in the log it stands; unknown in a history of clients, and then expiries and
 *   checkpoints count in any term
 * @since 0.1.0
 */
export function executeLease(
  state: KeyspaceState,
  command: LeaseCommand,
  place: LogPlace | undefined,
): Run {
  switch (command.op) {
    case 'lease-grant': {
      const { id, ttlSeconds } = command;
      if (state.leases.get(id) !== undefined) return { state, answer: { code: 'LEASE_EXISTS' } };
      const lease = { id, ttlSeconds, remainingMs: 0, generation: place?.index ?? 0 };
      const answer = { op: 'lease-grant', revision: state.revision, lease } as const;
      return { state: { ...state, leases: state.leases.set(id, lease) }, answer };
    }
    case 'lease-revoke':
      return revoke(state, command, place);
    case 'lease-checkpoint': {
      if (isOtherTerm(command.term, place)) return { state, answer: { code: 'LEADER_CHANGED' } };
      let { leases } = state;
      let noted = 0;
      for (const { id, generation, remainingMs } of command.leases) {
        const lease = leases.get(id);
        if (lease === undefined || lease.generation !== generation) continue;
        noted += 1;
        if (lease.remainingMs !== remainingMs) leases = leases.set(id, { ...lease, remainingMs });
      }
      const answer = { op: 'lease-checkpoint', revision: state.revision, noted } as const;
      return { state: leases === state.leases ? state : { ...state, leases }, answer };
    }
    default:
      return unreachable(command);
  }
}

function revoke(
  state: KeyspaceState,
  { id, generation, expired }: LeaseRevokeCommand,
  place: LogPlace | undefined,
): Run {
  const lease = state.leases.get(id);
  if (lease === undefined) return { state, answer: { code: 'LEASE_NOT_FOUND' } };
  if (expired !== undefined) {
    if (isOtherTerm(expired.term, place)) return { state, answer: { code: 'LEADER_CHANGED' } };
    if (expired.generation !== lease.generation) {
      return { state, answer: { code: 'LEASE_NOT_FOUND' } };
    }
  }
  if (generation !== undefined && generation !== lease.generation) {
    return { state, answer: { code: 'LEASE_NOT_FOUND' } };
  }
  const attached = state.current.range().filter((kv) => kv.lease === id);
  const draft = new KeyspaceRevision({ ...state, leases: state.leases.delete(id) });
  draft.delete(attached);
  const { revision } = draft;
  const deleted = attached.length;
  return { state: draft.seal(), answer: { op: 'lease-revoke', revision, id, deleted } };
}

function isOtherTerm(term: number, place: LogPlace | undefined): boolean {
  return place !== undefined && place.term !== term;
}
