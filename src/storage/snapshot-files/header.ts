/**
 * First bytes of a snapshot file: which state it holds. Integers are big-endian.
 *
 * ```
 *  0 u32 magic 'KSNP'    8 u32 bytes of the header   24 u64 term
 *  4 u16 format version 12 u32 group                 32 u32 x 4 lengths of the lists of members
 *  6 u16 1: autoLeave   16 u64 index                 48 u64 x n voters, outgoing, learners, next
 *                                                    then the context, then u32 crc of all before
 * ```
 *
 * `framed-kind.ts` says which of them keep their places for good.
 */
import { assert } from '../../base/assert.js';
import type { Crc32 } from '../../base/crc32.js';
import { getUint32, getUint53, setUint53 } from '../../base/integers.js';
import { limits } from '../../base/limits.js';
import type { ConfState } from '../../raft/configuration.js';
import type { LogId, MemberId } from '../../raft/types.js';
import { snapshotCorrupt } from './damage.js';
import { type FramedHeader, type FramedKind, headerBytesMax } from './framed-kind.js';

/** Format of snapshot files that this release writes, and the newest it reads. @since 0.1.0 */
export const snapshotFormatVersion = 1;

const magic = 0x4b534e50;
const fixedBytes = 48;
const crcBytes = 4;
const idBytes = 8;
/** Of a scalar in the context, beside the bytes of a text. */
const scalarBytesMax = 9;
/** Name and address, of three bytes for a character at most, and two more scalars. */
const memberBytesMax = 2 * 3 * limits.memberTextMax + 4 * scalarBytesMax;
const contextBytesMax =
  2 * scalarBytesMax +
  limits.membersMax * memberBytesMax +
  limits.removedMembersMax * scalarBytesMax;
const listsBytesMax = 4 * limits.membersMax * idBytes;
assert(
  fixedBytes + listsBytesMax + contextBytesMax + crcBytes <= headerBytesMax,
  'every membership fits the header of a snapshot',
);

/** What a header says. @since 0.1.0 */
export interface SnapshotHeader {
  readonly last: LogId;
  readonly configuration: ConfState;
  readonly groupId: number;
}

/** A header that was read, and what the next part of the file continues from. @since 0.1.0 */
export interface ReadHeader extends SnapshotHeader, FramedHeader {}

/** @since 0.1.0 */
export function encodeHeader(crc32: Crc32, header: SnapshotHeader): Uint8Array {
  const { last, configuration, groupId } = header;
  const lists = listsOf(configuration);
  const count = lists.reduce((sum, list) => sum + list.length, 0);
  const { context = new Uint8Array(0) } = configuration;
  const size = fixedBytes + idBytes * count + context.length + crcBytes;
  assert(size <= headerBytesMax, `a configuration of ${count} members fits a snapshot's header`);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint16(4, snapshotFormatVersion);
  view.setUint16(6, configuration.autoLeave === true ? 1 : 0);
  view.setUint32(8, size);
  view.setUint32(12, groupId);
  setUint53(bytes, 16, last.index);
  setUint53(bytes, 24, last.term);
  let at = fixedBytes;
  lists.forEach((list, which) => {
    view.setUint32(32 + 4 * which, list.length);
    for (const id of list) {
      setUint53(bytes, at, id);
      at += idBytes;
    }
  });
  bytes.set(context, at);
  at += context.length;
  view.setUint32(at, crc32(bytes.subarray(0, at)));
  return bytes;
}

/** Snapshots of a folder of them. @since 0.1.0 */
export const snapshotKind: FramedKind<ReadHeader> = {
  noun: 'snapshot',
  magic,
  version: snapshotFormatVersion,
  headerBytesMin: fixedBytes + crcBytes,
  damaged: snapshotCorrupt,
  readFields(bytes, { size, crc }) {
    const configuration = readConfiguration(bytes, size);
    if (configuration === undefined) return undefined;
    const last = { term: getUint53(bytes, 24), index: getUint53(bytes, 16) };
    return { last, configuration, groupId: getUint32(bytes, 12), size, crc };
  },
};

function listsOf(state: ConfState): readonly (readonly MemberId[])[] {
  const { voters = [], votersOutgoing = [], learners = [], learnersNext = [] } = state;
  return [voters, votersOutgoing, learners, learnersNext];
}

function readConfiguration(bytes: Uint8Array, size: number): ConfState | undefined {
  const counts = [32, 36, 40, 44].map((at) => getUint32(bytes, at));
  const count = counts.reduce((sum, length) => sum + length, 0);
  const contextAt = fixedBytes + idBytes * count;
  if (contextAt + crcBytes > size) return undefined;
  let at = fixedBytes;
  const [voters, votersOutgoing, learners, learnersNext] = counts.map((length) =>
    Array.from({ length }, () => {
      at += idBytes;
      return getUint53(bytes, at - idBytes);
    }),
  );
  const autoLeave = bytes[6] === 0 && bytes[7] === 1;
  const configuration = { voters, votersOutgoing, learners, learnersNext, autoLeave };
  if (contextAt + crcBytes === size) return configuration;
  return { ...configuration, context: bytes.slice(contextAt, size - crcBytes) };
}
