/**
 * What one member knows of itself and of the others, with names in place of ids.
 */
import type { KontikiError } from '../base/errors.js';
import type { ProgressStatus } from '../raft/status.js';
import type { MemberId, Role } from '../raft/types.js';
import { isAnswering } from './is-answering.js';
import { isOnlyVoter } from './is-only-voter.js';
import type { NodeStatus } from './status.js';

/** What a leader knows of another member. @since 0.1.0 */
export interface PeerStatus {
  readonly name: string;
  readonly memberId: MemberId;
  /** Last entry that it is known to have. */
  readonly matchIndex: number;
  /** `replicate`: keeps up; `probe`: being found out; `snapshot`: is sent one. */
  readonly state: ProgressStatus['state'];
  /** Whether it answered within the last election timeouts. */
  readonly isActive: boolean;
  readonly isLearner: boolean;
}

/** Facts about one member, as far as it knows without asking anyone. @since 0.1.0 */
export interface LocalStatus {
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
  /** Whether no other member has a vote: it can lead, and commit, by itself. */
  readonly isOnlyVoter: boolean;
  /** The others, while this member leads. */
  readonly peers: readonly PeerStatus[];
  /** First and last index of the log, committed and applied index, and how far the state is durable. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly committedIndex: number;
  readonly appliedIndex: number;
  readonly durableIndex: number;
  /** About the bytes that the log has on the disk. */
  readonly logBytes: number;
  /** Whether the log has disk space; without it no proposals are taken. */
  readonly hasSpace: boolean;
  /** Last entry in the newest snapshot that was made or installed here; 0 for none since the start. */
  readonly snapshotIndex: number;
  /** Calls waiting for their own apply. */
  readonly pendingWrites: number;
  /** Reads waiting to learn, and to reach, the newest index. */
  readonly pendingReads: number;
}

/**
 * @param own - name of the member
 * @param names - name of every member by id
 * @param node - of its node
 * @since 0.1.0
 */
export function localStatusOf(
  own: string,
  names: ReadonlyMap<MemberId, string>,
  node: NodeStatus,
): LocalStatus {
  const { raft, leaderId, pendingProposals, ...others } = node;
  const peers = raft.progress.filter(({ id }) => id !== raft.id);
  return {
    ...others,
    name: own,
    memberId: raft.id,
    role: raft.role,
    term: raft.term,
    leader: leaderId === undefined ? undefined : names.get(leaderId),
    members: [...names.values()],
    isOnlyVoter: isOnlyVoter(raft),
    peers: peers.map((peer) => ({
      name: names.get(peer.id) ?? String(peer.id),
      memberId: peer.id,
      matchIndex: peer.match,
      state: peer.state,
      isActive: isAnswering(peer),
      isLearner: peer.learner,
    })),
    firstIndex: raft.firstIndex,
    lastIndex: raft.lastIndex,
    committedIndex: raft.commit,
    pendingWrites: pendingProposals,
  };
}
