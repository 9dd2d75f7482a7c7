/** What the keyspace answers: a result, or why it refuses. */
import type { CommandResult, RangeResult } from '../../mvcc/types.js';

/** Why the keyspace refuses a command or a read; nothing changes. @since 0.1.0 */
export type KeyspaceRefusal =
  | { readonly code: 'COMPACTED'; readonly compactRevision: number }
  | { readonly code: 'FUTURE_REVISION'; readonly revision: number }
  | {
      readonly code: 'KEY_NOT_FOUND' | 'LEADER_CHANGED' | 'LEASE_EXISTS' | 'LEASE_NOT_FOUND';
    };

/** @since 0.1.0 */
export type KeyspaceAnswer = CommandResult | KeyspaceRefusal | RangeResult;
