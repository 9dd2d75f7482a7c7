/**
 * Limits of the driver alone: those in `base/limits.ts` are part of every bundle of the core.
 */
import { assert } from '../base/assert.js';
import { limits } from '../base/limits.js';

const MiB = 1024 * 1024;

/** @since 0.1.0 */
export const nodeLimits = {
  /** Bytes of a follower's log that are committed and not applied, above which it takes no more entries. */
  backlogBytesMax: 64 * MiB,
  /** Entries of it, which weigh more in memory than their bytes. */
  backlogEntriesMax: 262_144,
  /** Unacknowledged bytes per follower. A path that is slow, or a member that takes none, has as much in front of heartbeats. */
  inflightBytesMax: 8 * MiB,
  /**
   * Bytes of commands on their way from one member to the leader; the others wait. Answers wait behind them,
   * and a leader that hears none for an election timeout leads no more: in a second they pass where 19 Mbit/s
   * do. Enough for two values of 1 MiB, and for all that a session may have under way of some 500 bytes each.
   */
  forwardBytesMax: 2.25 * MiB,
} as const;

assert(
  2 * limits.appendBytesMax <= nodeLimits.forwardBytesMax,
  'one batch is made while one is applied',
);
assert(
  nodeLimits.forwardBytesMax < limits.peerQueueBytesMax / 8,
  'what is forwarded leaves a peer queue to other messages',
);
assert(
  limits.appendBytesMax <= limits.requestBytesMax,
  'several forwarded requests are no more than one may be',
);
