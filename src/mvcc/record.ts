/**
 * Bytes of the stored records. The layout is fixed and ours, not a serializer's, because the state
 * hash is over these bytes (DESIGN §4.11); a CRC is verified on every decode, because the engine
 * below may hand out a block that the disk damaged.
 *
 * A change is one record. While it is a key's newest put, it is stored as the key's current version. History
 * holds it under its position, as the same bytes: from the start, when it replaced a version; else, while it is
 * current, only a stub of it (`put-stub.ts`), for most keys are written once (docs/adr/0006-keyspace-layout.md).
 *
 * ```
 *  0 u32 crc of the rest     6 u32 sub              26 u64 version             46 i64 lease, 0 none
 *  4 u8  layout version     10 u64 modRevision      34 u64 previous revision   54 u32 key length
 *  5 u8  type               18 u64 createRevision   42 u32 previous sub        58 key, then value
 *
 * type: 0 put, a stub in history; 1 delete; 2 the stub; 3 put, whole in history
 * ```
 */
import { type BinaryString, binaryString } from '../base/bytes.js';
import {
  getInt64,
  getUint32,
  getUint53,
  setInt64,
  setUint32,
  setUint53,
} from '../base/integers.js';
import { decodeStub, isStub, type PutStub } from './put-stub.js';
import { checkSeal, corruptRecord, seal } from './record-bytes.js';
import { type ChangePosition, keyOfCurrent, parseHistoryKey } from './record-keys.js';
import { recordRoom } from './record-room.js';
import type { KeyVersion } from './types.js';

/** One change of one key, as stored. @since 0.1.0 */
export interface ChangeRecord {
  readonly type: 'put' | 'delete';
  /** Position inside its revision, from 0. */
  readonly sub: number;
  /** The version put; for a delete only key and modRevision say something. */
  readonly version: KeyVersion;
  /** Where the version before was written; revision 0 for none. */
  readonly previous: ChangePosition;
}

const typeAt = 5;
const types = { put: 0, delete: 1, overwrite: 3 } as const;
const headerBytes = 58;
const closedBytes = 13;
const noValue = new Uint8Array(0);
const noPosition: ChangePosition = { revision: 0, sub: 0 };

/**
 * Encodes a put or a delete.
 *
 * @param change - `version.key` of units 0..255; `version.value` is copied
 * @since 0.1.0
 */
export function encodeChange(change: ChangeRecord): Uint8Array {
  const { version, previous } = change;
  const { key, value } = version;
  const valueAt = headerBytes + key.length;
  const bytes = recordRoom(valueAt + value.length);
  bytes[typeAt] = typeOf(change);
  setUint32(bytes, 6, change.sub);
  setUint53(bytes, 10, version.modRevision);
  setUint53(bytes, 18, version.createRevision);
  setUint53(bytes, 26, version.version);
  setUint53(bytes, 34, previous.revision);
  setUint32(bytes, 42, previous.sub);
  if (version.lease !== undefined) setInt64(bytes, 46, version.lease);
  setUint32(bytes, 54, key.length);
  for (let at = 0; at < key.length; at += 1) bytes[headerBytes + at] = key.charCodeAt(at);
  bytes.set(value, valueAt);
  seal(bytes);
  return bytes;
}

/**
 * Decodes the current version of a key. Its value is a view into `bytes`.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeCurrent(recordKey: BinaryString, bytes: Uint8Array): ChangeRecord {
  const change = decodeChange(recordKey, bytes, keyOfCurrent(recordKey));
  if (change.type !== 'put') throw corruptRecord(recordKey, 'a current version is no delete');
  return change;
}

/**
 * Decodes a record of history, whose version may be stored elsewhere.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeHistory(recordKey: BinaryString, bytes: Uint8Array): ChangeRecord | PutStub {
  return isStub(bytes) ? decodeStub(recordKey, bytes) : decodeEnded(recordKey, bytes);
}

/**
 * Decodes a change from history: a delete, or a put of a version that is not current any more. Its
 * value is a view into `bytes`.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeEnded(recordKey: BinaryString, bytes: Uint8Array): ChangeRecord {
  const change = decodeChange(recordKey, bytes, undefined);
  const { revision, sub } = parseHistoryKey(recordKey);
  if (change.version.modRevision !== revision || change.sub !== sub) {
    throw corruptRecord(recordKey, 'it holds a change of another position');
  }
  return change;
}

/**
 * Whether the record of a put is that of a key's first version: there was no such key before.
 *
 * @since 0.1.0
 */
