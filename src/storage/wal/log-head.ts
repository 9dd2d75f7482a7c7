/**
 * What a segment's head carries forward from the segments before it, so that they can be removed.
 */
import type { Crc32 } from '../../base/crc32.js';
import type { HardState, LogId } from '../../raft/types.js';
import type { AppliedConfiguration, SnapshotMark } from '../log-store.js';
import { segmentHeaderBytes } from './format.js';
import { GroupBuilder } from './group-builder.js';
import { encodeSegmentHeader, type SegmentHeader } from './segment-header.js';

/** The log as the segments before led to it. Nothing in it is ever changed. */
export interface LogHead {
  /** Newest entry. */
  readonly position: LogId;
  /** Number of the segment the log starts with. */
  readonly startSegment: number;
  readonly hardState: HardState;
  readonly configurations: readonly AppliedConfiguration[];
  readonly installing: SnapshotMark | undefined;
}

/** How a head is written. */
export interface HeadOptions {
  readonly crc32: Crc32;
  readonly groupId: number;
}

/** The first bytes of a segment: its header and its head. */
export function encodeHead(
  header: SegmentHeader,
  head: LogHead,
  { crc32, groupId }: HeadOptions,
): Uint8Array {
  const builder = new GroupBuilder(crc32, groupId);
  builder.reset(header.chain);
  builder.addMark({ kind: 'head', position: head.position, segment: head.startSegment });
  builder.addHardState(head.hardState);
  for (const applied of head.configurations) builder.addMark({ kind: 'configuration', applied });
  if (head.installing !== undefined) {
    builder.addMark({ kind: 'installing', snapshot: head.installing });
  }
  const { segment, sequence } = header;
  const group = builder.seal({ segment, offset: segmentHeaderBytes, sequence });
  const bytes = new Uint8Array(segmentHeaderBytes + group.length);
  bytes.set(encodeSegmentHeader(header, crc32));
  bytes.set(group, segmentHeaderBytes);
  return bytes;
}
