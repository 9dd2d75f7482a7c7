/**
 * Integer hashing for traces and keyed randomness. Only 32-bit operations (`Math.imul`, shifts,
 * exclusive or), so that a seed means the same on every JavaScript engine (reliability plan §7.2).
 */

/**
 * Takes one 32-bit value into a running hash (the block step of MurmurHash3).
 *
 * @param state - hash so far, any 32-bit integer
 * @param value - only its low 32 bits count
 * @returns a signed 32-bit integer
 * @since 0.1.0
 */
export function mix32(state: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = state ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/**
 * Spreads every bit of a running hash over the whole word (the finalizer of MurmurHash3).
 *
 * @param state - a hash made by {@link mix32}
 * @returns an unsigned 32-bit integer
 * @since 0.1.0
 */
export function finish32(state: number): number {
  let h = state ^ (state >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Hash of a text by its UTF-16 units.
 *
 * @param text - of any length
 * @returns an unsigned 32-bit integer
 * @since 0.1.0
 */
export function hashText(text: string): number {
  let h = text.length | 0;
  for (let at = 0; at < text.length; at += 1) h = mix32(h, text.charCodeAt(at));
  return finish32(h);
}
