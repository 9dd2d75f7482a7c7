/**
 * Facts a store reports: those of its member, and of its keyspace.
 */
import type { MemberEvents } from '../node/index.js';
import type { StoreAlarm } from './alarms.js';

/** @since 0.1.0 */
export interface StoreEvents extends MemberEvents {
  /** History below `compactRevision` was given up, by the store itself or by a call of `compact`. */
  compacted: [event: { readonly compactRevision: number }];
  /** An alarm was raised or ended; `alarms` are those that are left. */
  alarms: [event: { readonly alarms: readonly StoreAlarm[] }];
}
