/**
 * `kontiki/store`: the replicated key-value store as a part, to be wired by hand.
 *
 * @module
 */
export type { StoreAlarm } from './alarms.js';
export type { StoreEvents } from './events.js';
export { KeyValue } from './key-value.js';
export type * from './kv-client.js';
export {
  Lease,
  type LeaseRevokeResponse,
  type LeaseStatus,
  type TimeToLiveOptions,
} from './lease.js';
export type { FindLeaseOptions, LeaseInfo, LeaseOptions } from './leases.js';
export { type MemberAddOptions, type MemberName, StoreMembers } from './members.js';
export type { StoreMetrics } from './metrics.js';
export {
  type Comparisons,
  cmp,
  type InnerTxn,
  op,
  type Relations,
  type TxnOperation,
} from './operations.js';
export { Scan } from './scan.js';
export type { StateHashAt } from './state-hashes.js';
export { StoreStateMachine } from './state-machine.js';
export type { StoreStatus } from './status.js';
export { Store } from './store.js';
export type { StoreParts } from './store-parts.js';
export { Txn, type TxnOperationResponse, type TxnResponse } from './txn.js';
export { Watch } from './watch.js';
export type { WatchBatch, WatchEvent } from './watch-batch.js';
