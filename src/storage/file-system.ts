/**
 * Files, as little of them as the log, snapshots and identity need. `storage/node-fs` is the
 * adapter to Node; the simulator supplies a disk that loses, tears and flips.
 *
 * Rules for every implementer: paths use `/`; a method that fails rejects with a `KontikiError`
 * (`NO_SPACE` for a full disk, `STORAGE_IO` for all else, both with `cause`) and has done nothing,
 * or an unknown part of its work for `write`. Nothing is durable before a `sync`; names (create,
 * rename, remove) are durable only after `syncDirectory` of their folder.
 */
import type { Crc32 } from '../base/crc32.js';

/** @since 0.1.0 */
export interface WriteOptions {
  /**
   * The caller calls `sync` as soon as the write has settled. An implementation may do both at once:
   * then the write settles when both are done, and how the sync went is told by `sync`. Default false.
   */
  readonly thenSync?: boolean | undefined;
}

/** An open file. Positions and sizes are in bytes. @since 0.1.0 */
export interface StorageFile {
  /** Current size. */
  size(): Promise<number>;
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * Writes all chunks back to back from `offset`, growing the file as needed. The caller leaves the
   * chunks alone until it settles. Calls may overlap only on disjoint ranges. A call that fails may
   * have written part of its range: after `NO_SPACE` that may be cut off or written again, after any
   * other failure the file is only cut, and closed.
   */
  write(offset: number, chunks: readonly Uint8Array[], options?: WriteOptions): Promise<void>;
  /**
   * Resolves once everything whose `write` settled before the call is on stable storage, size
   * included. A failure is final: the file must not be written or synced again (reliability §0.5).
   */
  sync(): Promise<void>;
  /** Cuts or extends (with zeros) to `size`. */
  truncate(size: number): Promise<void>;
  /** Idempotent. Syncs nothing. */
  close(): Promise<void>;
}

/** @since 0.1.0 */
export type OpenMode = 'create' | 'read' | 'read-write';

/** @since 0.1.0 */
export interface OpenOptions {
  /**
   * Callers wait for each write and sync: they should not queue behind other work of the process.
   * Default false.
   */
  readonly urgent?: boolean | undefined;
}

/** Held until released or until the process dies. @since 0.1.0 */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** @since 0.1.0 */
export interface FileSystem {
  /** Checksum of the platform; equal to `base/crc32`. */
  readonly crc32: Crc32;
  /**
   * Creates the folder and its parents, if missing (mode 0700). The names of parents that were
   * missing are durable when it resolves, but for those in a folder that may not be read and so not
   * be synced; its own is after `syncDirectory`, like any other.
   */
  makeDirectory(path: string): Promise<void>;
  /** Names in the folder, in ascending order; empty when the folder does not exist. */
  list(path: string): Promise<readonly string[]>;
  /**
   * Opens a file (mode 0600). `create` fails if it exists; `read` and `read-write` fail if it does
   * not.
   */
  open(path: string, mode: OpenMode, options?: OpenOptions): Promise<StorageFile>;
  /** The whole file, or `undefined` when there is none. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder; silent when there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in the folder durable. */
  syncDirectory(path: string): Promise<void>;
  /**
   * Takes the folder (which must exist) for this owner alone.
   *
   * @throws {KontikiError} DIR_LOCKED, when another process, or another part of this one, holds it
   */
  lock(path: string): Promise<DirectoryLock>;
}
