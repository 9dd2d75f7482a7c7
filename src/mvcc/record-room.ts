/**
 * Room for the bytes of new records. Records are dropped in the order in which they are made, a flush later, so a
 * block goes when they do. Whoever keeps a version for longer takes it out of its block ({@link ownVersion}), and so
 * with a record (`storage/flushed-records.ts`).
 */
import { ByteRoom, roomBytesMax } from '../base/byte-room.js';
import type { KeyVersion } from './types.js';

const room = new ByteRoom();

/**
 * Bytes for a record, all 0.
 *
 * @param length - of the record
 * @since 0.1.0
 */
export function recordRoom(length: number): Uint8Array {
  return room.take(length);
}

/**
 * The same version for somebody who keeps it while its neighbours go: with a copy of its value when that
 * is a small part of a larger buffer.
 *
 * @since 0.1.0
 */
export function ownVersion(version: KeyVersion): KeyVersion {
  const { value } = version;
  const isOwn = value.buffer.byteLength <= 2 * value.byteLength + roomBytesMax;
  return isOwn ? version : { ...version, value: new Uint8Array(value) };
}
