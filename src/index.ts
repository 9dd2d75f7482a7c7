/**
 * `kontiki`: a replicated, watchable key-value store inside a Node process.
 *
 * @module
 */

export type { StoreOptions } from './assembly/store-config.js';
export { type ErrorCode, isKontikiError, KontikiError, type Outcome } from './base/errors.js';
export { openStore } from './preset/open-store.js';
export type { StoreEvents } from './store/events.js';
export { KeyValue } from './store/key-value.js';
export type * from './store/kv-client.js';
export {
  type Comparisons,
  cmp,
  op,
  type Relations,
  type TxnOperation,
} from './store/operations.js';
export type { StoreStatus } from './store/status.js';
export type { Store } from './store/store.js';
export type { Txn, TxnOperationResponse, TxnResponse } from './store/txn.js';
export type { Watch } from './store/watch.js';
export type { WatchBatch, WatchEvent } from './store/watch-batch.js';
