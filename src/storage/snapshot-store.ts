/**
 * Snapshot files of a member. The seam is fixed now; its first implementation arrives with log
 * truncation (ROADMAP, durable storage).
 */
import type { LogId, MemberId } from '../raft/types.js';

/** What a snapshot stands for. @since 0.1.0 */
export interface SnapshotMeta {
  /** Last entry that is in it. */
  readonly last: LogId;
  /** Configuration at that index. */
  readonly voters: readonly MemberId[];
  /** Bytes of all chunks. */
  readonly size: number;
}

/** A snapshot being written. Exactly one of `commit` and `discard` ends it. @since 0.1.0 */
export interface SnapshotSink {
  /** In order; one call at a time. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes it durable and visible under its id. */
  commit(): Promise<SnapshotMeta>;
  /** Leaves no trace. Idempotent. */
  discard(): Promise<void>;
}

/**
 * Caller: the driver. Any number of readers may overlap with one sink.
 *
 * @since 0.1.0
 */
export interface SnapshotStore {
  /** Newest complete snapshot, or `undefined`. */
  latest(): Promise<SnapshotMeta | undefined>;
  /** Starts a new one; a second one meanwhile rejects with `ARGUMENT_INVALID`. */
  create(last: LogId, voters: readonly MemberId[]): Promise<SnapshotSink>;
  /** Chunks in order, each verified before it is handed out; `STATE_CORRUPT` on damage. */
  read(meta: SnapshotMeta): AsyncIterable<Uint8Array>;
  /** Removes all but the newest. */
  prune(): Promise<void>;
}
