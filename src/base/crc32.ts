/**
 * CRC-32 (ISO 3309, the polynomial of zlib), in portable code. An `Env` on Node supplies zlib's own;
 * both give the same numbers.
 */
import { crcOf } from './crc.js';

/**
 * Checksum of `bytes`, continuing from `seed` (the checksum of what came before; default 0).
 *
 * @since 0.1.0
 */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/**
 * Portable CRC-32.
 *
 * @param bytes - what to check
 * @param seed - checksum of the bytes before these; default 0
 * @param from - offset of the first byte to check; default 0. Spares callers with small
 *   records a `subarray` (ADR 0006)
 * @returns an unsigned 32-bit integer
 * @since 0.1.0
 */
export const crc32: (bytes: Uint8Array, seed?: number, from?: number) => number = crcOf(0xedb88320);
