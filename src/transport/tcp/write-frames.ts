/**
 * Hands frames to a socket in as few writes as possible without copying much: small frames next to
 * each other are joined, large ones go as they are, and all leave in one system call.
 */
import type { Socket } from 'node:net';
import { concatBytes } from '../../base/bytes.js';

/** A frame below this costs less to copy than to write on its own. */
const smallBytes = 8 * 1024;

/**
 * Writes `frames` in order.
 *
 * @param socket - where to; its own queue takes what the peer does not
 * @param frames - at least one; immutable from now on
 * @since 0.1.0
 */
export function writeFrames(socket: Socket, frames: readonly Uint8Array[]): void {
  // Before the first of them, which would count as well.
  const kept = socket.writableLength > 0 ? owned : asItIs;
  if (frames.length === 1) {
    socket.write(kept(frames[0] as Uint8Array));
    return;
  }
  socket.cork();
  let start = 0;
  for (let at = 0; at <= frames.length; at += 1) {
    const frame = frames[at];
    if (frame !== undefined && frame.length < smallBytes) continue;
    if (at > start) socket.write(concatBytes(frames.slice(start, at)));
    if (frame !== undefined) socket.write(kept(frame));
    start = at + 1;
  }
  socket.uncork();
}

function asItIs(frame: Uint8Array): Uint8Array {
  return frame;
}

/**
 * In a buffer of its own, unless it is most of the one that it is in. A frame is a view of the block that it
 * was encoded in: one that waits long for a peer that reads slowly would keep a thousand times its bytes.
 */
function owned(frame: Uint8Array): Uint8Array {
  return frame.buffer.byteLength > 2 * frame.length ? new Uint8Array(frame) : frame;
}
