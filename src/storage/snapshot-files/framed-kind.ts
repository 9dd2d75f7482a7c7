/**
 * What files of chunks and a trailer have in common, and what tells one kind of them from another: a
 * snapshot, which a folder of them keeps, and a backup, which people keep. Integers are big-endian.
 *
 * ```
 *  0 u32 magic    4 u16 format version    8 u32 bytes of the header    at its end u32 crc of all before
 * ```
 *
 * These fields keep their places in every format to come, so that damage is told from a file of a later
 * release.
 */
import { upgradeAdvice } from '../../base/advice.js';
import type { Crc32 } from '../../base/crc32.js';
import { type KontikiError, kontikiError } from '../../base/errors.js';

/** More than any header takes; bounds what is read before the checksum is known. @since 0.1.0 */
export const headerBytesMax = 128 * 1024;

/** What the rest of a file continues from. @since 0.1.0 */
export interface FramedHeader {
  /** Bytes of the header; the first chunk begins here. */
  readonly size: number;
  readonly crc: number;
}

/** A kind of such files. @since 0.1.0 */
export interface FramedKind<H extends FramedHeader> {
  /** What people call it. */
  readonly noun: string;
  readonly magic: number;
  /** Format that this release writes, and the newest it reads. */
  readonly version: number;
  /** Bytes of the shortest header. */
  readonly headerBytesMin: number;
  /** Bytes of the longest chunk; absent where whoever writes chooses, as a folder of snapshots does. */
  readonly chunkBytesMax?: number | undefined;
  /** The header's own fields, which the checksum vouches for; `undefined` when they cannot be right. */
  readFields(bytes: Uint8Array, framed: FramedHeader): H | undefined;
  /** The error for a file that is not what was written. */
  damaged(file: string, offset: number, what: string): KontikiError;
}

/**
 * Reads and verifies a header.
 *
 * @param crc32 - checksum of the platform
 * @param kind - what it must be of
 * @param file - path, for the error
 * @param bytes - beginning of the file, {@link headerBytesMax} of it or all
 * @throws {KontikiError} as `kind.damaged` says, or FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeFramedHeader<H extends FramedHeader>(
  crc32: Crc32,
  kind: FramedKind<H>,
  file: string,
  bytes: Uint8Array,
): H {
  const damaged = (what: string) => kind.damaged(file, 0, what);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < kind.headerBytesMin) throw damaged('its header is cut');
  if (view.getUint32(0) !== kind.magic) throw damaged(`it is no ${kind.noun}`);
  const size = view.getUint32(8);
  if (size < kind.headerBytesMin || size > bytes.length) {
    throw damaged('the size of its header is wrong');
  }
  const crc = crc32(bytes.subarray(0, size - 4));
  if (view.getUint32(size - 4) !== crc) throw damaged('the checksum of its header is wrong');
  const version = view.getUint16(4);
  if (version !== kind.version) {
    const found = `${kind.noun} ${file} has format ${version}`;
    const message = `${found}, this release reads ${kind.version}: ${upgradeAdvice}`;
    throw kontikiError('FORMAT_UNSUPPORTED', message);
  }
  const header = kind.readFields(bytes, { size, crc });
  if (header === undefined) throw damaged('the fields of its header contradict each other');
  return header;
}
