/** Frames as a broken or hostile peer may send them: lawful ones, and those with something changed. */
import { concatBytes } from '../../src/base/bytes.js';
import { crc32 } from '../../src/base/crc32.js';
import { kontikiError } from '../../src/base/errors.js';
import { type Random, randomInt } from '../../src/base/prng.js';
import { decodeWireMessage, encodeWireMessage } from '../../src/codec/wire-codec.js';
import type { WireMessage } from '../../src/codec/wire-message.js';
import { wireSamples } from '../../src/testing/suites/wire-samples.js';
import { frameHeaderBytes, sealFrame } from '../../src/transport/frame.js';
import { FrameParser } from '../../src/transport/frame-parser.js';
import { codeOf } from '../codec/hostile-bytes.js';

/** Every kind of message, from one member to another, as unsealed frames. */
export function lawfulFrames(from: number, to: number): readonly Uint8Array[] {
  return Object.values(wireSamples).map((sample) =>
    Uint8Array.from(encodeWireMessage({ ...sample, from, to } as WireMessage, frameHeaderBytes)),
  );
}

/**
 * One frame.
 *
 * @param evil - of how many one is changed
 */
export function fuzzedFrame(
  random: Random,
  frames: readonly Uint8Array[],
  evil: number,
): Uint8Array {
  const frame = (frames[randomInt(random, frames.length)] as Uint8Array).slice();
  if (randomInt(random, evil) > 0) return sealed(frame);
  switch (randomInt(random, 6)) {
    // With a right checksum, so that it gets as far as the decoder.
    case 0:
    case 1:
      return sealed(changed(random, frame, frameHeaderBytes));
    case 2:
      return changed(random, sealed(frame), 0);
    case 3:
      return randomBytes(random, randomInt(random, 200));
    case 4:
      return sealed(
        concatBytes([
          frame.subarray(0, frameHeaderBytes),
          randomBytes(random, randomInt(random, 300)),
        ]),
      );
    default:
      return hostileHeader(random, sealed(frame));
  }
}

/** What a member makes of a stream: how many messages, and with which code it ends, if with any. */
export function expectedOf(
  stream: Uint8Array,
  { from, to, payloadBytesMax }: { from: number; to: number; payloadBytesMax: number },
): { messages: number; code: string | undefined } {
  const parser = new FrameParser(payloadBytesMax, crc32);
  let messages = 0;
  const code = codeOf(() => {
    parser.push(stream);
    for (let next = parser.next(); next !== undefined; next = parser.next()) {
      if (next.length === 0) continue;
      const message = decodeWireMessage(next);
      if (message.from !== from || message.to !== to) throw kontikiError('FRAME_INVALID', 'ends');
      messages += 1;
    }
  });
  return { messages, code };
}

function sealed(frame: Uint8Array): Uint8Array {
  sealFrame(frame, crc32);
  return frame;
}

/** A few bytes set, cut or doubled, at `start` or behind. */
function changed(random: Random, bytes: Uint8Array, start: number): Uint8Array {
  let out = bytes;
  for (let edits = 1 + randomInt(random, 3); edits > 0; edits -= 1) {
    const at = start + randomInt(random, Math.max(1, out.length - start));
    switch (randomInt(random, 4)) {
      case 0:
        out = concatBytes([out.subarray(0, at), out.subarray(Math.min(out.length, at + 1))]);
        break;
      case 1:
        out = concatBytes([out.subarray(0, at), randomBytes(random, 1 + randomInt(random, 9))]);
        break;
      case 2:
        out = concatBytes([out.subarray(0, at), out.subarray(start)]);
        break;
      default:
        out = out.slice();
        if (at < out.length) out[at] = random.u32() & 0xff;
    }
  }
  return out.length < start ? bytes : out;
}

/** A size, a checksum or a group of the sender's choosing. */
function hostileHeader(random: Random, frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const sizes = [0, 1, frame.length, 1 << 20, 1 << 24, (1 << 24) + 1, 2 ** 31, 2 ** 32 - 1];
  const place = 4 * randomInt(random, 3);
  view.setUint32(place, place === 0 ? (sizes[randomInt(random, 8)] as number) : random.u32(), true);
  return frame;
}

function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = random.u32();
  return bytes;
}
