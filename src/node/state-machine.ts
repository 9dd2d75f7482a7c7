/**
 * What a replicated state machine is to the driver (DESIGN §4.4). The keyspace is one; a user's own
 * database is another.
 */
import type { Entry } from '../raft/types.js';
import type { ProposalId } from './waiter.js';

/** Result of one entry: a value for its proposer, or the error that every member came to. @since 0.1.0 */
export interface ApplyResult {
  /** Identifies the proposal, as written into the entry by its proposer; `undefined` for none. */
  readonly requestId?: RequestId | undefined;
  /** What `propose` resolves with, or rejects with when it is a `KontikiError`. */
  readonly value: unknown;
}

/** Names a proposal across members: a proposer's session and its running number. @since 0.1.0 */
export interface RequestId {
  readonly session: number;
  readonly seq: number;
}

/**
 * Sessions of a state machine that executes a request at most once however often it comes (DESIGN
 * §4.8). Requests of a session that is not known any more, or whose answers are not, it must refuse with
 * `SESSION_EXPIRED`, and never execute later. It has to know the newest `limits.sessionAnswersMax`
 * requests of a session.
 *
 * @since 0.1.0
 */
export interface SessionProtocol {
  /** Command that opens a session, under a name that is none of a session. */
  open(id: ProposalId): Uint8Array;
  /** Id of the session that was opened, below `sessionIdEnd`, from what was answered. */
  idOf(value: unknown): number;
}

/** How long a leader may read without asking the others (DESIGN §4.18). @since 0.1.0 */
export interface ReadLeaseSetting {
  /** Milliseconds; 0 for never. */
  readonly leaseMs: number;
  /** What it is or was; a group has one length for good. */
  readonly everMs: number;
}

/**
 * A state at one moment as a stream of bytes, read while later entries are applied. `next` and
 * `close` are called one at a time; only `close` after `next` rejected or answered `undefined`.
 *
 * @since 0.1.0
 */
export interface StateSnapshot {
  /** Last entry that is in it. */
  readonly appliedIndex: number;
  /** The next bytes, to be used before the next call; `undefined` at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Must be called once. */
  close(): Promise<void>;
}

/**
 * Caller: the driver. Life: `open` once, then `apply` (one batch at a time, in index order, without
 * gap), `close` once. `flush` may overlap with `apply`.
 *
 * `apply` must be a pure function of state and entry: no clock, option, limit, version or
 * randomness. It sees entries again after a crash, from `appliedIndex + 1` of the next `open`.
 *
 * @since 0.1.0
 */
export interface StateMachine {
  /** Loads the durable state; `appliedIndex` is the last entry in it, 0 for none. */
  open(): Promise<{ readonly appliedIndex: number }>;
  /**
   * Applies entries in order; one result per entry. One without data is the node's own, and changes
   * nothing. A rejection stops the member.
   *
   * @param isAwaited - whether somebody here waits for the result of a proposal: of another one the value may be
   *   left out, for a batch of small entries may have answers of any size. Absent: all are wanted
   */
  apply(
    entries: readonly Entry[],
    isAwaited?: (id: RequestId) => boolean,
  ): Promise<readonly ApplyResult[]>;
  /**
   * The member is about to close: an `apply` under way need not be finished. It may reject, as if the
   * process had ended in its middle; its entries come again after the next `open`.
   */
  interrupt?(): void;
  /** The log is kept above this index. Never goes down. */
  readonly durableIndex: number;
  /**
   * False while what was applied waits for space on the disk, which `space` events tell. Absent: it never
   * does.
   */
  readonly hasSpace?: boolean;
  /** The replicated setting of lease reads as it is in the *durable* state, from `open` on. */
  readonly durableReadLease?: ReadLeaseSetting;
  /** Absent: a proposal is handed over once, and its caller has to know what to repeat. */
  readonly sessions?: SessionProtocol;
  /** Makes everything applied so far durable. */
  flush(): Promise<void>;
  /**
   * The state as it is now, in O(1). Called between two batches, and not for a second one before the
   * first is closed. A state machine without it, or without `restore`, lives with members that never
   * fall behind what the log keeps: its log is not truncated.
   */
  snapshot?(): StateSnapshot;
  /**
   * Replaces the state by one that {@link snapshot} gave on another member. Called between two
   * batches, after `flush`, and at start after `open`. Durable when it resolves; after a crash the
   * state is the old or the new one, never a mix. The end of `chunks` without an error is what says
   * that they are right. A rejection stops the member; one with `NO_SPACE` says that the state is the old
   * one, and it is called again.
   *
   * @param appliedIndex - last entry that is in the new state
   * @param chunks - its bytes, cut anywhere
   */
  restore?(appliedIndex: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Flushes if it can and lets go of its resources. Idempotent. */
  close(): Promise<void>;
}
