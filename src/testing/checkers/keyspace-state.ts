/**
 * The keyspace as the checkers know it: plain values, a state for every revision, and nothing of the
 * product but the types of what is asked and answered.
 */
import type { LeaseEntry } from '../../mvcc/lease-types.js';
import type { KeyVersion, ReadLease } from '../../mvcc/types.js';
import { SortedMap } from './sorted-map.js';

/** What keys hold at a revision. @since 0.1.0 */
export type KeyspaceContent = SortedMap<string, KeyVersion>;

/** All that the answers of a keyspace depend on. @since 0.1.0 */
export interface KeyspaceState {
  /** 1 before the first change. */
  readonly revision: number;
  /** The oldest revision that can be read; 0 before the first compaction. */
  readonly compactRevision: number;
  readonly current: KeyspaceContent;
  /** The content at each revision, this one included. */
  readonly past: SortedMap<number, KeyspaceContent>;
  readonly leases: SortedMap<bigint, LeaseEntry>;
  readonly readLease: ReadLease;
  /** Members whose alarms are raised. */
  readonly alarms: readonly number[];
}

/**
 * A keyspace that nobody has written to.
 *
 * @since 0.1.0
 */
export function emptyKeyspace(): KeyspaceState {
  const current: KeyspaceContent = SortedMap.empty();
  return {
    revision: 1,
    compactRevision: 0,
    current,
    past: SortedMap.empty<number, KeyspaceContent>().set(1, current),
    leases: SortedMap.empty(),
    readLease: { leaseMs: 0, everMs: 0 },
    alarms: [],
  };
}
