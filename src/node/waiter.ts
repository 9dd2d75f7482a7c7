/**
 * One call of `propose`, from its beginning to its end, and what is known of the copies of its command
 * that are on their way.
 */
import type { MemberId } from '../raft/types.js';

/** Name of a proposal, to be written into its command. @since 0.1.0 */
export interface ProposalId {
  readonly session: number;
  readonly seq: number;
  /** Every proposal of the session below this one is settled. */
  readonly doneBelow: number;
}

/** @since 0.1.0 */
export interface ProposeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Only this member may take it, and only while it leads this term; else `LEADER_CHANGED`, outcome
   * `rejected`. Default: whoever leads.
   */
  readonly ownTerm?: number | undefined;
}

/** Proposals sent together; a refusal is about all of them. @since 0.1.0 */
export interface SentBatch {
  readonly id: number;
  readonly to: MemberId;
  readonly seqs: readonly number[];
  /** That are on their way to another member. */
  bytes: number;
  /** Monotonic time from which they count as off it, wherever they are. */
  readonly passedMs: number;
  /** Monotonic time from which it counts as lost. */
  dueMs: number;
  /** Proposals that somebody waits for in it. */
  open: number;
}

/** @since 0.1.0 */
export interface Waiter {
  readonly seq: number;
  /** Takes the end of it; called once. */
  readonly end: {
    resolve(value: unknown): void;
    reject(error: unknown): void;
  };
  readonly bucket: number;
  readonly openedMs: number;
  readonly stopListening: (() => void) | undefined;
  readonly ownTerm: number | undefined;
  /** Encodes it anew, under another session; absent for what is sent at most once. */
  readonly encode: ((id: ProposalId) => Uint8Array) | undefined;
  /** Under which `command` stands. */
  session: number;
  /** Let go of when nobody can need it again. */
  command: Uint8Array;
  /** Term the last copy was sent in; 0 while the waiter is queued. */
  term: number;
  batch: SentBatch | undefined;
  /**
   * Highest term of earlier copies that may still be taken, or be in the log; 0: none. `Infinity` when
   * a snapshot came that may have one in it: no later entry tells then.
   */
  doubt: number;
  /** Copies so far. */
  copies: number;
}

/**
 * Whether nothing of it can take effect as long as it is not handed over (again).
 *
 * @since 0.1.0
 */
export function isUnsent({ doubt, term }: Waiter): boolean {
  return term === 0 && doubt === 0;
}
