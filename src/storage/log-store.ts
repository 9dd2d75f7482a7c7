/**
 * The replicated log and the hard state on stable storage.
 */
import type { LogReader } from '../raft/log-reader.js';
import type { Entry, HardState, IndexRange } from '../raft/types.js';

/** One write; all of it becomes durable, or none of it counts. @since 0.1.0 */
export interface LogBatch {
  /** Present when it changed. */
  readonly hardState?: HardState;
  /**
   * Contiguous; the first index is at most `lastIndex() + 1`. An entry at index i replaces
   * everything from i on. May be empty.
   */
  readonly entries: readonly Entry[];
  /**
   * False allows the store to leave the write in the page cache, where a later sync covers it, or,
   * when nothing but the commit index moved, to keep it for the next write or for `close`.
   */
  readonly mustSync: boolean;
}

/**
 * Caller: the driver, one per store. Opened by its implementation's own `open` function, which
 * verifies everything it will later answer from.
 *
 * - `append` calls may overlap; they take effect, and settle, in call order. The reader half shows
 *   an append's entries as soon as `append` was called.
 * - After an `append` rejected, every later one rejects too (`STORAGE_IO`, or `NO_SPACE` with
 *   nothing written), and what the failed one left on the medium is settled by the next open.
 *
 * @since 0.1.0
 */
export interface LogStore extends LogReader {
  /**
   * Resolves when the batch, and every batch before it, is on stable storage.
   *
   * @throws {KontikiError} STORAGE_IO, NO_SPACE, CLOSED
   */
  append(batch: LogBatch): Promise<void>;
  /**
   * Loads older entries so that `entries` answers for them, at least until the next event-loop
   * turn. May overlap with anything.
   */
  fetch(range: IndexRange): Promise<void>;
  /** The state machine has applied entries up to `index`: older ones may leave memory. */
  applied(index: number): void;
  /** Waits for what is in flight, then lets go of the medium. Idempotent. */
  close(): Promise<void>;
}
