/**
 * The deterministic multi-version keyspace: no clock, no I/O, no waiting. Records in, records out.
 *
 * @module
 */
export type {
  Backend,
  Change,
  RangeRead,
  ReadPlan,
  ReadSet,
  StoredRecord,
} from './backend.js';
export { BatchSegment, segmentsOf } from './batch.js';
export { checkCommand } from './command-check.js';
export type { History, HistoryRange, RevisionEvents } from './history-query.js';
export { type Execution, Keyspace } from './keyspace.js';
export type { Query, QueryDone, QueryStep } from './query.js';
export type { ReadableRevisions } from './range-query.js';
export type { ReadView } from './read-view.js';
export { selectKey, selects, singleKey } from './selection.js';
export type {
  Command,
  CommandResult,
  Compare,
  CompareResult,
  DeleteOperation,
  DeleteResult,
  KeyEvent,
  KeySelection,
  KeyVersion,
  Operation,
  PutOperation,
  PutResult,
  RangeOperation,
  RangeResult,
  TxnCommand,
  TxnResult,
} from './types.js';
export { WatchHub, type WatchHubOptions, type WatchRequest } from './watch-hub.js';
export { type CatchUp, Watcher, type WatcherOptions } from './watcher.js';
