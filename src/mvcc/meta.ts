/**
 * The keyspace's own numbers, in one small record that every change rewrites. The revision is
 * stored, never derived from surviving keys: after a compaction those can be older (etcd incident
 * 17780, where a restarted member's revision went down).
 *
 * ```
 *  0 u32 crc of the rest   4 u8 layout version   5 u8 semantics level   6 u64 revision
 * 14 u64 compactRevision  22 u32 read lease in ms   26 u32 what it ever was
 * 30 sums of the state hash, five lanes of four u32
 * ```
 *
 * All of it is the same on every member at an applied index, so the state hash is over these bytes.
 */
import { kontikiError } from '../base/errors.js';
import { getUint32, getUint53, setUint32, setUint53 } from '../base/integers.js';
import { checkSeal, seal } from './record-bytes.js';
import { metaKey } from './record-keys.js';
import { HashSums, hashSumsBytes } from './state-hash.js';
import type { ReadLease } from './types.js';

/** @since 0.1.0 */
export interface KeyspaceMeta {
  /** Current revision; 1 before the first change. */
  readonly revision: number;
  /** The oldest revision that can be read; 0 before the first compaction. */
  readonly compactRevision: number;
  /** Which rules apply follows; raised by an entry (DESIGN §4.5). */
  readonly semanticsLevel: number;
  /** How long a leader may read without asking; see {@link ReadLease}. */
  readonly readLease: ReadLease;
}

/**
 * The newest rules this version knows.
 *
 * @since 0.1.0
 */
export const semanticsLevelMax = 1;

/**
 * An empty keyspace: revision 1, as in etcd, so that the first change gets 2.
 *
 * @since 0.1.0
 */
export const freshMeta: KeyspaceMeta = {
  revision: 1,
  compactRevision: 0,
  semanticsLevel: 1,
  readLease: { leaseMs: 0, everMs: 0 },
};

const sumsAt = 30;
const metaBytes = sumsAt + hashSumsBytes;

/**
 * Encodes the meta record.
 *
 * @param meta - the numbers
 * @param sums - of the state hash; default: all zero
 * @since 0.1.0
 */
export function encodeMeta(meta: KeyspaceMeta, sums: HashSums = new HashSums()): Uint8Array {
  const bytes = new Uint8Array(metaBytes);
  bytes[5] = meta.semanticsLevel;
  setUint53(bytes, 6, meta.revision);
  setUint53(bytes, 14, meta.compactRevision);
  setUint32(bytes, 22, meta.readLease.leaseMs);
  setUint32(bytes, 26, meta.readLease.everMs);
  sums.write(bytes, sumsAt);
  seal(bytes);
  return bytes;
}

/**
 * Decodes the meta record.
 *
 * @throws {KontikiError} STATE_CORRUPT; FORMAT_UNSUPPORTED when a newer version wrote it
 * @since 0.1.0
 */
export function decodeMeta(bytes: Uint8Array): KeyspaceMeta {
  checkSeal(metaKey, bytes, metaBytes);
  const semanticsLevel = bytes[5] as number;
  if (semanticsLevel > semanticsLevelMax) {
    throw kontikiError(
      'FORMAT_UNSUPPORTED',
      `semantics level ${semanticsLevel} found, this version knows up to ${semanticsLevelMax}`,
    );
  }
  return {
    revision: getUint53(bytes, 6),
    compactRevision: getUint53(bytes, 14),
    semanticsLevel,
    readLease: { leaseMs: getUint32(bytes, 22), everMs: getUint32(bytes, 26) },
  };
}

/**
 * The sums of the state hash in a meta record.
 *
 * @param bytes - a record that {@link decodeMeta} took
 * @since 0.1.0
 */
export function sumsOfMeta(bytes: Uint8Array): HashSums {
  return HashSums.read(bytes, sumsAt);
}
