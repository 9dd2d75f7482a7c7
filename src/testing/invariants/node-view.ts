/**
 * How invariants look at one member of a Raft group: nothing but what the paper's figure 2 names, so
 * that any implementation can be viewed, not only ours. Implement it once over your own node, with
 * getters, and give every step the same object: invariants remember members by it.
 *
 *     purged ...... snapshot ...... applied ...... commit ...... last
 *     firstIndex - 1 <= snapshotIndex <= applied <= commit <= lastIndex
 */

/**
 * Who belongs to the group. Lists are in any order and without repeats.
 *
 * @since 0.1.0
 */
export interface ConfigurationView {
  /** Voters; while two halves must agree, the incoming half. */
  readonly voters: readonly number[];
  /** The outgoing half of a joint configuration (thesis §4.3); empty otherwise. */
  readonly votersOutgoing: readonly number[];
  /** Receive the log and do not count. */
  readonly learners: readonly number[];
  /** Whether a joint configuration is left without being asked to; false while not joint. */
  readonly autoLeave: boolean;
}

/**
 * What of a member would survive a crash now. A member without a difference between memory and disk
 * returns its own fields.
 *
 * @since 0.1.0
 */
export interface DurableView {
  readonly term: number;
  /** 0 for none. */
  readonly vote: number;
  /** The stored commit index; may lag, 0 where none is stored. */
  readonly commit: number;
  /** First index that is kept; `lastIndex + 1` while the log is empty. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Term of a durable entry, for `firstIndex - 1 <= index <= lastIndex`; else `undefined`. */
  termAt(index: number): number | undefined;
}

/**
 * A member as it is at this moment. Reading must be cheap and must change nothing. While the process
 * is down only `id` and `durable` are read.
 *
 * @since 0.1.0
 */
export interface NodeView {
  /** At least 1; 0 is nobody. */
  readonly id: number;
  readonly role: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  readonly term: number;
  /** For whom it voted in `term`; 0 for none. */
  readonly vote: number;
  readonly commit: number;
  /** Last index its state machine has. */
  readonly applied: number;
  /** First index of the log that is kept; `lastIndex + 1` while the log is empty. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Up to where the state machine survives a crash, as a snapshot or by itself; 0 for not at all. */
  readonly snapshotIndex: number;
  /** Last index of a received snapshot that the state machine does not have yet; 0 for none. */
  readonly installing: number;
  /** In force for elections and commits on this member. The same object as long as it is the same. */
  readonly configuration: ConfigurationView;
  /** The index to which `configuration` belongs: usually `applied`, or `installing` if later. */
  readonly configurationIndex: number;
  readonly durable: DurableView;
  /** Whether it has found damage in its own storage; absent: it has not. */
  readonly damaged?: boolean;
  /** Milliseconds of the lease that its answers to heartbeats give a leader; absent or 0: none. */
  readonly leaseMs?: number;
  /** Whether it stands by a leader for now, as it pledged; absent: not known. */
  readonly pledges?: boolean;
  /** Term of an entry, for `firstIndex - 1 <= index <= lastIndex`, 0 at index 0; else `undefined`. */
  termAt(index: number): number | undefined;
  /** 32-bit hash of kind and bytes of an entry, for `firstIndex <= index <= lastIndex`. */
  hashAt(index: number): number;
  /** Whether an entry changes the configuration, for `firstIndex <= index <= lastIndex`. */
  isChangeAt(index: number): boolean;
}
