// Goal: payloads come out of a byte stream as they went in, however it was cut, and a stream that is
// no sequence of frames is refused before it costs anything.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { crc32 } from '../../src/base/crc32.js';
import { frameHeaderBytes, frameOf } from '../../src/transport/frame.js';
import { FrameParser } from '../../src/transport/frame-parser.js';
import { codeOf } from '../codec/hostile-bytes.js';

const max = 1 << 20;
const plainSet = Uint8Array.prototype.set;

function payloadsOf(chunks: readonly Uint8Array[], parser = new FrameParser(max, crc32)): string[] {
  const payloads: string[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let next = parser.next(); next !== undefined; next = parser.next()) {
      payloads.push(Buffer.from(next).toString('hex'));
    }
  }
  return payloads;
}

/** Cuts `bytes` at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length];
  ends.sort((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    const part = bytes.slice(start, end);
    start = end;
    return part;
  });
}

describe('parser', () => {
  test('any frames, cut anywhere -> the payloads in order', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.nat(20_000).map((size) => new Uint8Array(size).fill(size)),
    );
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 8 }), fc.array(fc.nat()), (payloads, places) => {
        const stream = Buffer.concat(payloads.map((each) => frameOf(each, crc32)));
        expect(payloadsOf(cut(stream, places))).toEqual(
          payloads.map((each) => Buffer.from(each).toString('hex')),
        );
      }),
    );
  });

  test('one byte at a time -> the payloads in order', () => {
    const stream = Buffer.concat(
      [[1, 2, 3], [], [4]].map((p) => frameOf(Uint8Array.from(p), crc32)),
    );
    expect(payloadsOf([...stream].map((byte) => Uint8Array.of(byte)))).toEqual([
      '010203',
      '',
      '04',
    ]);
  });

  test('a frame of 4 MiB in pieces of 1 KiB -> bytes copied stay within a small multiple', () => {
    const payload = new Uint8Array(4 << 20).fill(7);
    const frame = frameOf(payload, crc32);
    const copied = countCopies(() => {
      const chunks = Array.from({ length: frame.length / 1024 + 1 }, (_, at) =>
        frame.subarray(at * 1024, (at + 1) * 1024),
      );
      expect(payloadsOf(chunks, new FrameParser(payload.length, crc32)).length).toBe(1);
    });
    expect(copied).toBeGreaterThanOrEqual(frame.length);
    expect(copied).toBeLessThan(4 * frame.length);
  });

  test('a limit that is raised between frames holds for the next', () => {
    const parser = new FrameParser(3, crc32);
    parser.push(
      Buffer.concat([frameOf(new Uint8Array(3), crc32), frameOf(new Uint8Array(9), crc32)]),
    );
    expect(parser.next()?.length).toBe(3);
    parser.payloadBytesMax = 9;
    expect(parser.next()?.length).toBe(9);
  });

  test('push before the chunk is read to its end -> assertion', () => {
    const parser = new FrameParser(max, crc32);
    parser.push(frameOf(Uint8Array.of(1), crc32));
    expect(codeOf(() => parser.push(Uint8Array.of(1)))).toBe('ASSERTION');
  });
});

describe('refusals', () => {
  const frame = frameOf(Uint8Array.of(1, 2, 3), crc32);

  test('any flipped bit -> FRAME_INVALID, or a frame that is never complete', () => {
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const bytes = frame.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      let payloads: string[] = [];
      const code = codeOf(() => {
        payloads = payloadsOf([bytes]);
      });
      expect(payloads).toEqual([]);
      if (bit >= 32) expect(code).toBe('FRAME_INVALID');
    }
  });

  test.each([[[]], [[4]]])(
    'a size above the limit, cut at %j -> FRAME_INVALID at once',
    (places) => {
      const header = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0); // 16 MiB, nothing behind
      expect(codeOf(() => payloadsOf(cut(header, places)))).toBe('FRAME_INVALID');
    },
  );

  test('a lawful size with nothing behind -> nothing is allocated for it', () => {
    const header = Uint8Array.of(0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0); // 1 MiB
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 200 }, () => new FrameParser(max, crc32));
    for (const parser of parsers) payloadsOf([header], parser);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20);
    expect(parsers.length).toBe(200);
  });

  test('another group with a right checksum -> FRAME_INVALID', () => {
    const bytes = frame.slice();
    bytes[8] = 1;
    new DataView(bytes.buffer).setUint32(4, crc32(bytes.subarray(8)), true);
    expect(codeOf(() => payloadsOf([bytes]))).toBe('FRAME_INVALID');
  });

  test('random bytes -> refused or waiting, never a payload', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
        codeOf(() => expect(payloadsOf(chunks)).toEqual([]));
      }),
    );
  });
});

test('layout: size, crc32 over group and payload, group 0, payload, all little-endian', () => {
  const frame = frameOf(Uint8Array.of(9, 8), crc32);
  const view = new DataView(frame.buffer);
  expect(frame.length).toBe(frameHeaderBytes + 2);
  expect(view.getUint32(0, true)).toBe(2);
  expect(view.getUint32(4, true)).toBe(crc32(Uint8Array.of(0, 0, 0, 0, 9, 8)));
  expect([...frame.subarray(8)]).toEqual([0, 0, 0, 0, 9, 8]);
});

/** Bytes that `run` copies from array to array. */
function countCopies(run: () => void): number {
  let copied = 0;
  const spy = vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (
    this: Uint8Array,
    source,
    offset,
  ) {
    copied += source.length;
    plainSet.call(this, source, offset);
  });
  run();
  spy.mockRestore();
  return copied;
}
