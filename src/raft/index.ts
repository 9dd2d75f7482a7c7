/**
 * `kontiki/raft`: the consensus core alone. No clock, disk, network or dependency.
 *
 * @module
 */
export { type RaftOptions, raftConfig } from './config.js';
export type { InitialState, LogReader } from './log-reader.js';
export type * from './messages.js';
export type { ProgressState } from './progress.js';
export { committedIndex, majority, type VoteResult, voteResult } from './quorum.js';
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
  type Role,
  type SoftState,
  zeroLogId,
} from './types.js';