export function isFirstVersion(bytes: Uint8Array): boolean {
  return getUint53(bytes, 26) === 1;
}

/**
 * Whether history holds a put whole, be its version current or not.
 *
 * @param bytes - a record that {@link encodeChange} made
 * @since 0.1.0
 */
export function isWholeInHistory(bytes: Uint8Array): boolean {
  return bytes[typeAt] === types.overwrite;
}

/**
 * Encodes the end of a closed version.
 *
 * @param endRevision - revision of the change that ended it: it was current before, not at it
 * @since 0.1.0
 */
export function encodeClosed(endRevision: number): Uint8Array {
  const bytes = new Uint8Array(closedBytes);
  setUint53(bytes, 5, endRevision);
  seal(bytes);
  return bytes;
}

/**
 * End revision of a closed version.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeClosed(recordKey: BinaryString, bytes: Uint8Array): number {
  checkSeal(recordKey, bytes, closedBytes);
  return getUint53(bytes, 5);
}

/** With `expectedKey`, the record must be of that key; without, the key is read from the record. */
function decodeChange(
  recordKey: BinaryString,
  bytes: Uint8Array,
  expectedKey: BinaryString | undefined,
): ChangeRecord {
  checkSeal(recordKey, bytes, headerBytes);
  const type = bytes[typeAt] as number;
  const isDelete = type === types.delete;
  const isKnown = isDelete || type === types.put || type === types.overwrite;
  const keyLength = getUint32(bytes, 54);
  const valueAt = headerBytes + keyLength;
  if (!isKnown || valueAt > bytes.length) throw corruptRecord(recordKey, 'its header is wrong');
  if (expectedKey !== undefined && !holdsKey(bytes, keyLength, expectedKey)) {
    throw corruptRecord(recordKey, 'it holds a version of another key');
  }
  const previousRevision = getUint53(bytes, 34);
  return {
    type: isDelete ? 'delete' : 'put',
    sub: getUint32(bytes, 6),
    version: {
      key: expectedKey ?? readKey(bytes, keyLength),
      value: valueAt === bytes.length ? noValue : bytes.subarray(valueAt),
      createRevision: getUint53(bytes, 18),
      modRevision: getUint53(bytes, 10),
      version: getUint53(bytes, 26),
      lease: readLease(bytes),
    },
    previous:
      previousRevision === 0
        ? noPosition
        : { revision: previousRevision, sub: getUint32(bytes, 42) },
  };
}

function typeOf({ type, previous }: ChangeRecord): number {
  if (type === 'delete') return types.delete;
  return previous.revision === 0 ? types.put : types.overwrite;
}

function readLease(bytes: Uint8Array): bigint | undefined {
  const none = getUint32(bytes, 46) === 0 && getUint32(bytes, 50) === 0;
  return none ? undefined : getInt64(bytes, 46);
}

function holdsKey(bytes: Uint8Array, keyLength: number, key: BinaryString): boolean {
  if (keyLength !== key.length) return false;
  for (let at = 0; at < keyLength; at += 1) {
    if (bytes[headerBytes + at] !== key.charCodeAt(at)) return false;
  }
  return true;
}

function readKey(bytes: Uint8Array, keyLength: number): BinaryString {
  return binaryString(bytes.subarray(headerBytes, headerBytes + keyLength));
}
