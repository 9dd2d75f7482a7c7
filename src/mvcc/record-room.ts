/**
 * Room for the bytes of new records, cut from shared blocks: a buffer of its own costs a small record
 * an allocation outside the heap and the collector's work for it, some 6 % of a put (ADR 0012). Records
 * are dropped in the order in which they are made, a flush later, so a block goes when they do. Whoever
 * keeps a version for longer takes it out of its block ({@link ownVersion}), and so with a record
 * (`storage/flushed-records.ts`).
 */
import type { KeyVersion } from './types.js';

const blockBytes = 8 * 1024;
/** Larger ones would leave much of a block unused, and cost little by themselves. */
const sharedBytesMax = blockBytes / 8;

let block = new Uint8Array(0);
let used = 0;

/**
 * Bytes for a record, all 0.
 *
 * @param length - of the record
 * @since 0.1.0
 */
export function recordRoom(length: number): Uint8Array {
  if (length > sharedBytesMax) return new Uint8Array(length);
  if (used + length > block.length) {
    block = new Uint8Array(blockBytes);
    used = 0;
  }
  used += length;
  return block.subarray(used - length, used);
}

/**
 * The same version for somebody who keeps it while its neighbours go: with a copy of its value when that
 * is a small part of a larger buffer.
 *
 * @since 0.1.0
 */
export function ownVersion(version: KeyVersion): KeyVersion {
  const { value } = version;
  const isOwn = value.buffer.byteLength <= 2 * value.byteLength + sharedBytesMax;
  return isOwn ? version : { ...version, value: new Uint8Array(value) };
}
