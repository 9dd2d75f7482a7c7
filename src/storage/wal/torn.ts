/**
 * Decides whether damage is the last write, torn by a crash, which nobody was told was durable, or
 * loss of what somebody was. When in doubt it is loss: a member that forgets an acknowledgement can
 * break the whole group, one that refuses to start cannot (Protocol-Aware Recovery, FAST'18).
 */
import { groupAlignment, groupHeaderBytes } from './format.js';
import {
  type ChainState,
  type GroupDamage,
  readGroupHeader,
  type SegmentBytes,
  trailerSequence,
} from './group-reader.js';
import { firstNonZero, loneByte, sectorEnd } from './sectors.js';

/** Trailers of groups this far ahead of the expected one count as evidence; others are chance. */
const trailerDistanceMax = 2 ** 16;

/**
 * Why a damaged group cannot be a torn last write, or `undefined` when it is one.
 *
 * @param file - the segment with the highest number
 * @param start - where the group should start
 * @param damage - as read there
 * @param expected - what the groups before it led to
 */
export function whyNotTorn(
  file: SegmentBytes,
  start: number,
  damage: GroupDamage,
  expected: ChainState,
): string | undefined {
  if (!damage.looksTorn) return 'no part of it is unwritten';
  const size = file.bytes.length;
  if (damage.end !== undefined) {
    // Groups are written one at a time, each synced before the next: behind the last one is nothing.
    if (damage.end >= size) return undefined;
    const garbage = firstNonZero(file.bytes, damage.end, size);
    return garbage === size ? undefined : `there is more data behind it, at byte ${garbage}`;
  }
  return laterGroup(file, start + groupAlignment, expected) ?? noTraceOfGroup(file, start);
}

/** What is left of a group whose header cannot be read is whole sectors, and those are full. */
function noTraceOfGroup(file: SegmentBytes, start: number): string | undefined {
  const size = file.bytes.length;
  if (start + groupHeaderBytes > size) return undefined;
  const lone = loneByte(file.bytes, sectorEnd(start), size);
  return lone === undefined ? undefined : `byte ${lone} is no part of a write group`;
}

/**
 * A trace of a group behind the expected one: then the expected one was written whole before. Read
 * from headers, and from trailers, because the zeroed sector may hold several headers.
 */
function laterGroup(file: SegmentBytes, from: number, expected: ChainState): string | undefined {
  for (let at = from; at < file.bytes.length; at += groupAlignment) {
    const header = readGroupHeader(file, at);
    if (header !== undefined && header.sequence >= expected.sequence) {
      return `write group ${header.sequence} stands behind it, at byte ${at}`;
    }
    const ended = trailerSequence(file, at);
    if (ended === undefined) continue;
    const ahead = (ended - (expected.sequence >>> 0)) >>> 0;
    if (ahead >= 1 && ahead < trailerDistanceMax) {
      return `a later write group ends behind it, at byte ${at}`;
    }
  }
  return undefined;
}
