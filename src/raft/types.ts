/**
 * The words of Raft as data. Terms, indexes and member ids are safe integers; index 0 and term 0
 * stand for "before the log", member id 0 is nobody.
 */
import type { ConfState } from './configuration.js';

/** Identifies a member of the group; 1 to 2^53-1, never reused for another member. @since 0.1.0 */
export type MemberId = number;

/** Position of an entry together with its term: the two always travel as a pair. @since 0.1.0 */
export interface LogId {
  readonly term: number;
  readonly index: number;
}

/**
 * What an entry is for. `normal` carries a command of the state machine, or nothing: a new leader
 * opens its term with an empty one. The others carry a change of the configuration in one of its
 * two forms, as `encodeConfChange` writes it.
 *
 * @since 0.1.0
 */
export type EntryType = 'normal' | 'config-change' | 'config-change-v2';

/** One position of the replicated log. Its bytes are immutable once handed over. @since 0.1.0 */
export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/**
 * What must be on stable storage before any pledge that rests on it leaves (Raft figure 2,
 * persistent state). `vote` is 0 for none; `commit` may lag.
 *
 * @since 0.1.0
 */
export interface HardState {
  readonly term: number;
  readonly vote: MemberId;
  readonly commit: number;
}

/** What is to become an entry: the leader adds term and index. @since 0.1.0 */
export interface Proposal {
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/** The state machine at a position of the log, and who belonged to the group there. @since 0.1.0 */
export interface Snapshot {
  /** Last entry that is in it. */
  readonly last: LogId;
  /** Configuration at that entry. */
  readonly configuration: ConfState;
  /** The state machine's, or what the driver needs to find it; the core does not read it. */
  readonly data: Uint8Array;
}

/** Volatile facts worth reporting. `leader` is 0 while none is known. @since 0.1.0 */
export interface SoftState {
  readonly leader: MemberId;
  readonly role: Role;
}

/** @since 0.1.0 */
export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** A run of indexes, `lo` inclusive, `hi` exclusive. @since 0.1.0 */
export interface IndexRange {
  readonly lo: number;
  readonly hi: number;
}

/** The state before anything was persisted. @since 0.1.0 */
export const emptyHardState: HardState = { term: 0, vote: 0, commit: 0 };

/** Id of the position before the first entry. @since 0.1.0 */
export const zeroLogId: LogId = { term: 0, index: 0 };

/** Nobody: the vote of a member that has not voted, the leader while none is known. @since 0.1.0 */
export const noMember: MemberId = 0;
