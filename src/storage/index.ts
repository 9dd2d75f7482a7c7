/**
 * Storage: the seams that a custom disk implements, the parts that run anywhere, and memory. What
 * loads an addon or a built-in of Node is in entry points of its own: `kontiki/storage/wal`,
 * `kontiki/storage/node-fs`, `kontiki/storage/classic-level`, `kontiki/storage/level`.
 *
 * @module
 */
export type { BinaryString } from '../base/bytes.js';
export {
  type CheckDirectoryOptions,
  checkDirectory,
  type DirectoryCheck,
} from './check/check-directory.js';
export { checkSnapshots, type SnapshotsCheck } from './check/check-snapshots.js';
export {
  type CheckStateOptions,
  checkState,
  type RecordAudit,
  type StateCheck,
} from './check/check-state.js';
export type {
  DirectoryLock,
  FileSystem,
  OpenMode,
  OpenOptions,
  StorageFile,
} from './file-system.js';
export { flushFormatVersion } from './flush-record.js';
export type {
  CursorRange,
  EngineBatch,
  EngineIterator,
  EnginePair,
  EngineWriteOptions,
  KeyRange,
  KvEngine,
  OpenEngine,
} from './kv-engine.js';
export {
  type LevelContents,
  type ReadRecordsOptions,
  readLevelRecords,
} from './level-files/records.js';
export {
  type VerifiedTables,
  type VerifyTablesOptions,
  verifyLevelTables,
} from './level-files/verify.js';
export type { AppliedConfiguration, LogBatch, LogStore, SnapshotMark } from './log-store.js';
export {
  type MemberRecord,
  memberFileName,
  readMemberFile,
  writeMemberFile,
} from './member-file.js';
export { MemoryEngine } from './memory/kv-engine.js';
export { MemoryLogStore } from './memory/log-store.js';
export { MemorySnapshotStore } from './memory/snapshot-store.js';
export { MemoryStateHome } from './memory/state-home.js';
export type { CountedKeys } from './range-count.js';
export { snapshotFormatVersion } from './snapshot-files/header.js';
export { SnapshotFiles, type SnapshotFilesOptions } from './snapshot-files/store.js';
export { verifySnapshotFile } from './snapshot-files/verify.js';
export type { SnapshotMeta, SnapshotSink, SnapshotStore } from './snapshot-store.js';
export { StateFolders, type StateFoldersOptions } from './state-folders.js';
export { StateLoader } from './state-loader.js';
export { WriteBehindBackend } from './write-behind.js';
export type { EngineReopening, WriteBehindOptions } from './write-behind-options.js';
