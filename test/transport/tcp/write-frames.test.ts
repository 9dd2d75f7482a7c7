// Goal: what waits for a peer that reads slowly weighs what its frames do, whichever blocks they were encoded
// in; and nothing is copied for a peer that keeps up.
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import { encodeWireMessage } from '../../../src/codec/wire-codec.js';
import { frameHeaderBytes, sealFrame } from '../../../src/transport/frame.js';
import { writeFrames } from '../../../src/transport/tcp/write-frames.js';
import { heartbeat } from '../recorder.js';

/** Keeps what it was given; takes nothing off its queue while it is `behind`. */
class Sink extends Writable {
  readonly given: Uint8Array[] = [];
  isBehind = false;

  constructor() {
    super({ decodeStrings: false, highWaterMark: 1 });
  }

  override write(chunk: Uint8Array): boolean {
    this.given.push(chunk);
    return super.write(chunk);
  }

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    if (!this.isBehind) done();
  }

  /** Memory that stays for as long as what was given does. */
  get heldBytes(): number {
    const blocks = new Set(this.given.map(({ buffer }) => buffer));
    return [...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.given);
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }
}

const large = new Uint8Array(1 << 20);

function forwardOf(to: number, command: Uint8Array): Uint8Array {
  const envelope = { kind: 'forward-request' as const, from: 1, to, term: 1, id: 1 };
  return encodeWireMessage({ ...envelope, commands: [command] }, frameHeaderBytes);
}

function heartbeatOf(nth: number): Uint8Array {
  const frame = encodeWireMessage(heartbeat(1, 2, nth), frameHeaderBytes);
  sealFrame(frame, crc32);
  return frame;
}

test('a peer that reads slowly, while much is sent to another -> holds what its frames weigh', () => {
  const slow = new Sink();
  slow.isBehind = true;
  const sizes = [heartbeatOf(0).length, 10_000, 300_000, 1 << 20];
  let bytes = 0;
  for (let nth = 0; nth < 100; nth += 1) {
    forwardOf(3, large);
    const frames = [heartbeatOf(nth), forwardOf(2, large.subarray(0, sizes[nth % 4]))];
    if (nth % 3 === 0) frames.pop();
    bytes += frames.reduce((sum, { length }) => sum + length, 0);
    writeFrames(slow.asSocket, frames);
  }
  expect(slow.writableLength).toBe(bytes);
  // What was written first was not behind yet.
  const first = slow.given.shift() as Uint8Array;
  expect(first.buffer.byteLength).toBeGreaterThan(1 << 20);
  expect(slow.heldBytes).toBeLessThan(2 * bytes);
});

test('a peer that keeps up -> gets the very frames, none of them copied', () => {
  const quick = new Sink();
  for (let nth = 0; nth < 10; nth += 1) {
    forwardOf(3, large);
    const frame = heartbeatOf(nth);
    writeFrames(quick.asSocket, [frame]);
    expect(quick.given.at(-1)).toBe(frame);
    const frames = [forwardOf(2, large), forwardOf(2, large.subarray(0, 10_000))];
    writeFrames(quick.asSocket, frames);
    expect(frames.every((each, at) => quick.given.at(at - 2) === each)).toBe(true);
  }
});

test('kept up or behind -> the same bytes in the same order', () => {
  const [quick, slow] = [new Sink(), new Sink()];
  slow.isBehind = true;
  for (let nth = 0; nth < 10; nth += 1) {
    const frames = [heartbeatOf(nth), forwardOf(2, large.fill(nth)), heartbeatOf(-nth)].slice(
      nth % 3,
    );
    for (const sink of [quick, slow]) writeFrames(sink.asSocket, frames);
  }
  expect(Buffer.compare(slow.bytes, quick.bytes)).toBe(0);
});
