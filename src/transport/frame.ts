/**
 * Frames: how payloads stand in a byte stream. All numbers are little-endian.
 *
 *     0       4       8       12
 *     +-------+-------+-------+-----------------+
 *     | size  | crc32 | group | payload (size)  |
 *     +-------+-------+-------+-----------------+
 *                     |<--- covered by crc ---->|
 *
 * The group is 0: it keeps room for many Raft groups on one connection. A wrong size is caught by
 * the checksum of whatever is taken for the payload then.
 */
import { assert } from '../base/assert.js';
import type { Crc32 } from '../base/crc32.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';

/** Bytes in front of a payload. @since 0.1.0 */
export const frameHeaderBytes = 12;

/** Bytes of the longest payload between members. @since 0.1.0 */
export const framePayloadBytesMax = limits.frameBytesMax - frameHeaderBytes;

const crcAt = 4;
const groupAt = 8;

/**
 * Fills the header of a frame in place.
 *
 * @param frame - {@link frameHeaderBytes} unset bytes, then the payload
 * @param crc32 - checksum function
 * @since 0.1.0
 */
export function sealFrame(frame: Uint8Array, crc32: Crc32): void {
  assert(frame.length >= frameHeaderBytes, 'a frame has a header');
  writeU32(frame, 0, frame.length - frameHeaderBytes);
  writeU32(frame, groupAt, 0);
  writeU32(frame, crcAt, crc32(frame.subarray(groupAt)));
}

/**
 * A sealed frame around a copy of `payload`.
 *
 * @since 0.1.0
 */
export function frameOf(payload: Uint8Array, crc32: Crc32): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  frame.set(payload, frameHeaderBytes);
  sealFrame(frame, crc32);
  return frame;
}

/**
 * Bytes of the whole frame whose header starts at `at`, as its header says.
 *
 * @param payloadBytesMax - a larger claim is refused before anything is allocated for it
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function frameSize(bytes: Uint8Array, at: number, payloadBytesMax: number): number {
  const size = readU32(bytes, at);
  if (size > payloadBytesMax) {
    throw kontikiError('FRAME_INVALID', `a frame claims ${size} bytes, ${payloadBytesMax} at most`);
  }
  return frameHeaderBytes + size;
}

/**
 * The payload of a whole frame, as a view.
 *
 * @throws {KontikiError} FRAME_INVALID when the checksum or the group is wrong
 * @since 0.1.0
 */
export function openFrame(frame: Uint8Array, crc32: Crc32): Uint8Array {
  if (crc32(frame.subarray(groupAt)) !== readU32(frame, crcAt)) {
    throw kontikiError('FRAME_INVALID', `checksum of a frame of ${frame.length} bytes differs`);
  }
  const group = readU32(frame, groupAt);
  if (group !== 0) throw kontikiError('FRAME_INVALID', `there is no group ${group}`);
  return frame.subarray(frameHeaderBytes);
}

function readU32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return low + high * 0x1_0000;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
