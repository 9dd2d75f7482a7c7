/**
 * First bytes of a backup: which state it holds, and whose. Integers are big-endian.
 *
 * ```
 *  0 u32 magic 'KBAK'    8 u32 bytes of the header   24 u64 term       40 u64 cluster id
 *  4 u16 format version 12 u32 group                 32 u64 revision   48 u32 crc of all before
 *  6 u16 0              16 u64 applied index
 * ```
 *
 * What follows is as in a snapshot file (`storage/snapshot-files/frame.ts`), and so is what it carries:
 * the stream of a state (`codec/state-part-codec.ts`). It holds no names of files, so there is nothing
 * in it that a restore could be led astray with.
 */
import type { Crc32 } from '../base/crc32.js';
import { kontikiError } from '../base/errors.js';
import { getUint32, getUint53, setUint32, setUint53 } from '../base/integers.js';
import { statePartLengthMax } from '../codec/state-part-codec.js';
import type { FramedHeader, FramedKind } from '../storage/snapshot-files/framed-kind.js';

/** Format of backups that this release writes, and the newest it reads. @since 0.1.0 */
export const backupFormatVersion = 1;

/** What a backup is of. @since 0.1.0 */
export interface BackupInfo {
  /** Of the cluster that it was taken from. A restored cluster has another. */
  readonly clusterId: number;
  /** Newest revision that is in it. */
  readonly revision: number;
  /** Last entry of that cluster's log that is in it. */
  readonly appliedIndex: number;
  /** Term of the member that gave it. */
  readonly term: number;
}

/** The header of a file that was read. @since 0.1.0 */
export interface BackupHeader extends BackupInfo, FramedHeader {}

const magic = 0x4b42414b;
const headerBytes = 52;
const crcAt = headerBytes - 4;
/** Applied index, term, revision, cluster id. */
const numbersAt = [16, 24, 32, 40];

/** @since 0.1.0 */
export function encodeBackupHeader(crc32: Crc32, info: BackupInfo): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  setUint32(bytes, 0, magic);
  new DataView(bytes.buffer).setUint16(4, backupFormatVersion);
  setUint32(bytes, 8, headerBytes);
  const { appliedIndex, term, revision, clusterId } = info;
  [appliedIndex, term, revision, clusterId].forEach((number, nth) => {
    setUint53(bytes, numbersAt[nth] as number, number);
  });
  setUint32(bytes, crcAt, crc32(bytes.subarray(0, crcAt)));
  return bytes;
}

/** Backups. @since 0.1.0 */
export const backupKind: FramedKind<BackupHeader> = {
  noun: 'backup',
  magic,
  version: backupFormatVersion,
  headerBytesMin: headerBytes,
  // A chunk is a part.
  chunkBytesMax: statePartLengthMax,
  readFields(bytes, { size, crc }) {
    const [appliedIndex = NaN, term = NaN, revision = NaN, clusterId = NaN] = numbersAt.map((at) =>
      getUint53(bytes, at),
    );
    const numbers = { appliedIndex, term, revision, clusterId };
    const isRight = size === headerBytes && getUint32(bytes, 12) === 0;
    if (!isRight || !Object.values(numbers).every(Number.isSafeInteger)) return undefined;
    return { ...numbers, size, crc };
  },
  damaged: (file, offset, what) =>
    kontikiError(
      'SNAPSHOT_CORRUPT',
      `backup ${file} is damaged at byte ${offset}: ${what}. Nothing of it was used; take another one`,
      { file, offset },
    ),
};
