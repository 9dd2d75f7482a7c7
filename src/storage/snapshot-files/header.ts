/**
 * First bytes of a snapshot file: which state it holds. Integers are big-endian.
 *
 * ```
 *  0 u32 magic 'KSNP'    8 u32 bytes of the header   24 u64 term
 *  4 u16 format version 12 u32 group                 32 u32 x 4 lengths of the lists of members
 *  6 u16 1: autoLeave   16 u64 index                 48 u64 x n voters, outgoing, learners, next
 *                                                    then u32 crc of all before
 * ```
 *
 * Magic, version, size and the crc at the end keep their places in every format to come, so that
 * damage is told from a file of a later release.
 */
import { upgradeAdvice } from '../../base/advice.js';
import { assert } from '../../base/assert.js';
import type { Crc32 } from '../../base/crc32.js';
import { kontikiError } from '../../base/errors.js';
import { getUint32, getUint53, setUint53 } from '../../base/integers.js';
import type { ConfState } from '../../raft/configuration.js';
import type { LogId, MemberId } from '../../raft/types.js';
import { snapshotCorrupt } from './damage.js';

/** Format of snapshot files that this release writes, and the newest it reads. @since 0.1.0 */
export const snapshotFormatVersion = 1;

const magic = 0x4b534e50;
const fixedBytes = 48;
const crcBytes = 4;

/** Far more than any configuration takes; bounds what is read before the checksum is known. */
const headerBytesMax = 64 * 1024;

/** What a header says. @since 0.1.0 */
export interface SnapshotHeader {
  readonly last: LogId;
  readonly configuration: ConfState;
  readonly groupId: number;
}

/** A header that was read, and what the next part of the file continues from. @since 0.1.0 */
export interface ReadHeader extends SnapshotHeader {
  /** Bytes of the header; the first chunk begins here. */
  readonly size: number;
  readonly crc: number;
}

/** @since 0.1.0 */
export function encodeHeader(crc32: Crc32, header: SnapshotHeader): Uint8Array {
  const { last, configuration, groupId } = header;
  const lists = listsOf(configuration);
  const count = lists.reduce((sum, list) => sum + list.length, 0);
  const size = fixedBytes + 8 * count + crcBytes;
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
      at += 8;
    }
  });
  view.setUint32(at, crc32(bytes.subarray(0, at)));
  return bytes;
}

/**
 * Reads and verifies a header.
 *
 * @param crc32 - checksum of the platform
 * @param file - path, for the error
 * @param bytes - beginning of the file, `headerReadBytes` of it or all
 * @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeHeader(crc32: Crc32, file: string, bytes: Uint8Array): ReadHeader {
  const damaged = (what: string) => snapshotCorrupt(file, 0, what);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < fixedBytes + crcBytes) throw damaged('its header is cut');
  if (view.getUint32(0) !== magic) throw damaged('it is no snapshot');
  const size = view.getUint32(8);
  if (size < fixedBytes + crcBytes || size > bytes.length) {
    throw damaged('the size of its header is wrong');
  }
  const crcAt = size - crcBytes;
  const crc = crc32(bytes.subarray(0, crcAt));
  if (view.getUint32(crcAt) !== crc) throw damaged('the checksum of its header is wrong');
  const version = view.getUint16(4);
  if (version !== snapshotFormatVersion) {
    const found = `snapshot ${file} has format ${version}`;
    const message = `${found}, this release reads ${snapshotFormatVersion}: ${upgradeAdvice}`;
    throw kontikiError('FORMAT_UNSUPPORTED', message);
  }
  const configuration = readConfiguration(bytes, size);
  if (configuration === undefined) throw damaged('the lists of its configuration are wrong');
  return {
    last: { term: getUint53(bytes, 24), index: getUint53(bytes, 16) },
    configuration,
    groupId: view.getUint32(12),
    size,
    crc,
  };
}

/** How much of a file has its header in it. @since 0.1.0 */
export const headerReadBytes = headerBytesMax;

function listsOf(state: ConfState): readonly (readonly MemberId[])[] {
  const { voters = [], votersOutgoing = [], learners = [], learnersNext = [] } = state;
  return [voters, votersOutgoing, learners, learnersNext];
}

function readConfiguration(bytes: Uint8Array, size: number): ConfState | undefined {
  const counts = [32, 36, 40, 44].map((at) => getUint32(bytes, at));
  const count = counts.reduce((sum, length) => sum + length, 0);
  if (fixedBytes + 8 * count + crcBytes !== size) return undefined;
  let at = fixedBytes;
  const [voters, votersOutgoing, learners, learnersNext] = counts.map((length) =>
    Array.from({ length }, () => {
      at += 8;
      return getUint53(bytes, at - 8);
    }),
  );
  const autoLeave = bytes[6] === 0 && bytes[7] === 1;
  return { voters, votersOutgoing, learners, learnersNext, autoLeave };
}
