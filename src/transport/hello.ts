/**
 * The first frame on a connection, from the side that connected.
 *
 *     magic u32 | type u8 = 1 | flags u8 | versions min u16, max u16 |
 *     cluster u64 | from u64 | to u64 | directory id 16 bytes
 */
import { kontikiError } from '../base/errors.js';
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
import type { MemberIdentity } from './transport.js';

/** A run of protocol versions, both ends inclusive. @since 0.1.0 */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** Who connects, whom it means to reach, and what it speaks. @since 0.1.0 */
export interface Hello {
  readonly versions: VersionRange;
  readonly from: MemberIdentity;
  readonly to: MemberId;
  /** Only asks whether it would be taken. */
  readonly probe: boolean;
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

/**
 * Encodes a hello.
 *
 * @since 0.1.0
 */
export function encodeHello(hello: Hello): Uint8Array {
  const view = newHandshake(type, size);
  view.setUint8(flagsAt, hello.probe ? probeFlag : 0);
  view.setUint16(versionMinAt, hello.versions.min, true);
  view.setUint16(versionMaxAt, hello.versions.max, true);
  writeId(view, clusterAt, hello.from.clusterId);
  writeId(view, fromAt, hello.from.memberId);
  writeId(view, toAt, hello.to);
  writeDirId(view, dirIdAt, hello.from.dirId);
  return bytesOf(view);
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
  return {
    versions,
    from: {
      clusterId: readId(view, clusterAt, 0),
      memberId: readId(view, fromAt, 1),
      dirId: readDirId(view, dirIdAt),
    },
    to: readId(view, toAt, 1),
    probe: (view.getUint8(flagsAt) & probeFlag) !== 0,
  };
}
