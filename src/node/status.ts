/**
 * A read-only view of one node.
 */
import type { KontikiError } from '../base/errors.js';
import type { RaftStatus } from '../raft/status.js';
import { type MemberId, noMember } from '../raft/types.js';

/** @since 0.1.0 */
export interface NodeStatus {
  readonly lifecycle: 'open' | 'closing' | 'closed';
  /** Why the node stopped by itself, if it did. */
  readonly failure: KontikiError | undefined;
  /** Calls waiting for their own apply. */
  readonly pendingProposals: number;
  /** The leader, when one is known. */
  readonly leaderId: MemberId | undefined;
  readonly raft: RaftStatus;
}

/** @since 0.1.0 */
export function statusOf(
  raft: RaftStatus,
  lifecycle: NodeStatus['lifecycle'],
  failure: KontikiError | undefined,
  pendingProposals: number,
): NodeStatus {
  const leaderId = raft.leader === noMember ? undefined : raft.leader;
  return { lifecycle, failure, pendingProposals, leaderId, raft };
}
