/** CRC-32C (Castagnoli), which LevelDB's files carry; four bytes a step. */

const tables = buildTables();

/**
 * Checksum of `bytes` from `from` (inclusive) to `to` (exclusive).
 *
 * @since 0.1.0
 */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const [t0, t1, t2, t3] = tables;
  let crc = -1;
  let at = from;
  for (const end = to - 3; at < end; at += 4) {
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
  for (; at < to; at += 1) {
    crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}

/** A checksum as LevelDB stores it: one over bytes that hold checksums must not be special. @since 0.1.0 */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function buildTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const t0 = new Int32Array(256);
  for (let n = 0; n < 256; n += 1) {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    t0[n] = c;
  }
  const shift = (table: Int32Array): Int32Array =>
    table.map((c) => (c >>> 8) ^ (t0[c & 0xff] as number));
  const t1 = shift(t0);
  const t2 = shift(t1);
  return [t0, t1, t2, shift(t2)];
}
