/**
 * Verifies write groups in the bytes of a segment, and says of a damaged one whether the damage has
 * the marks of a write that never completed. Whether it may be cut is for `torn.ts` to say.
 */
import type { Crc32 } from '../../base/crc32.js';
import {
  alignGroup,
  getU64,
  groupHeaderBytes,
  groupMagic,
  groupTrailerBytes,
  positionSeed,
  recordHeaderBytes,
  trailerMagic,
  viewOf,
} from './format.js';
import { applyMask } from './mask.js';
import { hasUnwrittenSector, isZero, sectorEnd } from './sectors.js';

/** A segment in memory. */
export interface SegmentBytes {
  readonly segment: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly crc32: Crc32;
}

/** What the next group must carry on from. */
export interface ChainState {
  readonly sequence: number;
  readonly chain: number;
}

/** A group's header, its CRC verified. */
export interface GroupHeader {
  readonly start: number;
  readonly sequence: number;
  readonly chainBefore: number;
  /** Where its records begin and end. */
  readonly body: { readonly from: number; readonly to: number };
  /** May be beyond the file. */
  readonly end: number;
}

/** Damage at `offset`. */
export interface GroupDamage {
  readonly kind: 'damage';
  readonly offset: number;
  readonly reason: string;
  /** The file ends inside the group, or a sector of it was not written. */
  readonly looksTorn: boolean;
  /** End of the group; absent when its header cannot be read. May be beyond the file. */
  readonly end?: number;
}

export type GroupResult =
  /** Nothing but zeros up to the end of the file. */
  | { readonly kind: 'end' }
  | { readonly kind: 'group'; readonly header: GroupHeader; readonly chain: number }
  | GroupDamage;

export function segmentBytes(segment: number, bytes: Uint8Array, crc32: Crc32): SegmentBytes {
  return { segment, bytes, view: viewOf(bytes), crc32 };
}

/** The header at `start`, or `undefined` when there is no valid one. */
export function readGroupHeader(file: SegmentBytes, start: number): GroupHeader | undefined {
  const { view, bytes } = file;
  if (start + groupHeaderBytes > bytes.length) return undefined;
  if (view.getUint32(start, true) !== groupMagic) return undefined;
  const crc = file.crc32(bytes.subarray(start, start + 20), positionSeed(file.segment, start));
  if (crc !== view.getUint32(start + 20, true)) return undefined;
  const from = start + groupHeaderBytes;
  const to = from + view.getUint32(start + 4, true);
  return {
    start,
    sequence: getU64(view, start + 8),
    chainBefore: view.getUint32(start + 16, true),
    body: { from, to },
    end: alignGroup(to) + groupTrailerBytes,
  };
}

/**
 * Verifies the group at `start`. Its records in `file` have lost their mask if it is intact.
 *
 * @param expected - what the groups before it led to
 */
export function readGroup(file: SegmentBytes, start: number, expected: ChainState): GroupResult {
  const header = readGroupHeader(file, start);
  if (header === undefined) {
    if (isZero(file.bytes, start, file.bytes.length)) return { kind: 'end' };
    return unreadable(file, start);
  }
  if (header.sequence !== expected.sequence) {
    const reason = `write group ${header.sequence} stands where ${expected.sequence} belongs`;
    return { kind: 'damage', offset: start, reason, looksTorn: false };
  }
  if (header.chainBefore !== expected.chain) {
    const reason = 'the write group does not follow from the one before it';
    return { kind: 'damage', offset: start, reason, looksTorn: false };
  }
  if (header.end > file.bytes.length) {
    const reason = 'the file ends inside a write group';
    return { kind: 'damage', offset: start, reason, looksTorn: true, end: header.end };
  }
  toggleMask(file, header);
  const verified = verifyRecords(file, header);
  if (typeof verified === 'number') return { kind: 'group', header, chain: verified };
  // Back to what is on disk: only there do zeros mean anything.
  toggleMask(file, header);
  const looksTorn = hasUnwrittenSector(file.bytes, header);
  return { kind: 'damage', ...verified, looksTorn, end: header.end };
}

function toggleMask(file: SegmentBytes, { body }: GroupHeader): void {
  applyMask(file.bytes, body.from, body.to, { segment: file.segment, offset: 0 });
}

/**
 * A header that cannot be read is torn when a sector it lies in was not written, or the file ends in
 * it. What there is of its first sector is then nothing, or the start of a header.
 */
function unreadable(file: SegmentBytes, start: number): GroupDamage {
  const { bytes } = file;
  const headerEnd = start + groupHeaderBytes;
  const firstEnd = Math.min(sectorEnd(start), bytes.length);
  const secondEnd = Math.min(sectorEnd(firstEnd), bytes.length);
  const isCutShort = headerEnd > bytes.length;
  const isRestUnwritten = headerEnd > firstEnd && isZero(bytes, firstEnd, secondEnd);
  const looksTorn =
    isZero(bytes, start, firstEnd) ||
    (beginsLikeHeader(file, start) && (isCutShort || isRestUnwritten));
  const reason = 'the header of a write group is damaged, or garbage follows the last one';
  return { kind: 'damage', offset: start, reason, looksTorn };
}

/** Whether the magic stands at `start`, as much of it as the file still holds. */
function beginsLikeHeader(file: SegmentBytes, start: number): boolean {
  const magic = new Uint8Array(4);
  viewOf(magic).setUint32(0, groupMagic, true);
  return file.bytes.subarray(start, start + 4).every((byte, at) => byte === magic[at]);
}

interface Fault {
  readonly offset: number;
  readonly reason: string;
}

/** The chain after the group's last record, or what is wrong with it. */
function verifyRecords(file: SegmentBytes, header: GroupHeader): number | Fault {
  const { bytes, view, crc32 } = file;
  const { from, to } = header.body;
  let chain = header.chainBefore;
  let at = from;
  while (at < to) {
    const end = recordEnd(view, at, to);
    if (end === undefined) return { offset: at, reason: 'a record is longer than its group' };
    chain = crc32(bytes.subarray(at + 4, end), chain);
    if (chain !== view.getUint32(at, true)) {
      return { offset: at, reason: 'the checksum of a record does not match' };
    }
    at = end;
  }
  return verifyTrailer(file, header) ?? chain;
}

function verifyTrailer(file: SegmentBytes, header: GroupHeader): Fault | undefined {
  const trailerAt = header.end - groupTrailerBytes;
  const isIntact =
    isZero(file.bytes, header.body.to, trailerAt) &&
    trailerSequence(file, trailerAt) === header.sequence >>> 0;
  return isIntact ? undefined : { offset: trailerAt, reason: 'the end mark of a group is damaged' };
}

/** End of the record at `at`, or `undefined` when it does not fit. */
export function recordEnd(view: DataView, at: number, to: number): number | undefined {
  if (at + recordHeaderBytes > to) return undefined;
  const end = at + recordHeaderBytes + view.getUint32(at + 4, true);
  return end <= to ? end : undefined;
}

/** Low half of the sequence number in the trailer at `at`, if there is one. */
export function trailerSequence(file: SegmentBytes, at: number): number | undefined {
  if (at + groupTrailerBytes > file.bytes.length) return undefined;
  if (file.view.getUint32(at, true) !== trailerMagic) return undefined;
  return (file.view.getUint32(at + 4, true) ^ positionSeed(file.segment, at)) >>> 0;
}
