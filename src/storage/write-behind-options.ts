/**
 * What a write-behind backend is made with.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Timers } from '../base/clock.js';
import type { KontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { engineWriteBufferBytes } from './flush-chain.js';
import type { KeptRecords } from './flushed-records.js';
import type { KvEngine } from './kv-engine.js';
import { sortKeysMax } from './overlay.js';
import type { CountedKeys } from './range-count.js';

/** @since 0.1.0 */
export const writeBehindDefaults = {
  // What changes again within a second is written once (docs/adr/0022-where-a-put-goes.md).
  flushIntervalMs: 1_000,
  // More makes turns long: LevelDB's batch is one string, and doubles.
  flushBytes: 8 * 1024 * 1024,
  // From here on it is a table of its own.
  aheadBytesMin: engineWriteBufferBytes,
  overlayBytesMax: limits.overlayBytesMax,
  sortKeysMax,
} as const;

/** How an engine that ran out of space is opened again. @since 0.1.0 */
export interface EngineReopening {
  /**
   * Whether there is enough of it by now. Never rejects.
   *
   * @param bytes - of the changes that wait
   */
  hasSpace(bytes: number): Promise<boolean>;
  /** Opens the engine again, which was closed. */
  open(): Promise<KvEngine>;
}

/** @since 0.1.0 */
export interface WriteBehindOptions {
  /** Owned by the backend from here on. */
  readonly engine: KvEngine;
  readonly timers: Timers;
  /** Milliseconds from the first change to the flush that takes it; default 1,000. */
  readonly flushIntervalMs?: number;
  /** Bytes of changes that start a flush earlier; default 8 MiB. */
  readonly flushBytes?: number;
  /** Bytes of history, and of the rest, with which history goes ahead of a flush (`flush-ahead.ts`); default 1 MiB. */
  readonly aheadBytesMin?: number;
  /** Bytes of changes, those being flushed included, at which `ready` waits; default 64 MiB. */
  readonly overlayBytesMax?: number;
  /**
   * Keys of changes that a read of a range sorts, copies or indexes at once, twice as many at most; with more than
   * these to index, single keys are read in several turns, too. Default 4,096.
   */
  readonly sortKeysMax?: number;
  /**
   * Throws (`STATE_CORRUPT`) when a record is not what was written. Called for each record of a view;
   * what is read otherwise is verified by its decoder. Default: nothing is.
   */
  readonly verify?: (key: BinaryString, bytes: Uint8Array) => void;
  /** Keys whose number is kept in mind, so that few are read to count them. Default: none. */
  readonly counted?: CountedKeys;
  /** Keys whose records stay in memory for a while once they are flushed. Default: none. */
  readonly kept?: KeptRecords | undefined;
  /** First units of keys that are written once and seldom read: see `AppendedChanges`. Default: none. */
  readonly appended?: BinaryString | undefined;
  /** How to go on after a flush that found no space. Default not at all: it failed like any other. */
  readonly reopening?: EngineReopening | undefined;
  /**
   * Called once, when a flush failed: nothing becomes durable any more. Reads still work. Not called once it
   * is being closed: `close` tells.
   */
  readonly onFailed?: (error: KontikiError) => void;
}

/** With {@link writeBehindDefaults}. @since 0.1.0 */
export type WriteBehindSettings = WriteBehindOptions &
  Record<keyof typeof writeBehindDefaults, number>;
