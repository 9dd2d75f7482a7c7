/**
 * Reads a backup from a file: every byte of it is verified, and every record, before anybody is told
 * that it is one.
 */
import { isKontikiError, type KontikiError } from '../base/errors.js';
import { type RunningHash, Sha256 } from '../base/sha256.js';
import { StateRecordsReader } from '../codec/state-records.js';
import type { StoredRecord } from '../mvcc/backend.js';
import { KeyspaceAudit } from '../mvcc/keyspace-audit.js';
import type { FileSystem } from '../storage/file-system.js';
import type { FramedEnds } from '../storage/snapshot-files/inspect.js';
import { FramedFileReader } from '../storage/snapshot-files/reader.js';
import { type BackupHeader, type BackupInfo, backupKind } from './header.js';

/** Where a backup is. @since 0.1.0 */
export interface BackupFile {
  readonly fs: FileSystem;
  readonly path: string;
  /** Makes a SHA-256; default portable code. */
  readonly sha256?: (() => RunningHash) | undefined;
}

/** What a backup turned out to be. @since 0.1.0 */
export interface BackupRead {
  readonly info: BackupInfo;
  /** SHA-256 over all of the file but its end, as 64 hexadecimal digits: no two backups share one. */
  readonly hash: string;
  /** Bytes of the state in it. */
  readonly size: number;
}

/** A backup and what its records are. @since 0.1.0 */
export interface VerifiedBackup extends BackupRead {
  readonly audit: KeyspaceAudit;
}

/**
 * Reads all of a backup. What `visit` was given counts only when this resolves.
 *
 * @param file - see {@link BackupFile}
 * @param visit - called for the records, in the order of their keys, as views into what was read
 * @throws {KontikiError} SNAPSHOT_CORRUPT with file and offset, when it is cut, altered or none;
 *   FORMAT_UNSUPPORTED, STORAGE_IO; and what `visit` throws
 * @since 0.1.0
 */
export async function readBackup(
  { fs, path, sha256 }: BackupFile,
  visit: (records: readonly StoredRecord[]) => void | Promise<void>,
): Promise<BackupRead> {
  const hash = sha256?.() ?? new Sha256();
  const reader = new FramedFileReader({ fs, path, kind: backupKind, hash });
  try {
    let read = await reader.next();
    const { header, trailer } = reader.ends as FramedEnds<BackupHeader>;
    let offset = 0;
    const refuse = (problem: string) => noState(path, offset, problem);
    const records = new StateRecordsReader(header.appliedIndex, refuse);
    for (; read.done !== true; read = await reader.next()) {
      records.push(read.value);
      for (let some = records.next(); some !== undefined; some = records.next()) await visit(some);
      offset += read.value.length;
    }
    records.end();
    const { size: _header, crc: _crc, ...info } = header;
    return { info, hash: hexOf(trailer.hash), size: trailer.size };
  } finally {
    await reader.return();
  }
}

/**
 * Reads all of a backup and looks at every record, as `kontiki check` does with those of a member.
 *
 * @param file - see {@link BackupFile}
 * @throws {KontikiError} as {@link readBackup}
 * @since 0.1.0
 */
export async function verifyBackup(file: BackupFile): Promise<VerifiedBackup> {
  const audit = new KeyspaceAudit();
  const audited = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      // The files are as they were written; what was written was no keyspace.
      if (!isKontikiError(error, 'STATE_CORRUPT')) throw error;
      throw noState(file.path, 0, error.message);
    }
  };
  const read = await readBackup(file, (records) =>
    audited(() => {
      for (const [key, bytes] of records) audit.add(key, bytes);
    }),
  );
  audited(() => audit.end());
  if (audit.meta.revision !== read.info.revision) {
    throw noState(file.path, 0, `its records end at revision ${audit.meta.revision}`);
  }
  return { ...read, audit };
}

function noState(path: string, offset: number, problem: string): KontikiError {
  return backupKind.damaged(path, offset, `what it carries is no state: ${problem}`);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
