/**
 * A read-only view of one member.
 */
import type { ProgressState } from './progress.js';
import type { Raft } from './raft.js';
import type { HardState, MemberId, SoftState } from './types.js';

/** What the leader knows of a member. @since 0.1.0 */
export interface ProgressStatus {
  readonly id: MemberId;
  readonly state: ProgressState;
  readonly match: number;
  readonly next: number;
  readonly paused: boolean;
  readonly recentActive: boolean;
  readonly inflightCount: number;
  readonly inflightFull: boolean;
}

/** @since 0.1.0 */
export interface RaftStatus extends HardState, SoftState {
  readonly id: MemberId;
  readonly voters: readonly MemberId[];
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** In ascending id order; empty unless this member leads. */
  readonly progress: readonly ProgressStatus[];
}

/** @since 0.1.0 */
export function statusOf(raft: Raft): RaftStatus {
  const progress: ProgressStatus[] = [];
  if (raft.role === 'leader') {
    for (const [id, p] of raft.progress) {
      const { state, match, next, paused, recentActive, inflights } = p;
      const { count: inflightCount, full: inflightFull } = inflights;
      progress.push({ id, state, match, next, paused, recentActive, inflightCount, inflightFull });
    }
  }
  return {
    id: raft.id,
    role: raft.role,
    leader: raft.leader,
    ...raft.hardState,
    voters: raft.voters,
    applied: raft.log.applied,
    firstIndex: raft.log.firstIndex,
    lastIndex: raft.log.lastIndex,
    progress,
  };
}
