/**
 * The deterministic multi-version keyspace: no clock, no I/O, no waiting. Records in, records out.
 *
 * @module
 */
export type {
  Backend,
  Change,
  CountRead,
  RangeRead,
  ReadPlan,
  ReadSet,
  StagedChanges,
  StoredRecord,
} from './backend.js';
export { BatchSegment, segmentsOf } from './batch.js';
export { checkCommand } from './command-check.js';
export type { CompactionSlice } from './compaction.js';
export { countedRecords } from './counted-records.js';
export type { History, HistoryRange, RevisionEvents } from './history-query.js';
export { type Execution, Keyspace } from './keyspace.js';
export { KeyspaceAudit, type KeyspaceCounts } from './keyspace-audit.js';
export type { LeaseLookup } from './lease-table.js';
export type * from './lease-types.js';
export type { Query, QueryDone, QueryStep } from './query.js';
export type { RangeSlice } from './range-slices.js';
export type { ReadView } from './read-view.js';
export type { ReadableRevisions } from './readable-revisions.js';
export { recordLayout } from './record-bytes.js';
export { historyUnits } from './record-keys.js';
export type { RevisionSlice } from './revision-draft.js';
export { selectKey, selects, singleKey } from './selection.js';
export type * from './session-types.js';
export type { HashLane } from './state-hash.js';
export type { StateHome, StateLoad } from './state-home.js';
export { isReadOnly } from './txn-query.js';
export type {
  Command,
  CommandResult,
  CompactCommand,
  CompactResult,
  Compare,
  CompareResult,
  DeleteOperation,
  DeleteResult,
  KeyEvent,
  KeySelection,
  KeyVersion,
  Operation,
  OperationResult,
  PutOperation,
  PutResult,
  RangeOperation,
  RangeResult,
  RangeSort,
  SortTarget,
  TxnCommand,
  TxnResult,
} from './types.js';
export { verifyRecord } from './verify-record.js';
export { type RangeSource, VersionCache } from './version-cache.js';
export type { WatchBufferLimits } from './watch-buffers.js';
export { WatchHub, type WatchHubOptions, type WatchRequest } from './watch-hub.js';
export type { WatchMatches } from './watch-matches.js';
export type { CatchUp, WatchConsumer, Watcher, WatchFilter } from './watcher.js';
