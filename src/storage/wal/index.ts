/**
 * `kontiki/storage/wal`: the write-ahead log, over any `FileSystem`.
 *
 * @module
 */
export { type DumpWalOptions, describeRecord, dumpWal, type WalDump } from './dump.js';
export { formatVersion } from './format.js';
export type { LogHistory } from './log-history.js';
export type { WalLogStore, WalRecovery } from './log-store.js';
export { type OpenWalOptions, openWal } from './open.js';
export {
  type ReadWalOptions,
  type RecordPlace,
  readWal,
  type WalProgress,
  type WalSummary,
} from './reader.js';
export type { WalMark, WalRecord } from './record.js';
