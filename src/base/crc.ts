/**
 * Cyclic redundancy checks of 32 bits in portable code, four bytes a step (slicing-by-4), for any
 * polynomial.
 */

/**
 * Checksum of `bytes` from `from` (inclusive; default 0) to `to` (exclusive; default the end),
 * continuing from `seed`, the checksum of what came before (default 0).
 *
 * @since 0.1.0
 */
export type Crc = (bytes: Uint8Array, seed?: number, from?: number, to?: number) => number;

/**
 * Makes the checksum of a polynomial.
 *
 * @param polynomial - reflected, without its highest term
 * @returns gives unsigned 32-bit integers
 * @since 0.1.0
 */
export function crcOf(polynomial: number): Crc {
  const [t0, t1, t2, t3] = buildTables(polynomial);
  return (bytes, seed = 0, from = 0, to = bytes.length) => {
    let crc = ~seed;
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
  };
}

function buildTables(
  polynomial: number,
): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const t0 = new Int32Array(256);
  for (let n = 0; n < 256; n += 1) {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    t0[n] = c;
  }
  const shift = (table: Int32Array): Int32Array =>
    table.map((c) => (c >>> 8) ^ (t0[c & 0xff] as number));
  const t1 = shift(t0);
  const t2 = shift(t1);
  return [t0, t1, t2, shift(t2)];
}
