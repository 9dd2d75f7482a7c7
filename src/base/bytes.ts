/**
 * Bytes and the two string forms of them.
 *
 * Inside the keyspace a key is a *binary string*: one UTF-16 unit of 0..255 per byte. Such strings
 * compare like the bytes, hash well as Map keys, and are the fastest key type of the engine below.
 */

const encoder = new TextEncoder();
/** Keeps a leading byte order mark: what was stored is what is read. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const chunkUnits = 8_192;
/** Those of a pair are one code point to a pattern with this flag, which is no surrogate. */
const loneSurrogate = /\p{Surrogate}/u;

/** A string of units 0..255, one per byte. @since 0.1.0 */
export type BinaryString = string;

/**
 * The UTF-8 bytes of a string.
 *
 * @since 0.1.0
 */
export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * The text of UTF-8 bytes; malformed sequences become U+FFFD.
 *
 * @since 0.1.0
 */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/**
 * The binary string of bytes, or of the UTF-8 bytes of a string.
 *
 * @since 0.1.0
 */
export function binaryString(input: string | Uint8Array): BinaryString {
  if (typeof input === 'string') {
    if (isAscii(input)) return input;
    return binaryString(encoder.encode(input));
  }
  if (input.length <= chunkUnits) return fromUnits(input);
  let out = '';
  for (let at = 0; at < input.length; at += chunkUnits) {
    out += fromUnits(input.subarray(at, at + chunkUnits));
  }
  return out;
}

/**
 * Whether a text has bytes of its own: half of a surrogate pair has none, and UTF-8 writes the same for
 * all of them.
 *
 * @since 0.1.0
 */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text);
}

/**
 * The bytes of a binary string.
 *
 * @since 0.1.0
 */
export function binaryBytes(text: BinaryString): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) out[at] = text.charCodeAt(at);
  return out;
}

/**
 * The smallest binary string greater than every string that starts with `prefix`; `undefined` when
 * there is none (empty, or 0xff throughout).
 *
 * @since 0.1.0
 */
export function prefixEnd(prefix: BinaryString): BinaryString | undefined {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    const unit = prefix.charCodeAt(at);
    if (unit < 0xff) return prefix.slice(0, at) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

/**
 * Whether two byte arrays hold the same bytes.
 *
 * @since 0.1.0
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/**
 * Order of two byte arrays as unsigned bytes: negative, zero or positive.
 *
 * @since 0.1.0
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * One array with the bytes of all parts in order.
 *
 * @since 0.1.0
 */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `apply` takes the array as it is; a spread would walk its iterator. */
function fromUnits(units: Uint8Array): BinaryString {
  return String.fromCharCode.apply(null, units as unknown as number[]);
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
