/**
 * What a lease is to the keyspace, and what can be ordered about leases. Time is not among it: when a
 * lease ends is decided outside, by the leader, and arrives here as a revoke (DESIGN §4.19).
 */
import type { SessionRequest } from './session-types.js';

/** A lease as every member knows it. @since 0.1.0 */
export interface LeaseEntry {
  /** Any int64 but 0. */
  readonly id: bigint;
  /** Seconds it lives after a keep-alive. */
  readonly ttlSeconds: number;
  /**
   * Milliseconds it had left at the last checkpoint; 0: all of them. A new leader counts down from
   * here, so that a failover neither shortens a lease nor starts it anew.
   */
  readonly remainingMs: number;
  /** Index of the entry that granted it: tells it from an earlier lease of the same id. */
  readonly generation: number;
}

/** Makes a lease. @since 0.1.0 */
export interface LeaseGrantCommand {
  readonly op: 'lease-grant';
  /** Chosen by the proposer. */
  readonly id: bigint;
  readonly ttlSeconds: number;
}

/** Ends a lease and deletes its keys, in one revision. @since 0.1.0 */
export interface LeaseRevokeCommand {
  readonly op: 'lease-revoke';
  readonly id: bigint;
  /**
   * Which lease of the id is meant: ids are used again, and who was too late must not end another's.
   * Absent: whichever has the id. An expiry brings its own.
   */
  readonly generation?: number | undefined;
  /** Present when the lease ran out rather than being given back. */
  readonly expired?: LeaseExpiry | undefined;
}

/**
 * Whose word it is that a lease ran out. A leader that was stuck may say so late, when others have
 * long renewed it: the revoke counts only in the very term, and for the very lease, it was meant for
 * (etcd incidents 12528, 15247 and 16822).
 *
 * @since 0.1.0
 */
export interface LeaseExpiry {
  /** Term in which the proposer leads. */
  readonly term: number;
  readonly generation: number;
}

/** Notes how long leases have left. @since 0.1.0 */
export interface LeaseCheckpointCommand {
  readonly op: 'lease-checkpoint';
  /** Term in which the proposer leads; in any other the whole command is refused. */
  readonly term: number;
  /** Leases that are gone by then are passed over. */
  readonly leases: readonly LeaseCheckpoint[];
}

/** @since 0.1.0 */
export interface LeaseCheckpoint {
  readonly id: bigint;
  readonly generation: number;
  /** Milliseconds left; 0: the whole TTL again. */
  readonly remainingMs: number;
}

/** @since 0.1.0 */
export type LeaseCommand = LeaseGrantCommand | LeaseRevokeCommand | LeaseCheckpointCommand;

/** @since 0.1.0 */
export interface LeaseGrantResult {
  readonly op: 'lease-grant';
  /** The current one, which a grant does not change. */
  readonly revision: number;
  readonly lease: LeaseEntry;
}

/** @since 0.1.0 */
export interface LeaseRevokeResult {
  readonly op: 'lease-revoke';
  /** Of the deletes, or the current one when the lease had no keys. */
  readonly revision: number;
  readonly id: bigint;
  /** Keys deleted. */
  readonly deleted: number;
}

/** @since 0.1.0 */
export interface LeaseCheckpointResult {
  readonly op: 'lease-checkpoint';
  readonly revision: number;
  /** Leases that were still there. */
  readonly noted: number;
}

/** @since 0.1.0 */
export type LeaseResult = LeaseGrantResult | LeaseRevokeResult | LeaseCheckpointResult;

/** Where in the log a command stands: part of what leases are executed by. @since 0.1.0 */
export interface LogPlace {
  readonly term: number;
  readonly index: number;
}

/** Where a command comes from. @since 0.1.0 */
export interface CommandOrigin extends LogPlace {
  /** Whose it is; absent: nobody's, and it is executed as it comes. */
  readonly request?: SessionRequest | undefined;
}
