/**
 * How the keyspace reaches stored records: reads are data (`ReadPlan`), fetched by somebody else
 * before execution, so that execution is synchronous and the same everywhere (DESIGN §4.12).
 */
import type { BinaryString } from '../base/bytes.js';

/** A stretch of record keys to read, in order, from one end. @since 0.1.0 */
export interface RangeRead {
  /** Inclusive. */
  readonly gte: BinaryString;
  /** Exclusive. */
  readonly lt: BinaryString;
  /** At most this many records; default all. */
  readonly limit?: number;
  /** Ends behind the record with which their values reach so many bytes; default never. */
  readonly bytesMax?: number;
  /** From the high end down; default false. */
  readonly reverse?: boolean;
}

/** A stretch of record keys whose records are to be counted. @since 0.1.0 */
export interface CountRead {
  /** Inclusive. */
  readonly gte: BinaryString;
  /** Exclusive. */
  readonly lt: BinaryString;
}

/** What a command or a query must see. @since 0.1.0 */
export interface ReadPlan {
  readonly keys: readonly BinaryString[];
  readonly ranges: readonly RangeRead[];
  /** Default none. */
  readonly counts?: readonly CountRead[];
}

/** @since 0.1.0 */
export type StoredRecord = readonly [key: BinaryString, bytes: Uint8Array];

/** The answer to a {@link ReadPlan}: one view of one moment. @since 0.1.0 */
export interface ReadSet {
  /** Record of each planned key, in plan order. */
  readonly records: readonly (Uint8Array | undefined)[];
  /** Records of each planned range, in plan order. */
  readonly ranges: readonly (readonly StoredRecord[])[];
  /** How many records are in each stretch, in plan order; present when there were any in the plan. */
  readonly counts?: readonly number[];
}

/** One change to the stored records; `undefined` deletes. @since 0.1.0 */
export type Change = readonly [key: BinaryString, bytes: Uint8Array | undefined];

/**
 * All stored records as of one applied index, in key order. Later changes do not show, however long
 * it lives; it keeps what it shows from being freed.
 *
 * @since 0.1.0
 */
export interface StateView {
  readonly appliedIndex: number;
  /**
   * At least one and at most `count` further records; none at the end. One call at a time. Each is
   * verified as far as the backend was told how.
   *
   * @throws {KontikiError} STATE_CORRUPT, STORAGE_IO, CLOSED
   */
  next(count: number): Promise<readonly StoredRecord[]>;
  /** Must be called once the view is not needed any more. Idempotent. */
  close(): Promise<void>;
}

/**
 * The changes of an entry that is too large for one turn, while they are being made. Nothing shows
 * them, no flush or view takes them, before `Backend.apply` is given all of them; one that is given to
 * nobody is as if it had never been.
 *
 * @since 0.1.0
 */
export interface StagedChanges {
  /**
   * Takes some more. Resolves in a later turn, so that others get to run. One call at a time.
   *
   * @throws {KontikiError} CLOSED; or what a flush failed with
   */
  add(changes: readonly Change[]): Promise<void>;
}

/**
 * The keyspace's store.
 *
 * Caller: the state machine. `read` calls may overlap with each other and with `apply`; each sees
 * exactly the changes applied before it was called. `apply` is synchronous: afterwards every read
 * sees all of it, and it becomes durable together with its `appliedIndex`, in order, some time
 * later (`durableIndex` says how far).
 *
 * @since 0.1.0
 */
export interface Backend {
  /**
   * A plain value when nothing has to be waited for. Rejects with `STORAGE_IO`, `STATE_CORRUPT`, or
   * throws them.
   */
  read(plan: ReadPlan): ReadSet | Promise<ReadSet>;
  /**
   * Takes the changes of everything up to and including `appliedIndex`. The same index again brings
   * changes that are no entry's effect and that nothing shows: removals of compacted history, and
   * versions that move there ahead of the large entry that ends them.
   *
   * @param staged - of the same entry, before `changes`; takes no longer however many they are
   */
  apply(changes: readonly Change[], appliedIndex: number, staged?: StagedChanges): void;
  /** Begins to collect the changes of one large entry. */
  stage(): StagedChanges;
  /** Applied index the stored records were opened at. */
  readonly openedIndex: number;
  /** Everything up to this applied index is on stable storage. Never goes down. */
  readonly durableIndex: number;
  /** Resolves when there is room for more changes; a plain value when there is room now. */
  ready(): void | Promise<void>;
  /** Lets the turn end: whoever applies much calls it now and then, so that others run. */
  pause(): Promise<void>;
  /** Makes everything applied so far durable. */
  flush(): Promise<void>;
  /** The state as it is now, in O(1), to be read beside later `apply` calls. */
  capture(): StateView;
  /** False while what was applied waits for space on the disk. Absent: it never does. */
  readonly hasSpace?: boolean;
  /** From here on nothing waits for space any more: it fails. */
  interrupt?(): void;
  /** Flushes, then closes; open views end. Waits for no space. Idempotent. */
  close(): Promise<void>;
}
