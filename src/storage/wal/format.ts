/**
 * The log's format on disk, version 1. `docs/adr/0004-write-ahead-log-format.md` tells why.
 *
 * The log is a folder of segments, `<number, 16 hexadecimal digits>.wal`, numbered without a gap from
 * the one it starts with. All integers are little-endian; a u64 holds a safe integer.
 *
 *     segment   header, head group, write groups back to back, zeros up to the end of the file
 *     header    512 bytes, a sector of its own: no later write touches it
 *               0 magic 8 | 8 version u32 | 12 zero u32 | 16 segment number u64
 *               24 sequence of the first group u64 | 32 chain u32, carried over | zeros
 *               508 CRC of bytes 0 to 507. Magic, version and CRC stay where they are in every version
 *     group     header | records, masked (mask.ts) | zeros up to 8 bytes | trailer; 8-byte aligned
 *       header  0 magic u32 | 4 bytes of the records u32 | 8 sequence u64
 *               16 chain before the first record u32 | 20 CRC of bytes 0 to 19 u32
 *       trailer 0 magic u32 | 4 low half of the sequence, mixed with the position u32
 *     record    0 CRC u32 | 4 bytes of the body u32 | 8 Raft group u32 | 12 type u8 | body
 *       entry          term u64 | index u64 | entry type u8 | data
 *       hard state     term u64 | vote u64 | commit u64
 *       configuration  index u64 | members
 *       installing     term u64 | index u64 | members
 *       installed      term u64 | index u64
 *       head           term u64 | index u64 | number of the segment the log starts with u64
 *       start          term u64 | index u64 | number of the segment the log starts with u64
 *     members   1 when left automatically, else 0: u8 | voters, outgoing voters, learners, learners
 *               to be, each list: length u32 | each u64
 *
 * The head group says what the segments before it led to, so that they can be removed: a head record,
 * the hard state, configurations, and the snapshot install that is not done. It takes a sequence
 * number and no place in the chain: what follows it goes on from where the chain was before.
 *
 * A record's CRC covers its bytes from 4 on and is seeded with the CRC of the record before it (the
 * chain), across groups and segments. The CRC of a group header is seeded with its position only, so
 * that headers are found by scanning, and a copy of one inside somebody's value is not taken for one.
 */
import type { EntryType } from '../../raft/types.js';

/** Version this code reads and writes. @since 0.1.0 */
export const formatVersion = 1;
/** What a disk writes whole or not at all, and what an unwritten one reads as: zeros. */
export const sectorBytes = 512;
/** Header of a segment: one sector. */
export const segmentHeaderBytes = sectorBytes;
/** Header of a group. */
export const groupHeaderBytes = 24;
/** End mark of a group. */
export const groupTrailerBytes = 8;
/** Groups start and end at multiples of this. */
export const groupAlignment = 8;
/** Bytes of a record before its body. */
export const recordHeaderBytes = 13;
/** Bytes of an entry's body before its data. */
export const entryHeaderBytes = 17;

/** `kontiki` and a line feed. */
export const segmentMagic: Uint8Array = Uint8Array.of(
  0x6b,
  0x6f,
  0x6e,
  0x74,
  0x69,
  0x6b,
  0x69,
  0x0a,
);
/** First bytes of a group. None of them is zero, and more than one bit is set. */
export const groupMagic = 0x5047_6b57;
/** First bytes of a group's trailer, by the same rule. */
export const trailerMagic = 0x4547_6b57;

/** Types of records. */
export const recordTypes = {
  entry: 1,
  hardState: 2,
  configuration: 3,
  installing: 4,
  installed: 5,
  head: 6,
  start: 7,
} as const;

/** Codes of entry types: their places. */
export const entryTypes: readonly (EntryType | undefined)[] = [
  undefined,
  'normal',
  'config-change',
  'config-change-v2',
];

/**
 * A number that differs for any two positions within a segment, and for the same position of two
 * segments.
 *
 * @param segment - number of the segment
 * @param offset - byte offset in its file, below 2^32
 */
export function positionSeed(segment: number, offset: number): number {
  return (Math.imul(segment >>> 0, 0x9e37_79b1) ^ offset) >>> 0;
}

/** Writes a safe integer as u64. */
export function putU64(view: DataView, at: number, value: number): void {
  const low = value >>> 0;
  view.setUint32(at, low, true);
  view.setUint32(at + 4, (value - low) / 2 ** 32, true);
}

/** Reads a u64; beyond 2^53 it is not exact, and not a safe integer either. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/** The view of bytes as numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Rounds up to where a group may start. */
export function alignGroup(offset: number): number {
  return Math.ceil(offset / groupAlignment) * groupAlignment;
}
