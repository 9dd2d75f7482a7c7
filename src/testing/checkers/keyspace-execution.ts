/**
 * What one command or read does to the keyspace, written to be believed rather than to be fast: a
 * second opinion for the product's own.
 *
 * Commands are taken to be well-formed; those that are not are refused before they are proposed and
 * are in no log.
 */
import type { LogPlace } from '../../mvcc/lease-types.js';
import type { Command, Operation, RangeOperation } from '../../mvcc/types.js';
import type { KeyspaceAnswer, KeyspaceRefusal } from './keyspace-answer.js';
import { executeLease } from './keyspace-lease.js';
import { branchOf, KeyspaceRevision } from './keyspace-revision.js';
import type { KeyspaceState } from './keyspace-state.js';
import type { Executed } from './model.js';

/**
 * Executes a command, or answers a read at the state it meets.
 *
 * @param state - what is there
 * @param input - the command or read
 * @param place - where in the log a command stands; without it the generation of a lease is 0
 * @since 0.1.0
 */
export function executeOnKeyspace(
  state: KeyspaceState,
  input: Command | RangeOperation,
  place?: LogPlace,
): Executed<KeyspaceState, KeyspaceAnswer> {
  switch (input.op) {
    case 'compact': {
      const { revision } = state;
      const answer = compactionRefusal(state, input.revision);
      if (answer !== undefined) return { state, answer };
      const compactRevision = input.revision;
      return {
        state: { ...state, compactRevision },
        answer: { op: 'compact', revision, compactRevision },
      };
    }
    case 'read-lease': {
      const { revision, readLease: before } = state;
      const everMs = before.everMs === 0 ? input.leaseMs : before.everMs;
      const readLease = { leaseMs: input.leaseMs === 0 ? 0 : everMs, everMs };
      const isSame = before.everMs === everMs && before.leaseMs === readLease.leaseMs;
      return {
        state: isSame ? state : { ...state, readLease },
        answer: { op: 'read-lease', revision, readLease },
      };
    }
    case 'lease-grant':
    case 'lease-revoke':
    case 'lease-checkpoint':
      return executeLease(state, input, place);
    case 'session-open': {
      const { revision } = state;
      return { state, answer: { op: 'session-open', revision, session: place?.index ?? 0 } };
    }
    case 'alarm': {
      const { revision, alarms } = state;
      const isChanged = alarms.includes(input.member) !== input.isRaised;
      const others = alarms.filter((member) => member !== input.member);
      const after = input.isRaised ? [...others, input.member] : others;
      return {
        state: isChanged ? { ...state, alarms: after } : state,
        answer: { op: 'alarm', revision, isChanged },
      };
    }
    default:
      return executeOperation(state, input);
  }
}

function executeOperation(
  state: KeyspaceState,
  operation: Operation,
): Executed<KeyspaceState, KeyspaceAnswer> {
  const refusal = refusalOf(state, operation);
  if (refusal !== undefined) return { state, answer: refusal };
  const draft = new KeyspaceRevision(state);
  const answer = draft.run(operation);
  return { state: draft.seal(), answer };
}

/** The first reason against anything that would run; all of it is refused then. */
function refusalOf(state: KeyspaceState, operation: Operation): KeyspaceRefusal | undefined {
  if (operation.op === 'delete') return undefined;
  if (operation.op === 'range') return readRefusal(state, operation.revision ?? state.revision);
  if (operation.op === 'put') {
    const { key, lease, ignoreLease, ignoreValue } = operation;
    const keeps = ignoreLease === true || ignoreValue === true;
    if (keeps && state.current.get(key) === undefined) return { code: 'KEY_NOT_FOUND' };
    const isHeld = lease === undefined || lease === 0n || state.leases.get(lease) !== undefined;
    return isHeld ? undefined : { code: 'LEASE_NOT_FOUND' };
  }
  for (const each of branchOf(operation, state.current).branch) {
    const refusal = refusalOf(state, each);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function readRefusal(state: KeyspaceState, at: number): KeyspaceRefusal | undefined {
  const { revision, compactRevision } = state;
  if (at > revision) return { code: 'FUTURE_REVISION', revision };
  return at < compactRevision ? { code: 'COMPACTED', compactRevision } : undefined;
}

/** What is compacted cannot be compacted again. */
function compactionRefusal(state: KeyspaceState, to: number): KeyspaceRefusal | undefined {
  const { compactRevision } = state;
  return to === compactRevision ? { code: 'COMPACTED', compactRevision } : readRefusal(state, to);
}
