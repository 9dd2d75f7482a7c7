/**
 * The first frame on a connection, from the side that connected.
 *
 *     magic u32 | type u8 = 1 | flags u8 | versions min u16, max u16 |
 *     cluster u64 | from u64 | to u64 | directory id 16 bytes | (length u16 | address or inquiry)? |
 *     (life u64 | term u64 | last entry u64 | count u8 | token u32 * count)?
 */
import { utf8Bytes, utf8Text } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { MemberId } from '../raft/types.js';
import {
  bytesOf,
  dirIdBytes,
  newHandshake,
  openHandshake,
  readDirId,
  readId,
  writeDirId,
  writeId,
} from './handshake-fields.js';
import type { DirectoryLife, MemberIdentity } from './transport.js';

/** A run of protocol versions, both ends inclusive. @since 0.1.0 */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/**
 * Members keep two connections each way: what is large travels apart from what is urgent.
 *
 * @since 0.1.0
 */
export type Lane = 'log' | 'snapshots';

/** Who connects, whom it means to reach, and what it speaks. @since 0.1.0 */
export interface Hello {
  readonly versions: VersionRange;
  readonly from: MemberIdentity;
  readonly to: MemberId;
  /** Only asks whether it would be taken. */
  readonly probe: boolean;
  /** What the connection is for. */
  readonly lane: Lane;
  /** A question to whoever listens there, of one that is no member yet: nothing else counts. */
  readonly inquiry?: Uint8Array | undefined;
}

const type = 1;
const flagsAt = 5;
const versionMinAt = 6;
const versionMaxAt = 8;
const clusterAt = 10;
const fromAt = 18;
const toAt = 26;
const dirIdAt = 34;
const size = dirIdAt + dirIdBytes;
const probeFlag = 1;
const snapshotsFlag = 2;
const addressFlag = 4;
const inquiryFlag = 8;
const lifeFlag = 16;
const lifeSize = 3 * 8 + 1;

/**
 * Encodes a hello.
 *
 * @since 0.1.0
 */
export function encodeHello(hello: Hello): Uint8Array {
  const { from, inquiry, lane, probe } = hello;
  const { life } = from;
  const more = inquiry ?? utf8Bytes(from.address ?? '');
  const lifeAt = more.length === 0 ? size : size + 2 + more.length;
  const lifeBytes = life === undefined ? 0 : lifeSize + 4 * life.tokens.length;
  const view = newHandshake(type, lifeAt + lifeBytes);
  const what = (probe ? probeFlag : 0) | (lane === 'snapshots' ? snapshotsFlag : 0);
  const moreFlag = inquiry === undefined ? addressFlag : inquiryFlag;
  const flags = what | (more.length === 0 ? 0 : moreFlag);
  view.setUint8(flagsAt, flags | (life === undefined ? 0 : lifeFlag));
  view.setUint16(versionMinAt, hello.versions.min, true);
  view.setUint16(versionMaxAt, hello.versions.max, true);
  writeId(view, clusterAt, hello.from.clusterId);
  writeId(view, fromAt, hello.from.memberId);
  writeId(view, toAt, hello.to);
  writeDirId(view, dirIdAt, hello.from.dirId);
  if (life !== undefined) writeLife(view, lifeAt, life);
  const bytes = bytesOf(view);
  if (more.length === 0) return bytes;
  view.setUint16(size, more.length, true);
  bytes.set(more, size + 2);
  return bytes;
}

/**
 * Decodes a hello; bytes after the known ones are a later release's and ignored.
 *
 * @param bytes - untrusted, of any length
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function decodeHello(bytes: Uint8Array): Hello {
  const view = openHandshake(bytes, type, size);
  const versions = {
    min: view.getUint16(versionMinAt, true),
    max: view.getUint16(versionMaxAt, true),
  };
  if (versions.min > versions.max) {
    throw kontikiError('FRAME_INVALID', `versions ${versions.min} to ${versions.max} are no range`);
  }
  const flags = view.getUint8(flagsAt);
  const more = (flags & (addressFlag | inquiryFlag)) === 0 ? undefined : readMore(bytes);
  const lifeAt = more === undefined ? size : size + 2 + more.length;
  return {
    versions,
    from: {
      clusterId: readId(view, clusterAt, 0),
      memberId: readId(view, fromAt, 1),
      dirId: readDirId(view, dirIdAt),
      ...(more !== undefined && (flags & addressFlag) !== 0 && { address: utf8Text(more) }),
      ...((flags & lifeFlag) !== 0 && { life: readLife(view, lifeAt) }),
    },
    to: readId(view, toAt, 1),
    probe: (flags & probeFlag) !== 0,
    lane: (flags & snapshotsFlag) === 0 ? 'log' : 'snapshots',
    ...((flags & inquiryFlag) !== 0 && { inquiry: more }),
  };
}

function readMore(bytes: Uint8Array): Uint8Array {
  const start = size + 2;
  const length = (bytes[size] ?? 0) + (bytes[size + 1] ?? 0) * 256;
  if (start + length > bytes.length) throw isCut();
  return bytes.slice(start, start + length);
}

function writeLife(view: DataView, at: number, life: DirectoryLife): void {
  writeId(view, at, life.number);
  writeId(view, at + 8, life.term);
  writeId(view, at + 16, life.lastIndex);
  view.setUint8(at + 24, life.tokens.length);
  for (const [n, token] of life.tokens.entries())
    view.setUint32(at + lifeSize + 4 * n, token, true);
}

function readLife(view: DataView, at: number): DirectoryLife {
  if (at + lifeSize > view.byteLength) throw isCut();
  const count = view.getUint8(at + 24);
  if (count === 0 || at + lifeSize + 4 * count > view.byteLength) throw isCut();
  const tokens: number[] = [];
  for (let n = 0; n < count; n += 1) tokens.push(view.getUint32(at + lifeSize + 4 * n, true));
  return {
    number: readId(view, at, 1),
    tokens,
    term: readId(view, at + 8, 0),
    lastIndex: readId(view, at + 16, 0),
  };
}

function isCut(): KontikiError {
  return kontikiError('FRAME_INVALID', 'the hello is cut');
}
