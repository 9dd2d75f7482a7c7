/**
 * Stored records of leases and of the keys attached to them:
 *
 * ```
 * l<id>       0 u32 crc of the rest   4 u8 layout version   5 i64 id   13 u64 TTL in seconds
 *            21 u64 remaining ms      29 u64 generation
 * a<id><key>  0 u32 crc of the rest   4 u8 layout version
 * ```
 *
 * An id is ten digits of 7 bits with its sign turned over, so ids sort as numbers do. A key needs no
 * escape: nothing follows it. Attachments are records of their own, so that a put moves one of them
 * whatever the lease holds, and opening reads leases only (etcd reads every key to find them).
 */
import type { BinaryString } from '../base/bytes.js';
import { getInt64, getUint53, setInt64, setUint53 } from '../base/integers.js';
import type { RangeRead } from './backend.js';
import type { LeaseEntry } from './lease-types.js';
import { checkSeal, corruptRecord, seal } from './record-bytes.js';

const leaseBytes = 37;
const prefixUnits = 11;

/**
 * All lease records.
 *
 * @since 0.1.0
 */
export const leaseRecords: RangeRead = { gte: 'l', lt: 'm' };

/**
 * Record of every attachment: that it is there says everything.
 *
 * @since 0.1.0
 */
export const attachmentBytes: Uint8Array = sealedEmpty();

/**
 * Record key of a lease.
 *
 * @param id - any int64
 * @since 0.1.0
 */
export function leaseKey(id: bigint): BinaryString {
  return `l${idDigits(id)}`;
}

/**
 * Record key that says that `key` is attached to a lease.
 *
 * @since 0.1.0
 */
export function attachmentKey(id: bigint, key: BinaryString): BinaryString {
  return `a${idDigits(id)}${key}`;
}

/**
 * All attachments of a lease, in key order.
 *
 * @since 0.1.0
 */
export function attachmentRange(id: bigint): RangeRead {
  const gte = `a${idDigits(id)}`;
  const last = gte.charCodeAt(gte.length - 1);
  return { gte, lt: gte.slice(0, -1) + String.fromCharCode(last + 1) };
}

/**
 * The key that an attachment's record key names.
 *
 * @param recordKey - of an attachment
 * @param bytes - its record
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function keyOfAttachment(recordKey: BinaryString, bytes: Uint8Array): BinaryString {
  checkSeal(recordKey, bytes, attachmentBytes.length);
  return recordKey.slice(prefixUnits);
}

/**
 * Encodes a lease.
 *
 * @since 0.1.0
 */
export function encodeLease({ id, ttlSeconds, remainingMs, generation }: LeaseEntry): Uint8Array {
  const bytes = new Uint8Array(leaseBytes);
  setInt64(bytes, 5, id);
  setUint53(bytes, 13, ttlSeconds);
  setUint53(bytes, 21, remainingMs);
  setUint53(bytes, 29, generation);
  seal(bytes);
  return bytes;
}

/**
 * Decodes a lease.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeLease(recordKey: BinaryString, bytes: Uint8Array): LeaseEntry {
  checkSeal(recordKey, bytes, leaseBytes);
  const id = getInt64(bytes, 5);
  if (leaseKey(id) !== recordKey) throw corruptRecord(recordKey, 'it holds another lease');
  return {
    id,
    ttlSeconds: getUint53(bytes, 13),
    remainingMs: getUint53(bytes, 21),
    generation: getUint53(bytes, 29),
  };
}

function idDigits(id: bigint): BinaryString {
  const low = Number(BigInt.asUintN(32, id));
  const high = (Number(BigInt.asUintN(32, id >> 32n)) ^ 0x80000000) >>> 0;
  return String.fromCharCode(
    high >>> 31,
    (high >>> 24) & 0x7f,
    (high >>> 17) & 0x7f,
    (high >>> 10) & 0x7f,
    (high >>> 3) & 0x7f,
    ((high & 0x07) << 4) | (low >>> 28),
    (low >>> 21) & 0x7f,
    (low >>> 14) & 0x7f,
    (low >>> 7) & 0x7f,
    low & 0x7f,
  );
}

function sealedEmpty(): Uint8Array {
  const bytes = new Uint8Array(5);
  seal(bytes);
  return bytes;
}
