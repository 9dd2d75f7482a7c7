/**
 * 128 bits that stand for one stored record, for sums that do not depend on the order of records
 * (DESIGN §4.21). It guards against damage and divergence, not against an adversary: members that
 * apply the same entries make the same bytes, whoever chose them.
 *
 * The mixing is that of MurmurHash3 for 128 bits on 32-bit machines (Austin Appleby, public domain),
 * four words at a time in plain integer arithmetic; the last block is filled up with zeros and mixed
 * like the others, which the length at the end tells from zeros that were there.
 */
import type { BinaryString } from '../base/bytes.js';

/** Four 32-bit words. @since 0.1.0 */
export type Digest = Int32Array;

const c1 = 0x239b961b;
const c2 = 0xab0e9789 | 0;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93 | 0;
const blockBytes = 16;
const tail = new Uint8Array(blockBytes);
/** Where a small record and its key are put together: bytes of their own for each would be garbage at once. */
const joined = new Uint8Array(1_024);

/**
 * Digest of bytes. All of it in one function: the state stays in registers.
 *
 * @param bytes - of any length
 * @param out - takes the four words
 * @param length - of the bytes that count; default all
 * @since 0.1.0
 */
export function digestBytes(bytes: Uint8Array, out: Digest, length = bytes.length): void {
  const whole = length - (length % blockBytes);
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  for (let from = 0; from < length; from += blockBytes) {
    const isWhole = from < whole;
    const block = isWhole ? bytes : tailOf(bytes, whole, length);
    const at = isWhole ? from : 0;
    const k1 = Math.imul(wordAt(block, at), c1);
    h1 ^= Math.imul((k1 << 15) | (k1 >>> 17), c2);
    h1 = (((h1 << 19) | (h1 >>> 13)) + h2) | 0;
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;
    const k2 = Math.imul(wordAt(block, at + 4), c2);
    h2 ^= Math.imul((k2 << 16) | (k2 >>> 16), c3);
    h2 = (((h2 << 17) | (h2 >>> 15)) + h3) | 0;
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;
    const k3 = Math.imul(wordAt(block, at + 8), c3);
    h3 ^= Math.imul((k3 << 17) | (k3 >>> 15), c4);
    h3 = (((h3 << 15) | (h3 >>> 17)) + h4) | 0;
    h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;
    const k4 = Math.imul(wordAt(block, at + 12), c4);
    h4 ^= Math.imul((k4 << 18) | (k4 >>> 14), c1);
    h4 = (((h4 << 13) | (h4 >>> 19)) + h1) | 0;
    h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
  }
  out[0] = h1 ^ length;
  out[1] = h2 ^ length;
  out[2] = h3 ^ length;
  out[3] = h4 ^ length;
  spread(out);
  for (let n = 0; n < 4; n += 1) out[n] = avalanche(out[n] as number);
  spread(out);
}

/**
 * Digest of a record whose bytes do not say whose they are: its key counts too.
 *
 * @param recordKey - where the record is stored
 * @param bytes - the record
 * @param out - takes the four words
 * @since 0.1.0
 */
export function digestKeyed(recordKey: BinaryString, bytes: Uint8Array, out: Digest): void {
  const length = bytes.length + recordKey.length;
  const both = length <= joined.length ? joined : new Uint8Array(length);
  both.set(bytes);
  for (let at = 0; at < recordKey.length; at += 1) {
    both[bytes.length + at] = recordKey.charCodeAt(at);
  }
  digestBytes(both, out, length);
}

/**
 * The words as 32 hexadecimal digits.
 *
 * @since 0.1.0
 */
export function digestText(words: Digest): string {
  let text = '';
  for (const word of words) text += (word >>> 0).toString(16).padStart(8, '0');
  return text;
}

function tailOf(bytes: Uint8Array, from: number, length: number): Uint8Array {
  tail.fill(0);
  for (let at = from; at < length; at += 1) tail[at - from] = bytes[at] as number;
  return tail;
}

/** Every word depends on all of them. */
function spread(out: Digest): void {
  const first =
    ((out[0] as number) + (out[1] as number) + (out[2] as number) + (out[3] as number)) | 0;
  out[0] = first;
  for (let n = 1; n < 4; n += 1) out[n] = (out[n] as number) + first;
}

function avalanche(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Least significant byte first, on every machine. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
