/** CRC-32C (Castagnoli), which LevelDB's files carry. */
import { crcOf } from '../../base/crc.js';

const crc = crcOf(0x82f63b78);

/**
 * Checksum of `bytes` from `from` (inclusive) to `to` (exclusive).
 *
 * @since 0.1.0
 */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  return crc(bytes, 0, from, to);
}

/** A checksum as LevelDB stores it: one over bytes that hold checksums must not be special. @since 0.1.0 */
export function masked(sum: number): number {
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
