/**
 * CRC-32 (ISO 3309, the polynomial of zlib), in portable code. An `Env` on Node supplies zlib's own;
 * both give the same numbers.
 */

/**
 * Checksum of `bytes`, continuing from `seed` (the checksum of what came before; default 0).
 *
 * @since 0.1.0
 */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

const tables = buildTables();

/**
 * Portable CRC-32, four bytes a step (slicing-by-4).
 *
 * @param bytes - what to check
 * @param seed - checksum of the bytes before these; default 0
 * @param from - offset of the first byte to check; default 0. Spares callers with small
 *   records a `subarray` (ADR 0006)
 * @returns an unsigned 32-bit integer
 * @since 0.1.0
 */
export const crc32 = (bytes: Uint8Array, seed = 0, from = 0): number => {
  const [t0, t1, t2, t3] = tables;
  let crc = ~seed;
  let at = from;
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (t3[crc & 0xff] as number) ^
      (t2[(crc >>> 8) & 0xff] as number) ^
      (t1[(crc >>> 16) & 0xff] as number) ^
      (t0[crc >>> 24] as number);
  }
  for (; at < bytes.length; at += 1) {
    crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
};

function buildTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const t0 = new Int32Array(256);
  for (let n = 0; n < 256; n += 1) {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    t0[n] = c;
  }
  const shift = (table: Int32Array) =>
    table.map((c) => (c >>> 8) ^ (t0[c & 0xff] as number)) as Int32Array;
  const t1 = shift(t0);
  const t2 = shift(t1);
  return [t0, t1, t2, shift(t2)];
}
