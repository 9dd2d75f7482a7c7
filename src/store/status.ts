/**
 * A read-only view of one member of a store.
 */
import type { KontikiError } from '../base/errors.js';
import type { MemberId, NodeStatus, Role } from '../node/index.js';

/** @since 0.1.0 */
export interface StoreStatus {
  readonly name: string;
  readonly memberId: MemberId;
  readonly lifecycle: 'open' | 'closing' | 'closed';
  /** Why this member stopped by itself, if it did. */
  readonly failure: KontikiError | undefined;
  readonly role: Role;
  readonly term: number;
  /** Name of the leader, when one is known. */
  readonly leader: string | undefined;
  /** Names of all members. */
  readonly members: readonly string[];
  /** Revision of the local keyspace. */
  readonly revision: number;
  /** Last log index, committed index, applied index, and how far the keyspace is durable. */
  readonly lastIndex: number;
  readonly committedIndex: number;
  readonly appliedIndex: number;
  readonly durableIndex: number;
  /** Calls waiting for their own apply. */
  readonly pendingWrites: number;
}

/** @since 0.1.0 */
export function statusOf(
  parts: { readonly name: string; readonly memberNames: ReadonlyMap<MemberId, string> },
  machine: {
    readonly keyspace: { readonly revision: number };
    readonly appliedIndex: number;
    readonly durableIndex: number;
  },
  node: NodeStatus,
): StoreStatus {
  const { raft, leaderId } = node;
  return {
    name: parts.name,
    memberId: raft.id,
    lifecycle: node.lifecycle,
    failure: node.failure,
    role: raft.role,
    term: raft.term,
    leader: leaderId === undefined ? undefined : parts.memberNames.get(leaderId),
    members: [...parts.memberNames.values()],
    revision: machine.keyspace.revision,
    lastIndex: raft.lastIndex,
    committedIndex: raft.commit,
    appliedIndex: machine.appliedIndex,
    durableIndex: machine.durableIndex,
    pendingWrites: node.pendingProposals,
  };
}
