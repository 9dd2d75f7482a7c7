/**
 * Integers in stored bytes, most significant byte first. Written byte by byte: with a `DataView` and a
 * `subarray` per record, the small records took six to eight times as long to encode (ADR 0006,
 * figures).
 */

const shift32 = 2 ** 32;

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
