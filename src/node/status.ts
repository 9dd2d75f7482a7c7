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
  /** Reads waiting to learn, and to reach, the newest index. */
  readonly pendingReads: number;
  /** Last entry that is applied, and the last one of which the state is durable. */
  readonly appliedIndex: number;
  readonly durableIndex: number;
  /** About the bytes that the log has on the disk, and whether there is space for more. */
  readonly logBytes: number;
  readonly hasSpace: boolean;
  /** Last entry in the newest snapshot that was made or installed; 0 for none since the start. */
  readonly snapshotIndex: number;
  /** The leader, when one is known. */
  readonly leaderId: MemberId | undefined;
  readonly raft: RaftStatus;
}

/** @since 0.1.0 */
export function statusOf(raft: RaftStatus, own: Omit<NodeStatus, 'raft' | 'leaderId'>): NodeStatus {
  const leaderId = raft.leader === noMember ? undefined : raft.leader;
  return { ...own, leaderId, raft };
}
