/**
 * Names and headers of segments. The header carries sequence and chain over from the segment before,
 * so that no segment can go missing, come back or change places unnoticed.
 */
import type { Crc32 } from '../../base/crc32.js';
import {
  formatVersion,
  getU64,
  putU64,
  sectorBytes,
  segmentHeaderBytes,
  segmentMagic,
  viewOf,
} from './format.js';

/** What a segment starts with. */
export interface SegmentHeader {
  /** Number of the segment; its file is named after it. */
  readonly segment: number;
  /** Sequence number of its head, the group it begins with. */
  readonly sequence: number;
  /** CRC of the last record before it. */
  readonly chain: number;
}

/** What was found where a header should be. */
export type SegmentHeaderResult =
  | { readonly kind: 'header'; readonly header: SegmentHeader }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'damaged' };

const versionAt = 8;
const crcAt = sectorBytes - 4;
const namePattern = /^[0-9a-f]{16}\.wal$/;

/** Name of a segment's file. */
export function segmentName(segment: number): string {
  return `${segment.toString(16).padStart(16, '0')}.wal`;
}

/** Numbers of the segments among file names, ascending. Other names are not ours to judge. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .filter((name) => namePattern.test(name))
    .map((name) => Number.parseInt(name, 16))
    .sort((a, b) => a - b);
}

/** The bytes of a header. */
export function encodeSegmentHeader(header: SegmentHeader, crc32: Crc32): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const view = viewOf(bytes);
  bytes.set(segmentMagic);
  view.setUint32(versionAt, formatVersion, true);
  putU64(view, 16, header.segment);
  putU64(view, 24, header.sequence);
  view.setUint32(32, header.chain, true);
  view.setUint32(crcAt, crc32(bytes.subarray(0, crcAt)), true);
  return bytes;
}

/** Reads the header of a file's bytes. */
export function decodeSegmentHeader(file: Uint8Array, crc32: Crc32): SegmentHeaderResult {
  if (file.length < segmentHeaderBytes) return { kind: 'damaged' };
  const view = viewOf(file);
  const isMagic = segmentMagic.every((byte, at) => file[at] === byte);
  if (!isMagic || view.getUint32(crcAt, true) !== crc32(file.subarray(0, crcAt))) {
    return { kind: 'damaged' };
  }
  const version = view.getUint32(versionAt, true);
  if (version !== formatVersion) return { kind: 'version', version };
  const header = {
    segment: getU64(view, 16),
    sequence: getU64(view, 24),
    chain: view.getUint32(32, true),
  };
  return { kind: 'header', header };
}
