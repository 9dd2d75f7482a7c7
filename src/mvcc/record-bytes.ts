/**
 * The first five bytes of every stored record, checksum and layout version, and the integers in
 * records. Written byte by byte: with a `DataView` and a `subarray` per record, the small ones took
 * six to eight times as long to encode (ADR 0006, figures).
 */
import type { BinaryString } from '../base/bytes.js';
import { crc32 } from '../base/crc32.js';
import { kontikiError } from '../base/errors.js';

/**
 * Version of the layout of every record of the keyspace.
 *
 * @since 0.1.0
 */
export const recordLayout = 1;

const crcBytes = 4;
const shift32 = 2 ** 32;

/**
 * Writes layout version and checksum; the last step of every encoder.
 *
 * @param bytes - a record whose bytes from 5 on are written
 * @since 0.1.0
 */
export function seal(bytes: Uint8Array): void {
  bytes[crcBytes] = recordLayout;
  setUint32(bytes, 0, crc32(bytes, 0, crcBytes));
}

/**
 * Verifies what {@link seal} wrote; the first step of every decoder.
 *
 * @param recordKey - where the record was found, for the error
 * @param bytes - the record
 * @param bytesMin - size of its fixed part
 * @throws {KontikiError} STATE_CORRUPT; FORMAT_UNSUPPORTED when a newer version wrote it
 * @since 0.1.0
 */
export function checkSeal(recordKey: BinaryString, bytes: Uint8Array, bytesMin: number): void {
  if (bytes.length < bytesMin) throw corruptRecord(recordKey, `it has ${bytes.length} bytes`);
  if (getUint32(bytes, 0) !== crc32(bytes, 0, crcBytes)) {
    throw corruptRecord(recordKey, 'its checksum is wrong');
  }
  const layout = bytes[crcBytes];
  if (layout === recordLayout) return;
  throw kontikiError(
    'FORMAT_UNSUPPORTED',
    `record layout ${layout} found, this version reads ${recordLayout}`,
  );
}

/**
 * The error for a record that is not what was written.
 *
 * @since 0.1.0
 */
export function corruptRecord(recordKey: BinaryString, what: string) {
  return kontikiError('STATE_CORRUPT', `stored record ${JSON.stringify(recordKey)}: ${what}`);
}

/**
 * Writes an unsigned 32-bit integer, most significant byte first.
 *
 * @since 0.1.0
 */
export function setUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/**
 * Reads what {@link setUint32} wrote.
 *
 * @since 0.1.0
 */
export function getUint32(bytes: Uint8Array, at: number): number {
  const high = (bytes[at] as number) << 24;
  const middle = ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8);
  return (high | middle | (bytes[at + 3] as number)) >>> 0;
}

/**
 * Writes an integer from 0 to 2^53 - 1 in eight bytes.
 *
 * @since 0.1.0
 */
export function setUint53(bytes: Uint8Array, at: number, value: number): void {
  setUint32(bytes, at, Math.floor(value / shift32));
  setUint32(bytes, at + 4, value >>> 0);
}

/**
 * Reads what {@link setUint53} wrote.
 *
 * @since 0.1.0
 */
export function getUint53(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at) * shift32 + getUint32(bytes, at + 4);
}

/**
 * Writes a signed 64-bit integer.
 *
 * @since 0.1.0
 */
export function setInt64(bytes: Uint8Array, at: number, value: bigint): void {
  setUint32(bytes, at, Number(BigInt.asUintN(32, value >> 32n)));
  setUint32(bytes, at + 4, Number(BigInt.asUintN(32, value)));
}

/**
 * Reads what {@link setInt64} wrote.
 *
 * @since 0.1.0
 */
export function getInt64(bytes: Uint8Array, at: number): bigint {
  const high = BigInt(getUint32(bytes, at));
  return BigInt.asIntN(64, (high << 32n) | BigInt(getUint32(bytes, at + 4)));
}
