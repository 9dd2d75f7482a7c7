/**
 * `kontiki`: a replicated, watchable key-value store inside a Node process.
 *
 * @module
 */

export type { HistoryOptions } from './assembly/history-option.js';
export type { MachineNode, NodeCallOptions } from './assembly/machine-node.js';
export type { OpenNodeOptions } from './assembly/node-config.js';
export type { RestoredMember } from './assembly/restore-store-on.js';
export type { StoreOptions } from './assembly/store-config.js';
export type { Backup } from './backup/backup.js';
export type { BackupInfo } from './backup/header.js';
export {
  type ErrorCode,
  isKontikiError,
  KontikiError,
  type KontikiErrorOf,
  type Outcome,
} from './base/errors.js';
export type { HistogramSnapshot } from './base/histogram.js';
export type {
  CommandEntry,
  CommandMachine,
  Leadership,
  LogFields,
  Logger,
  MemberEvents,
  NodeMetrics,
  StallFact,
  StateSnapshot,
} from './node/index.js';
export type { LocalStatus, PeerStatus } from './node/local-status.js';
export type { MemberStatus } from './node/membership.js';
export { openNode } from './preset/open-node.js';
export { openStore } from './preset/open-store.js';
export { type RestoreOptions, restoreStore } from './preset/restore-store.js';
export type { StoreAlarm } from './store/alarms.js';
export type { StoreEvents } from './store/events.js';
export { KeyValue } from './store/key-value.js';
export type * from './store/kv-client.js';
export type { Lease, LeaseRevokeResponse, LeaseStatus, TimeToLiveOptions } from './store/lease.js';
export type { FindLeaseOptions, LeaseInfo, LeaseOptions } from './store/leases.js';
export type { MemberAddOptions, MemberName, StoreMembers } from './store/members.js';
export type { StoreMetrics } from './store/metrics.js';
export {
  type Comparisons,
  cmp,
  type InnerTxn,
  op,
  type Relations,
  type TxnOperation,
} from './store/operations.js';
export type { Scan } from './store/scan.js';
export type { StateHashAt } from './store/state-hashes.js';
export type { StoreStatus } from './store/status.js';
export type { Store } from './store/store.js';
export type { BackupOptions } from './store/store-backup.js';
export type { Txn, TxnOperationResponse, TxnResponse } from './store/txn.js';
export type { Watch } from './store/watch.js';
export type { WatchBatch, WatchEvent } from './store/watch-batch.js';
export type { TlsOptions } from './transport/tls-options.js';
