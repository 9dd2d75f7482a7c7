/** Assertions of the conformance suites. */
import { assert } from '../../base/assert.js';
import { type ErrorCode, isErrorOf } from '../../base/errors.js';

/**
 * Fails unless both are the same text, number or structure; byte arrays count by their bytes, an
 * absent field is the same as `undefined`.
 *
 * @param actual - what was found
 * @param expected - what the contract says
 * @param what - for the message
 * @since 0.1.0
 */
export function checkSame(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [describe(actual), describe(expected)];
  assert(found === wanted, `${what}: expected ${cut(wanted)}, got ${cut(found)}`);
}

/**
 * Fails unless the call, or its promise, fails with one of the codes.
 *
 * @param call - what must fail
 * @param codes - of {@link ErrorCode}
 * @param what - for the message
 * @since 0.1.0
 */
export async function checkRejects(
  call: () => unknown,
  codes: readonly ErrorCode[],
  what: string,
): Promise<void> {
  let failure: unknown;
  try {
    await call();
  } catch (error) {
    failure = error;
    if (isErrorOf(error, codes)) return;
  }
  const got = failure === undefined ? 'success' : String(failure);
  assert(false, `${what}: expected ${codes.join(' or ')}, got ${got}`);
}

/** Bytes that are different at each place and for each seed. @since 0.1.0 */
export function patternBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (seed * 31 + at * 7 + (at >> 8)) & 0xff;
  return bytes;
}

function describe(value: unknown): string {
  return JSON.stringify(plain(value)) ?? 'undefined';
}

/**
 * Byte arrays of any class as text, because a `Buffer` would make something of its own of itself, and
 * fields in the order of their names, which says nothing.
 */
function plain(value: unknown): unknown {
  // As JSON has them, both would pass for `null`.
  if (value === undefined) return ['undefined'];
  if (typeof value === 'number' && !Number.isFinite(value)) return [String(value)];
  if (value instanceof Uint8Array) return `bytes ${hex(value)}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const all = Object.keys(value).sort() as (keyof typeof value)[];
  const names = all.filter((name) => value[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, plain(value[name])]));
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function cut(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400)}... (${text.length} characters)`;
}
