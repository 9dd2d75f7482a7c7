/**
 * Where the keyspace's backend lives, as far as a state machine must know to put a whole other state
 * in its place (DESIGN §4.14).
 */
import type { Backend, StoredRecord } from './backend.js';

/** A state being loaded beside the present one. Exactly one of `finish` and `discard` ends it. @since 0.1.0 */
export interface StateLoad {
  /** Adds records, each key once in the whole load. One call at a time; wait for what it returns. */
  add(records: readonly StoredRecord[]): void | Promise<void>;
  /**
   * Makes the state durable and puts it in the place of the one before: after a crash it is one or
   * the other. The backend before still works and is the caller's to close.
   *
   * @throws {KontikiError} NO_SPACE: it may be loaded once more; STORAGE_IO: the next open finds one or
   *   the other
   */
  finish(): Promise<Backend>;
  /** Lets go of what was loaded. Never rejects. */
  discard(): Promise<void>;
}

/** Caller: the state machine, one load at a time. @since 0.1.0 */
export interface StateHome {
  /**
   * Begins to load a state.
   *
   * @param appliedIndex - last entry that is in it
   * @throws {KontikiError} NO_SPACE, STORAGE_IO
   */
  load(appliedIndex: number): Promise<StateLoad>;
  /** The backend before was closed after a `finish`: frees its space. Never rejects. */
  retire(): Promise<void>;
}
