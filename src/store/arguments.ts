/**
 * What callers pass in, checked before anything is sent or changed: each refusal says what was
 * expected and what came.
 */
import { isAbortSignal } from '../base/abort-signal.js';
import {
  type BinaryString,
  binaryString,
  isWellFormed,
  prefixEnd,
  utf8Bytes,
} from '../base/bytes.js';
import { timerMsMax } from '../base/clock.js';
import { kontikiError } from '../base/errors.js';
import { selectKey } from '../mvcc/selection.js';
import type { KeySelection } from '../mvcc/types.js';
import type { Bytes, CallOptions, KeyRangeOptions, WatchTarget } from './kv-client.js';

/** Names of the options every call takes. @since 0.1.0 */
export const callOptionNames = ['signal', 'timeoutMs'] as const;

/** Names of the options that select keys. @since 0.1.0 */
export const keyRangeNames = ['prefix', 'from', 'to'] as const;

/**
 * A key as the keyspace knows it.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toKey(key: Bytes, what = 'key'): BinaryString {
  checkBytes(key, what);
  if (key.length === 0) {
    throw kontikiError('KEY_EMPTY', `store: expected ${what} of at least one byte, got none`, {
      outcome: 'rejected',
    });
  }
  return toBinary(key, what);
}

/**
 * A value as the keyspace keeps it; the caller's array may change afterwards.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toValue(value: Bytes): Uint8Array {
  checkBytes(value, 'value');
  // Not slice: a Buffer's shares the caller's memory.
  return typeof value === 'string' ? utf8Bytes(value) : new Uint8Array(value);
}

/**
 * One key, or a range of keys, as a selection.
 *
 * @throws {KontikiError} KEY_EMPTY, ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toTarget(target: WatchTarget): KeySelection {
  if (typeof target === 'string' || target instanceof Uint8Array) return selectKey(toKey(target));
  checkOptions(target, keyRangeNames, 'range');
  return toSelection(target);
}

/**
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function toSelection(options: KeyRangeOptions): KeySelection {
  const { prefix, from, to } = options;
  if (prefix !== undefined) {
    if (from !== undefined || to !== undefined) {
      throw invalid('range', 'either prefix, or from and to', 'both');
    }
    checkBytes(prefix, 'prefix');
    const gte = toBinary(prefix, 'prefix');
    return { gte, lt: prefixEnd(gte) };
  }
  if (from === undefined) throw invalid('range', 'a prefix or a from', 'neither');
  checkBytes(from, 'from');
  const gte = toBinary(from, 'from');
  if (to === undefined) return { gte };
  checkBytes(to, 'to');
  const lt = toBinary(to, 'to');
  // No key is that small. Said in another way, for this is the form of the empty key.
  return gte === '' && lt === '\0' ? { gte: lt, lt } : { gte, lt };
}

/**
 * Refuses options of unknown names, so that a typo is not silently ignored.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkOptions(options: unknown, known: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`${what} options`, 'an object', describe(options));
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalid(`${what} options`, known.join(', '), name);
  }
}

/**
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkCallOptions(options: CallOptions): void {
  const { signal, timeoutMs } = options;
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw invalid('signal', 'an AbortSignal', describe(signal));
  }
  checkDelay(timeoutMs, 'timeoutMs');
}

/**
 * How current a read of a member's own state must be; only such a read waits for a revision.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkLocalRead(serializable: boolean, minRevision: number | undefined): void {
  checkBoolean(serializable, 'serializable');
  checkPositive(minRevision, 'minRevision');
  if (minRevision === undefined || serializable) return;
  throw invalid('minRevision', 'serializable: true beside it', describe(serializable));
}

/**
 * An optional number of milliseconds that a timer can wait.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkDelay(value: number | undefined, what: string): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value > 0 && value <= timerMsMax)) {
    throw invalid(what, 'a number of milliseconds above 0', describe(value));
  }
}

/**
 * An optional positive integer.
 *
 * @param max - the largest that is allowed; default: any
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkPositive(value: number | undefined, what: string, max?: number): void {
  if (value === undefined) return;
  if (Number.isSafeInteger(value) && value >= 1 && (max === undefined || value <= max)) return;
  const upTo = max === undefined ? 'of at least 1' : `from 1 to ${max}`;
  throw invalid(what, `an integer ${upTo}`, describe(value));
}

/**
 * Refuses `undefined`.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkRequired(value: unknown, what: string): void {
  if (value === undefined) throw invalid(what, 'given', 'undefined');
}

/**
 * An optional lease id: any int64, 0 for none.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkLeaseId(value: bigint | undefined): void {
  if (value === undefined) return;
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return;
  const got = typeof value === 'bigint' ? String(value) : describe(value);
  throw invalid('lease', 'a signed 64-bit bigint', got);
}

/**
 * An optional boolean.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkBoolean(value: boolean | undefined, what: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw invalid(what, 'true or false', describe(value));
}

/**
 * An optional name of a list.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkOneOf(
  value: string | undefined,
  known: readonly string[],
  what: string,
): void {
  if (value === undefined || known.includes(value)) return;
  throw invalid(what, known.join(' or '), typeof value === 'string' ? value : describe(value));
}

function checkBytes(value: unknown, what: string): asserts value is Bytes {
  if (typeof value === 'string' || value instanceof Uint8Array) return;
  throw invalid(what, 'a string or a Uint8Array', describe(value));
}

/** Text without bytes of its own would be the key of another text, too. */
function toBinary(key: Bytes, what: string): BinaryString {
  const binary = binaryString(key);
  // Only ASCII keeps its length: the common key is not searched.
  if (typeof key !== 'string' || binary.length === key.length || isWellFormed(key)) return binary;
  throw invalid(what, 'well-formed text', 'half of a surrogate pair');
}

function invalid(what: string, expected: string, got: string) {
  return kontikiError('ARGUMENT_INVALID', `store: expected ${what} to be ${expected}, got ${got}`, {
    outcome: 'rejected',
  });
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return value.constructor?.name ?? 'an object';
  return typeof value === 'number' ? String(value) : typeof value;
}
