/**
 * Stored records of alarms, one per member:
 *
 * ```
 * w<member>   0 u32 crc of the rest   4 u8 layout version   5 u64 member   13 u64 index that raised it
 * ```
 */
import type { BinaryString } from '../base/bytes.js';
import { getUint53, setUint53 } from '../base/integers.js';
import type { AlarmEntry } from './alarm-types.js';
import type { RangeRead } from './backend.js';
import { checkSeal, corruptRecord, seal } from './record-bytes.js';
import { numberDigits } from './record-keys.js';

const alarmBytes = 21;

/**
 * All records of alarms.
 *
 * @since 0.1.0
 */
export const alarmRecords: RangeRead = { gte: 'w', lt: 'x' };

/**
 * Record key of a member's alarm.
 *
 * @since 0.1.0
 */
export function alarmKey(member: number): BinaryString {
  return `w${numberDigits(member)}`;
}

/**
 * Encodes an alarm.
 *
 * @since 0.1.0
 */
export function encodeAlarm({ member, index }: AlarmEntry): Uint8Array {
  const bytes = new Uint8Array(alarmBytes);
  setUint53(bytes, 5, member);
  setUint53(bytes, 13, index);
  seal(bytes);
  return bytes;
}

/**
 * Decodes an alarm.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeAlarm(recordKey: BinaryString, bytes: Uint8Array): AlarmEntry {
  checkSeal(recordKey, bytes, alarmBytes);
  const member = getUint53(bytes, 5);
  if (alarmKey(member) !== recordKey) throw corruptRecord(recordKey, 'it holds another alarm');
  return { member, index: getUint53(bytes, 13) };
}
