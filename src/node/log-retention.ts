/**
 * How much of its log a member keeps (DESIGN §4.13): enough that a follower which was away for a
 * moment, or is merely slow, catches up from the log, and not so much that one which stays away fills
 * the disk; that one gets a snapshot.
 */
import { limits } from '../base/limits.js';

/** What the rule is about. Indexes are of entries. @since 0.1.0 */
export interface RetentionFacts {
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** The state machine is durable up to here. */
  readonly durableIndex: number;
  /** Last entry known to be on each follower that was active in the last minute; none on a follower. */
  readonly matches: readonly number[];
  /** Bytes on the medium that entries above an index take. Never less for a lower index. */
  readonly bytesAbove: (index: number) => number;
}

/** How much is kept. @since 0.1.0 */
export interface RetentionLimits {
  /** Default `limits.retainedEntriesMin`. */
  readonly entriesMin: number;
  /** Default `limits.retainedBytesMin`. */
  readonly bytesMin: number;
  /** Default `limits.retainedBytesMax`. */
  readonly bytesMax: number;
}

const defaults: RetentionLimits = {
  entriesMin: limits.retainedEntriesMin,
  bytesMin: limits.retainedBytesMin,
  bytesMax: limits.retainedBytesMax,
};

/**
 * The last entry that need not be kept, for `LogStore.truncate`; `firstIndex - 1` when all must be.
 *
 * @param facts - see {@link RetentionFacts}
 * @param limits - see {@link RetentionLimits}
 * @since 0.1.0
 */
export function unneededIndex(facts: RetentionFacts, limits: RetentionLimits = defaults): number {
  const { bytesAbove, durableIndex, firstIndex, lastIndex, matches } = facts;
  const none = firstIndex - 1;
  const byCount = Math.min(durableIndex, lastIndex - limits.entriesMin);
  if (byCount <= none || bytesAbove(none) < limits.bytesMin) return none;
  const always = Math.min(byCount, lastWithBytes(facts, limits.bytesMin));
  const match = Math.min(...matches, always);
  if (match === always || bytesAbove(none) < limits.bytesMax) return Math.max(match, none);
  // The slowest follower may hold back this much and no more.
  return Math.max(none, match, Math.min(always, lastWithBytes(facts, limits.bytesMax)));
}

/** The last index above which there are at least `bytes`; the caller knows that there is one. */
function lastWithBytes({ bytesAbove, firstIndex, lastIndex }: RetentionFacts, bytes: number) {
  let low = firstIndex - 1;
  let high = lastIndex;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (bytesAbove(middle) >= bytes) low = middle;
    else high = middle - 1;
  }
  return low;
}
