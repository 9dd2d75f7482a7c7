/**
 * What hello and answer are made of. Their layout is fixed for ever, since both sides must read it
 * before they know which version the other speaks; later releases may only append to it.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';

/** First four bytes of every handshake payload: `kntk`. @since 0.1.0 */
export const magic = 0x6b746e6b;

/** Largest payload of a handshake frame, in bytes. @since 0.1.0 */
export const handshakeBytesMax = 1024;

/** Length of an encoded directory id. @since 0.1.0 */
export const dirIdBytes = 16;

const dirIdPattern = /^[0-9a-f]{32}$/;

/**
 * A view over a handshake payload of the given type.
 *
 * @param type - fifth byte
 * @param bytesMin - shortest payload of that type
 * @param bytesMax - longest
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function openHandshake(
  bytes: Uint8Array,
  type: number,
  bytesMin: number,
  bytesMax = handshakeBytesMax,
): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fits = bytes.length >= bytesMin && bytes.length <= bytesMax;
  if (!fits || view.getUint32(0, true) !== magic || view.getUint8(4) !== type) {
    throw kontikiError('FRAME_INVALID', `expected a handshake, got ${bytes.length} other bytes`);
  }
  return view;
}

/**
 * A new payload of `size` bytes that starts with the magic and `type`.
 *
 * @since 0.1.0
 */
export function newHandshake(type: number, size: number): DataView {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, magic, true);
  view.setUint8(4, type);
  return view;
}

/**
 * The bytes under a view.
 *
 * @since 0.1.0
 */
export function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/**
 * Writes a safe integer of at least 0 as 8 bytes.
 *
 * @since 0.1.0
 */
export function writeId(view: DataView, at: number, id: number): void {
  assert(Number.isSafeInteger(id) && id >= 0, `an id is a safe integer: ${id}`);
  view.setBigUint64(at, BigInt(id), true);
}

/**
 * Reads what {@link writeId} wrote.
 *
 * @param least - smallest id that makes sense here
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readId(view: DataView, at: number, least: number): number {
  const id = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(id) || id < least) {
    throw kontikiError('FRAME_INVALID', `${id} is no id`);
  }
  return id;
}

/**
 * Writes 32 hexadecimal digits as {@link dirIdBytes} bytes.
 *
 * @since 0.1.0
 */
export function writeDirId(view: DataView, at: number, dirId: string): void {
  assert(dirIdPattern.test(dirId), `a directory id has 32 lower-case hexadecimal digits: ${dirId}`);
  for (let n = 0; n < dirIdBytes; n += 1) {
    view.setUint8(at + n, Number.parseInt(dirId.slice(2 * n, 2 * n + 2), 16));
  }
}

/**
 * Reads what {@link writeDirId} wrote.
 *
 * @since 0.1.0
 */
export function readDirId(view: DataView, at: number): string {
  let dirId = '';
  for (let n = 0; n < dirIdBytes; n += 1) {
    dirId += view
      .getUint8(at + n)
      .toString(16)
      .padStart(2, '0');
  }
  return dirId;
}
