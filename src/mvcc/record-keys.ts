/**
 * Keys of the stored records (docs/adr/0006-keyspace-layout.md):
 *
 * ```
 * c<key>                                current version of a live key
 * k<escaped key> 00 00 <revision><sub>  closed version: when a later change ended it
 * m                                     meta
 * p                                     how far the removal of compacted history got, on this member
 * z<revision><sub>                      history, one record per change; of a current first version a stub
 * ```
 *
 * `lease-record.ts` has `l<id>` and `a<id><key>`, `session-record.ts` `s<id><page>`, `alarm-record.ts`
 * `w<member>`.
 *
 * Numbers are digits of 7 bits, most significant first, so that they sort like numbers and stay one
 * byte per character in UTF-8: 8 digits for a revision, 4 for the position inside one.
 */
import type { BinaryString } from '../base/bytes.js';
import type { RangeRead } from './backend.js';
import type { KeySelection } from './types.js';

/**
 * Key of the meta record.
 *
 * @since 0.1.0
 */
export const metaKey: BinaryString = 'm';

/**
 * Key of the record of a compaction's progress.
 *
 * @since 0.1.0
 */
export const progressKey: BinaryString = 'p';

/**
 * First units of the keys of history, changes and closed versions. They are written once, and read by those who ask
 * for the past; for the backend's option `appended`.
 *
 * @since 0.1.0
 */
export const historyUnits: BinaryString = 'kz';

/** Where a change stands in history; a key changes at most once per revision. @since 0.1.0 */
export interface ChangePosition {
  readonly revision: number;
  readonly sub: number;
}

const currentUnit = 'c'.charCodeAt(0);
const historyUnit = 'z'.charCodeAt(0);
const revisionDigits = 8;
const positionDigits = revisionDigits + 4;
/** Below every continuation of a key: an escaped zero goes on with 0xff. */
const terminator = '\0\0';

/**
 * Record key of the current version of `key`. The key needs no escape: nothing follows it.
 *
 * @since 0.1.0
 */
export function currentKey(key: BinaryString): BinaryString {
  return `c${key}`;
}

/**
 * Whether a record key is of a current version.
 *
 * @since 0.1.0
 */
export function isCurrentKey(recordKey: BinaryString): boolean {
  return recordKey.charCodeAt(0) === currentUnit;
}

/**
 * The key whose current version a record key names.
 *
 * @since 0.1.0
 */
export function keyOfCurrent(recordKey: BinaryString): BinaryString {
  return recordKey.slice(1);
}

/**
 * All current versions of the selected keys.
 *
 * @since 0.1.0
 */
export function currentRange(keys: KeySelection): { gte: BinaryString; lt: BinaryString } {
  return { gte: `c${keys.gte}`, lt: keys.lt === undefined ? 'd' : `c${keys.lt}` };
}

/**
 * Changes from a position on, up to revision `upTo`, inclusive.
 *
 * @since 0.1.0
 */
export function historyFrom(position: ChangePosition, upTo: number): RangeRead {
  return { gte: historyKey(position), lt: historyKey({ revision: upTo + 1, sub: 0 }) };
}

/**
 * Record key of a change.
 *
 * @since 0.1.0
 */
export function historyKey({ revision, sub }: ChangePosition): BinaryString {
  const hi = Math.floor(revision / 2 ** 28);
  return String.fromCharCode(
    historyUnit,
    hi >>> 21,
    (hi >>> 14) & 0x7f,
    (hi >>> 7) & 0x7f,
    hi & 0x7f,
    (revision >>> 21) & 0x7f,
    (revision >>> 14) & 0x7f,
    (revision >>> 7) & 0x7f,
    revision & 0x7f,
    (sub >>> 21) & 0x7f,
    (sub >>> 14) & 0x7f,
    (sub >>> 7) & 0x7f,
    sub & 0x7f,
  );
}

/**
 * All changes from revision `from` to revision `upTo`, both inclusive.
 *
 * @since 0.1.0
 */
export function historyRange({ from, upTo }: { from: number; upTo: number }): RangeRead {
  return {
    gte: historyKey({ revision: from, sub: 0 }),
    lt: historyKey({ revision: upTo + 1, sub: 0 }),
  };
}

/**
 * Record key of the closed version of `key` that the change at `position` wrote.
 *
 * @since 0.1.0
 */
export function closedKey(key: BinaryString, position: ChangePosition): BinaryString {
  return `k${escapeKey(key)}${terminator}${historyKey(position).slice(1)}`;
}

/**
 * The newest closed version of `key` that was written at or before `revision`.
 *
 * @since 0.1.0
 */
export function newestClosed(key: BinaryString, revision: number): RangeRead {
  const prefix = `k${escapeKey(key)}${terminator}`;
  const end = historyKey({ revision: revision + 1, sub: 0 }).slice(1);
  return { gte: prefix, lt: prefix + end, limit: 1, reverse: true };
}

/**
 * All closed versions of the selected keys, by key and then by revision.
 *
 * @since 0.1.0
 */
export function closedRange(keys: KeySelection): RangeRead {
  const lt = keys.lt === undefined ? 'l' : `k${escapeKey(keys.lt)}`;
  return { gte: `k${escapeKey(keys.gte)}`, lt };
}

/**
 * What the record key of a closed version says: whose it is, still escaped, and where it was
 * written.
 *
 * @since 0.1.0
 */
export function parseClosedKey(recordKey: BinaryString): ChangePosition & {
  readonly escapedKey: BinaryString;
} {
  const at = recordKey.length - positionDigits;
  return {
    escapedKey: recordKey.slice(1, at - terminator.length),
    revision: readDigits(recordKey, at, revisionDigits),
    sub: readDigits(recordKey, at + revisionDigits, positionDigits - revisionDigits),
  };
}

/**
 * Position that the record key of a change names.
 *
 * @since 0.1.0
 */
export function parseHistoryKey(recordKey: BinaryString): ChangePosition {
  return {
    revision: readDigits(recordKey, 1, revisionDigits),
    sub: readDigits(recordKey, 1 + revisionDigits, positionDigits - revisionDigits),
  };
}

/**
 * The key with 0x00 written as 0x00 0xff: order is kept, and a terminator of two zeros ends it
 * below every longer key.
 *
 * @since 0.1.0
 */
export function escapeKey(key: BinaryString): BinaryString {
  return key.includes('\0') ? key.replaceAll('\0', '\0\xff') : key;
}

/**
 * Undoes {@link escapeKey}.
 *
 * @since 0.1.0
 */
export function unescapeKey(escaped: BinaryString): BinaryString {
  return escaped.includes('\0') ? escaped.replaceAll('\0\xff', '\0') : escaped;
}

/**
 * A number from 0 to 2^53 - 1 as eight digits.
 *
 * @since 0.1.0
 */
export function numberDigits(number: number): BinaryString {
  return historyKey({ revision: number, sub: 0 }).slice(1, 1 + revisionDigits);
}

function readDigits(text: BinaryString, at: number, count: number): number {
  let number = 0;
  for (let digit = 0; digit < count; digit += 1)
    number = number * 128 + text.charCodeAt(at + digit);
  return number;
}
