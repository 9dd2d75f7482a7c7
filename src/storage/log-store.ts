/**
 * The replicated log and the hard state on stable storage.
 */
import type { ConfState } from '../raft/configuration.js';
import type { LogReader } from '../raft/log-reader.js';
import type { Entry, HardState, IndexRange, LogId } from '../raft/types.js';

/** The members as an applied entry left them. @since 0.1.0 */
export interface AppliedConfiguration {
  /** Index of that entry; 0 for those the log was started with. */
  readonly index: number;
  readonly configuration: ConfState;
}

/** A snapshot that takes the place of the log up to its last entry. @since 0.1.0 */
export interface SnapshotMark {
  readonly last: LogId;
  /** Members at that entry. */
  readonly configuration: ConfState;
}

/** One write; all of it becomes durable, or none of it counts. @since 0.1.0 */
export interface LogBatch {
  /**
   * A snapshot whose file is durable and whose state is to replace the state machine's: empties the
   * log to its last entry before `entries` follow. Until {@link LogStore.installed} it is in
   * {@link LogStore.installing}, after a crash too, so that the next open can finish the work.
   */
  readonly snapshot?: SnapshotMark | undefined;
  /**
   * Members after an entry was applied that changes them; indexes only rise, but for entries that
   * are applied again after a restart: the log leaves out what it knows. Must be durable before
   * the state machine is up to that entry: what `initialState` answers after a restart rests on it.
   */
  readonly configuration?: AppliedConfiguration | undefined;
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
 * - While {@link LogStore.waitForSpace} says so, a write for which there is no space waits until there
 *   is: `hasSpace` is false meanwhile. `close` refuses what still waits (`NO_SPACE`).
 * - After an `append` rejected, every later one rejects too (`STORAGE_IO` or `NO_SPACE`), reading
 *   goes on, and what the failed one left on the medium is settled by the next open.
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
  /** The snapshot whose install has begun and is not done, if there is one. */
  readonly installing: SnapshotMark | undefined;
  /** The state machine durably is the snapshot that was `installing`. Resolves when that is durable. */
  installed(last: LogId): Promise<void>;
  /**
   * Entries up to `index` are not needed any more: removes as many of them as the medium can let go
   * of cheaply, and moves `firstIndex` behind those, never backwards. Entries above `index` stay.
   * Calls may overlap with anything.
   *
   * @param index - at most the state machine's durable index
   * @throws {KontikiError} STORAGE_IO, NO_SPACE, CLOSED; when only removing failed, the log goes on
   */
  truncate(index: number): Promise<void>;
  /** About the bytes on the medium that entries above `index` take. */
  bytesAbove(index: number): number;
  /**
   * Whether the driver runs, and calls {@link LogStore.reserve} now and then while there is no space: no
   * write needs to fail for want of it. At first nobody does. With `false`, what waits is refused.
   */
  waitForSpace?(isWaitedFor: boolean): void;
  /** False while there is no space for what comes next: the time to refuse proposals. */
  readonly hasSpace: boolean;
  /**
   * Tries once more to get space, for a write that waits for it as well; resolves to `hasSpace`, which
   * such a write may change later. Rejects never.
   */
  reserve(): Promise<boolean>;
  /** Waits for what is in flight, but not for space, then lets go of the medium. Idempotent. */
  close(): Promise<void>;
}
