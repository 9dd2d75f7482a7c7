/**
 * What the core wants done. The driver takes one `Ready` after feeding inputs and carries it out;
 * several may be under way at once, because storage and apply answer with messages.
 */

import type { Message, PeerMessage, StorageApplyResponse } from './messages.js';
import type { ReadState } from './read-index.js';
import type { Entry, HardState, IndexRange, Snapshot, SoftState } from './types.js';

/**
 * One write to stable storage. Writes are handed out in order and must become durable in order.
 *
 * @since 0.1.0
 */
export interface StorageAppend {
  /** Present when it changed. */
  readonly hardState?: HardState;
  /** Replaces log and state machine, before `entries` follow it. */
  readonly snapshot?: Snapshot;
  /** To append; an entry at index i replaces everything from i on. */
  readonly entries: readonly Entry[];
  /** False when at most the commit index changed: the write may then stay in the page cache. */
  readonly mustSync: boolean;
  /**
   * Pledges that rest on this write and on all before it. Release them, in order, only once it is
   * durable: those addressed to this member through `step`, all others through the transport. In
   * synchronous mode there are only others: `advance` steps this member's own.
   */
  readonly responses: readonly Message[];
}

/**
 * Committed entries for the state machine, in index order, each handed out once.
 *
 * @since 0.1.0
 */
export interface StorageApply {
  readonly entries: readonly Entry[];
  /** To be stepped once all of them are applied. */
  readonly response: StorageApplyResponse;
}

/**
 * Effects since the last `Ready`.
 *
 * Order for the driver: `messages` may leave at once, beside the write; `append.responses` only
 * after the write is durable; `apply` may run beside both, since entries are never in it before
 * their own append was answered. In synchronous mode the same entries may be in `append` and in
 * `apply`: the write comes first, and `advance` last.
 *
 * @since 0.1.0
 */
export interface Ready {
  /** Present when leader or role changed. */
  readonly softState?: SoftState;
  /** Reads that may be served once the state machine has applied their index. */
  readonly reads: readonly ReadState[];
  /** May leave now. They carry no promise about data that is not durable yet. */
  readonly messages: readonly PeerMessage[];
  readonly append?: StorageAppend;
  readonly apply?: StorageApply;
  /** Persisted entries the core needs but the reader answered `'pending'` for. */
  readonly fetch: readonly IndexRange[];
}
