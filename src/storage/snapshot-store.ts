/**
 * Snapshots of the state machine on stable storage: made to be sent to a member that the log no
 * longer reaches, and kept while one is being installed.
 */
import type { ConfState } from '../raft/configuration.js';
import type { LogId } from '../raft/types.js';

/** What a snapshot stands for. @since 0.1.0 */
export interface SnapshotMeta {
  /** Last entry that is in it. */
  readonly last: LogId;
  /** Configuration at that index. */
  readonly configuration: ConfState;
  /** Bytes of all chunks. */
  readonly size: number;
}

/**
 * A snapshot being written. Exactly one of `commit` and `discard` ends it; after a call that
 * rejected, only `discard` is left.
 *
 * @since 0.1.0
 */
export interface SnapshotSink {
  /** In order; one call at a time. The caller leaves the chunk alone until it settles. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes it durable and visible under its id. A crash before that leaves no trace of it. */
  commit(): Promise<SnapshotMeta>;
  /** Leaves no trace. Idempotent; waits for a call under way, and does nothing after a commit. */
  discard(): Promise<void>;
}

/**
 * Caller: the driver. Any number of readers may overlap with one sink and with each other.
 *
 * A snapshot is there whole or not at all, after a crash as well. Snapshots are told apart by
 * `last`; one that is committed again replaces the one before.
 *
 * @since 0.1.0
 */
export interface SnapshotStore {
  /** Newest complete snapshot, or `undefined`. */
  latest(): Promise<SnapshotMeta | undefined>;
  /** All complete ones, newest first. */
  list(): Promise<readonly SnapshotMeta[]>;
  /**
   * Starts a new one.
   *
   * @throws {KontikiError} ARGUMENT_INVALID while another is being written; NO_SPACE, STORAGE_IO
   */
  create(last: LogId, configuration: ConfState): Promise<SnapshotSink>;
  /**
   * The bytes in order, in chunks of any size, each verified before it is handed out. The last chunk
   * is not the end: damage may show only after it, so nothing read may be used before the iteration
   * has ended without an error.
   *
   * @throws {KontikiError} SNAPSHOT_CORRUPT; ARGUMENT_INVALID when there is no such snapshot
   */
  read(meta: SnapshotMeta): AsyncIterable<Uint8Array>;
  /** Removes one; silent when there is none. It is not being read. */
  remove(meta: SnapshotMeta): Promise<void>;
  /** Removes all but the newest ones that the store is to keep, and those being read. */
  prune(): Promise<void>;
  /** Discards what is being written and lets go of the medium. Idempotent. */
  close(): Promise<void>;
}
