/**
 * The ordered key-value engine below the keyspace. Keys are binary strings (one unit 0..255 per
 * byte) and sort like their bytes; values are bytes that nobody changes after handing them over.
 */
import type { BinaryString } from '../base/bytes.js';

/**
 * Puts and deletes applied together or not at all. A value of `undefined` deletes. A key may come more than once: the
 * last one counts.
 *
 * @since 0.1.0
 */
export type EngineBatch = Iterable<readonly [BinaryString, Uint8Array | undefined]>;

/** Keys from `gte` (inclusive) to `lt` (exclusive). @since 0.1.0 */
export interface KeyRange {
  readonly gte: BinaryString;
  readonly lt: BinaryString;
}

/** What a cursor walks. @since 0.1.0 */
export interface CursorRange extends KeyRange {
  /** From the high end down; default false. */
  readonly reverse?: boolean;
  /** A walk over much of the state: what it reads need not push other things out of a cache. */
  readonly bulk?: boolean;
}

/** @since 0.1.0 */
export type EnginePair = readonly [BinaryString, Uint8Array];

/** A cursor over the state at the time it was made; later writes do not show. @since 0.1.0 */
export interface EngineIterator {
  /** Up to `count` further pairs; an empty array at the end. One call at a time. */
  next(count: number): Promise<readonly EnginePair[]>;
  /** Idempotent; must be called once the cursor is no longer needed. */
  close(): Promise<void>;
}

/** @since 0.1.0 */
export interface EngineWriteOptions {
  /**
   * On stable storage when the write resolves; the first one since the engine was opened with all that
   * showed then. Batches of this life that were not synced themselves may be lost even so: LevelDB does
   * not sync a log of its own that it has filled.
   */
  readonly sync: boolean;
  /**
   * Lets others run. An engine to which handing over a batch costs time on this thread awaits it
   * every few hundred microseconds; nothing of the batch shows before it is written as a whole.
   */
  readonly pause?: (() => Promise<void>) | undefined;
}

/**
 * Caller: the write-behind backend. Reads may overlap with everything; `write` calls never overlap.
 * Engine failures reject with `STORAGE_IO` (`NO_SPACE` when the disk is full) and a `cause`; after
 * a failed `write` the engine is not used again.
 *
 * @since 0.1.0
 */
export interface KvEngine {
  /** Values at the time of the call, in the order of `keys`. */
  getMany(keys: readonly BinaryString[]): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * The same inside this call, as long as that costs microseconds; `undefined`: not these, or not now,
   * and `getMany` is to be asked. Absent from engines that only wait for their answers.
   *
   * @throws {KontikiError} STORAGE_IO, STATE_CORRUPT, CLOSED
   */
  getNow?(keys: readonly BinaryString[]): readonly (Uint8Array | undefined)[] | undefined;
  /** The view is fixed inside this synchronous call. */
  iterate(range: CursorRange): EngineIterator;
  /** One atomic batch, which is walked once; the caller leaves it alone until the write settles. */
  write(batch: EngineBatch, options: EngineWriteOptions): Promise<void>;
  /** Waits for what is in flight. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the engine in a folder of its own, creating it if missing.
 *
 * @throws {KontikiError} DIR_LOCKED, STATE_CORRUPT, STORAGE_IO
 * @since 0.1.0
 */
export type OpenEngine = (path: string) => Promise<KvEngine>;
