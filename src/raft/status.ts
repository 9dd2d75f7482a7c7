/**
 * A read-only view of one member.
 */
import type { Configuration } from './configuration.js';
import type { ProgressState } from './progress.js';
import type { Raft } from './raft.js';
import type { HardState, MemberId, SoftState } from './types.js';

/** What the leader knows of a member. @since 0.1.0 */
export interface ProgressStatus {
  readonly id: MemberId;
  readonly state: ProgressState;
  readonly match: number;
  readonly next: number;
  readonly learner: boolean;
  readonly paused: boolean;
  /** Index of the snapshot on its way; 0 for none. */
  readonly pendingSnapshot: number;
  /** Heard from since the last quorum check, or added since. */
  readonly recentActive: boolean;
  /** Messages that the member answered in this leadership: as long as there are none, it may not run. */
  readonly answers: number;
  readonly inflightCount: number;
  readonly inflightFull: boolean;
}

/** @since 0.1.0 */
export interface RaftStatus extends HardState, SoftState {
  readonly id: MemberId;
  /** Incoming half of `configuration`. */
  readonly voters: readonly MemberId[];
  /** The applied one. */
  readonly configuration: Configuration;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Last entry that the own storage is known to have. */
  readonly durableIndex: number;
  /** Whom this leader hands over to; `noMember` while it does not. */
  readonly transferee: MemberId;
  /** In ascending id order; empty unless this member leads. */
  readonly progress: readonly ProgressStatus[];
}

/** @since 0.1.0 */
export function statusOf(raft: Raft): RaftStatus {
  const { configuration, log } = raft;
  return {
    id: raft.id,
    role: raft.role,
    leader: raft.leader,
    ...raft.hardState,
    voters: configuration.voters,
    configuration,
    applied: log.applied,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    durableIndex: log.offset - 1,
    transferee: raft.transferee,
    progress: raft.role === 'leader' ? progressStatus(raft) : [],
  };
}

function progressStatus({ progress, configuration }: Raft): ProgressStatus[] {
  return [...progress].map(([id, each]) => ({
    id,
    state: each.state,
    match: each.match,
    next: each.next,
    learner: configuration.learners.includes(id),
    paused: each.paused,
    pendingSnapshot: each.pendingSnapshot,
    recentActive: each.recentActive,
    answers: each.answers,
    inflightCount: each.inflights.count,
    inflightFull: each.inflights.full,
  }));
}
