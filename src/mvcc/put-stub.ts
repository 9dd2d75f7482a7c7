/**
 * What history holds of a put of a new key whose version is still current: everything but the version itself,
 * which is stored once, as the key's current one. The command that ends the version moves its whole record
 * here, over the stub (docs/adr/0006-keyspace-layout.md). A put over another version has no stub: keys that are
 * overwritten are overwritten again, and their history is whole from the start.
 *
 * Who finds a stub looks for the version in the current record, and, if that is of a later version by
 * then, once more in history. That is exact however many changes come between the three reads, for a
 * version is stored in one direction only: in its current record, then in history, then nowhere, and
 * only a compaction to above its revision takes the last step.
 *
 * ```
 *  0 u32 crc of the rest     6 u32 sub              22 u64 previous revision
 *  4 u8  layout version     10 u64 modRevision      30 u32 previous sub
 *  5 u8  2                  18 u32 crc of the put   34 key
 * ```
 */
import { type BinaryString, binaryString } from '../base/bytes.js';
import { getUint32, getUint53 } from '../base/integers.js';
import { checkSeal, corruptRecord, seal } from './record-bytes.js';
import { type ChangePosition, parseHistoryKey } from './record-keys.js';
import type { KeyVersion } from './types.js';

/** A put, as history tells it while its version is current. @since 0.1.0 */
export interface PutStub {
  readonly type: 'stub';
  /** Position inside its revision, from 0. */
  readonly sub: number;
  readonly version: Pick<KeyVersion, 'key' | 'modRevision'>;
  /** Where the version before was written; revision 0 for none. */
  readonly previous: ChangePosition;
  /** Checksum of the whole record. */
  readonly crc: number;
}

const typeAt = 5;
const stubType = 2;
const headerBytes = 34;
/** Of the record of a put: where its fields begin that a stub has, too (`record.ts`). */
const ofPut = { position: 6, previous: 34, keyLength: 54, key: 58 } as const;

/**
 * Encodes the stub of a put.
 *
 * @param put - its whole record
 * @since 0.1.0
 */
export function encodeStub(put: Uint8Array): Uint8Array {
  const keyLength = getUint32(put, ofPut.keyLength);
  const bytes = new Uint8Array(headerBytes + keyLength);
  bytes[typeAt] = stubType;
  copy(put, ofPut.position, bytes, 6, 12);
  copy(put, 0, bytes, 18, 4);
  copy(put, ofPut.previous, bytes, 22, 12);
  copy(put, ofPut.key, bytes, headerBytes, keyLength);
  seal(bytes);
  return bytes;
}

/**
 * Whether a record of history is a stub.
 *
 * @param bytes - not verified yet
 * @since 0.1.0
 */
export function isStub(bytes: Uint8Array): boolean {
  return bytes[typeAt] === stubType;
}

/**
 * Decodes a stub.
 *
 * @param recordKey - where the record was found
 * @param bytes - one that {@link isStub}
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeStub(recordKey: BinaryString, bytes: Uint8Array): PutStub {
  checkSeal(recordKey, bytes, headerBytes);
  const sub = getUint32(bytes, 6);
  const modRevision = getUint53(bytes, 10);
  const at = parseHistoryKey(recordKey);
  if (modRevision !== at.revision || sub !== at.sub) {
    throw corruptRecord(recordKey, 'it holds a change of another position');
  }
  return {
    type: 'stub',
    sub,
    version: { key: binaryString(bytes.subarray(headerBytes)), modRevision },
    previous: { revision: getUint53(bytes, 22), sub: getUint32(bytes, 30) },
    crc: getUint32(bytes, 18),
  };
}

/**
 * Whether a stub is that of a put.
 *
 * @param put - its whole record, verified
 * @since 0.1.0
 */
export function isStubOf(stub: PutStub, put: Uint8Array): boolean {
  return stub.crc === getUint32(put, 0);
}

/**
 * What the sum of history counts a record of it as, which is the same while the version is current and
 * afterwards: the stub of a put that has one, every other record as it is.
 *
 * @param bytes - a record of history, verified
 * @since 0.1.0
 */
export function countedForm(bytes: Uint8Array): Uint8Array {
  return bytes[typeAt] === 0 ? encodeStub(bytes) : bytes;
}

function copy(
  from: Uint8Array,
  fromAt: number,
  to: Uint8Array,
  toAt: number,
  length: number,
): void {
  for (let at = 0; at < length; at += 1) to[toAt + at] = from[fromAt + at] as number;
}
