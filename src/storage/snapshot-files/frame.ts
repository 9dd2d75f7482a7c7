/**
 * What follows the header of a snapshot or a backup: chunks, then a trailer. Integers are big-endian.
 *
 * ```
 *  chunk     0 u32 length, from 1   4 u32 crc      8 data
 *  trailer   0 u32 0                4 u64 chunks  12 u64 bytes of all data  20 sha-256  52 u32 crc
 * ```
 *
 * The crc of a chunk is over its length and its data and continues the one before, the header's
 * first: a chunk of another place or file is not taken for the one that belongs here. The hash is over
 * all bytes of the file before it. The crc of the trailer continues the header's, so that opening a
 * snapshot verifies both ends without reading what is between.
 */
import { assert } from '../../base/assert.js';
import type { Crc32 } from '../../base/crc32.js';
import { getUint53, setUint53 } from '../../base/integers.js';

/** Bytes before the data of a chunk. @since 0.1.0 */
export const frameHeadBytes = 8;

/** @since 0.1.0 */
export const trailerBytes = 56;

const hashAt = 20;
const hashBytes = 32;
const trailerCrcAt = hashAt + hashBytes;

/**
 * What comes before a chunk's data.
 *
 * @param seed - crc of the chunk before, or of the header
 * @returns the bytes, and the crc that the next chunk continues
 * @since 0.1.0
 */
export function encodeFrameHead(
  crc32: Crc32,
  data: Uint8Array,
  seed: number,
): { readonly bytes: Uint8Array; readonly crc: number } {
  const bytes = new Uint8Array(frameHeadBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  const crc = crc32(data, crc32(bytes.subarray(0, 4), seed));
  view.setUint32(4, crc);
  return { bytes, crc };
}

/** The totals at the end of a file. @since 0.1.0 */
export interface Trailer {
  readonly chunks: number;
  /** Bytes of all data. */
  readonly size: number;
}

/** As it stands in a file. @since 0.1.0 */
export interface ReadTrailer extends Trailer {
  /** SHA-256 over all of the file before it. */
  readonly hash: Uint8Array;
}

/**
 * A trailer whose hash and checksum are still missing.
 *
 * @since 0.1.0
 */
export function beginTrailer({ chunks, size }: Trailer): Uint8Array {
  const bytes = new Uint8Array(trailerBytes);
  setUint53(bytes, 4, chunks);
  setUint53(bytes, 12, size);
  return bytes;
}

/** The part of a trailer that the hash covers. @since 0.1.0 */
export function hashedPart(trailer: Uint8Array): Uint8Array {
  return trailer.subarray(0, hashAt);
}

/**
 * Puts hash and checksum in.
 *
 * @param seed - crc of the header
 * @since 0.1.0
 */
export function sealTrailer(
  crc32: Crc32,
  trailer: Uint8Array,
  hash: Uint8Array,
  seed: number,
): void {
  assert(hash.length === hashBytes, `a SHA-256 of ${hash.length} bytes`);
  trailer.set(hash, hashAt);
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  view.setUint32(trailerCrcAt, crc32(trailer.subarray(0, trailerCrcAt), seed));
}

/**
 * The totals of a trailer, or `undefined` when it is not what was written.
 *
 * @param bytes - the last bytes of the file
 * @param seed - crc of the header
 * @since 0.1.0
 */
export function decodeTrailer(
  crc32: Crc32,
  bytes: Uint8Array,
  seed: number,
): ReadTrailer | undefined {
  if (bytes.length !== trailerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0) return undefined;
  if (view.getUint32(trailerCrcAt) !== crc32(bytes.subarray(0, trailerCrcAt), seed)) {
    return undefined;
  }
  const hash = bytes.slice(hashAt, trailerCrcAt);
  return { chunks: getUint53(bytes, 4), size: getUint53(bytes, 12), hash };
}
