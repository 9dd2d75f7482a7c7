/**
 * Ids made of names: the same on every member, without asking anyone (DESIGN §4.17).
 */
import { utf8Bytes } from './bytes.js';
import { sha256 } from './sha256.js';

/**
 * 53 bits of SHA-256 over the parts, each with its length before it; never 0.
 *
 * @param parts - in an order that means something
 * @since 0.1.0
 */
export function hash53(parts: readonly string[]): number {
  const joined = parts.map((part) => `${utf8Bytes(part).length}:${part}`).join('');
  const digest = new DataView(sha256(utf8Bytes(joined)).buffer);
  const value = (digest.getUint32(0) & 0x1fffff) * 2 ** 32 + digest.getUint32(4);
  return value === 0 ? 1 : value;
}
