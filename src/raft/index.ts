/**
 * `kontiki/raft`: the consensus core alone. No clock, disk, network or dependency.
 *
 * @module
 */
export {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeStep,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV2,
  classifyChange,
  toConfChangeV2,
} from './conf-change.js';
export { decodeConfChange, encodeConfChange } from './conf-change-codec.js';
export { type RaftOptions, raftConfig } from './config.js';
export {
  type Configuration,
  type ConfState,
  emptyConfiguration,
  isJoint,
  isSameConfState,
  isVoter,
  memberIds,
  restoreConfiguration,
} from './configuration.js';
export type { InitialState, LogReader } from './log-reader.js';
export { applyChange, enterJoint, leaveJoint, simpleChange, validateChange } from './membership.js';
export type { MembershipStep } from './membership-draft.js';
export type * from './messages.js';
export type { ProgressState } from './progress.js';
export type { Appended } from './propose.js';
export {
  committedIndex,
  isQuorumActive,
  isSingleton,
  jointCommittedIndex,
  jointVoteResult,
  majority,
  type VoteResult,
  type VoterHalves,
  voteResult,
} from './quorum.js';
export { RawNode } from './raw-node.js';
export type { ReadState } from './read-index.js';
export type { Ready, StorageAppend, StorageApply } from './ready.js';
export type { ProgressStatus, RaftStatus } from './status.js';
export {
  type Entry,
  type EntryType,
  emptyHardState,
  type HardState,
  type IndexRange,
  type LogId,
  type MemberId,
  noMember,
  type Proposal,
  type Role,
  type Snapshot,
  type SoftState,
  zeroLogId,
} from './types.js';
