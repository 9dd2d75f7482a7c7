// Goal: no bytes do more to a member than end their own connection with a typed refusal: what came
// before them is delivered exactly, others go on, and memory stays where it was. `KONTIKI_DEPTH=500`
// sends 10 million frames; `KONTIKI_SEED` repeats a run.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.js';
import { crc32 } from '../../src/base/crc32.js';
import { Prng } from '../../src/base/prng.js';
import { frameOf, framePayloadBytesMax as payloadBytesMax } from '../../src/transport/frame.js';
import { helloOf } from '../../src/transport/handshake.js';
import { encodeHello } from '../../src/transport/hello.js';
import type { TcpTransport } from '../../src/transport/tcp/index.js';
import type { TransportIncident } from '../../src/transport/transport.js';
import { expectedOf, fuzzedFrame, lawfulFrames } from './fuzzed-frames.js';
import { heartbeat, identityOf, Recorder } from './recorder.js';
import { RawPeer } from './tcp/raw-peer.js';
import { TcpWorld } from './tcp/tcp-world.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const seed = Number(process.env.KONTIKI_SEED ?? Math.floor(Math.random() * 2 ** 31));
const frameCount = 20_000 * depth;
const timeoutMs = 60_000 + depth * 10_000;
const refusals = ['FRAME_INVALID', 'FORMAT_UNSUPPORTED'];

/** Bytes alive after a collection. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe(`fuzzed frames, seed ${seed}`, () => {
  test(
    'parser and decoder alone -> messages, or one of two codes, and no memory',
    () => {
      const random = new Prng(seed);
      const frames = lawfulFrames(1, 2);
      const ends = new Map<string | undefined, number>();
      const before = liveBytes();
      for (let n = 0; n < frameCount; n += 1) {
        const bytes = fuzzedFrame(random, frames, 1);
        const { code } = expectedOf(bytes, { from: 1, to: 2, payloadBytesMax });
        ends.set(code, (ends.get(code) ?? 0) + 1);
      }
      for (const code of ends.keys()) expect([undefined, ...refusals]).toContain(code);
      expect(ends.get('FRAME_INVALID')).toBeGreaterThan(frameCount / 3);
      expect(ends.get('FORMAT_UNSUPPORTED')).toBeGreaterThan(0);
      expect(liveBytes() - before).toBeLessThan(16 << 20);
      console.info(`fuzz: ${frameCount} frames to the parser, ended ${JSON.stringify([...ends])}`);
    },
    timeoutMs,
  );
});

describe(`fuzzed connections, seed ${seed}`, () => {
  let world: TcpWorld;
  beforeEach(() => {
    world = new TcpWorld();
  });
  afterEach(() => world.end());

  test(
    'a live member over TCP -> exactly what is lawful arrives, the rest is refused by name',
    async () => {
      const { two, one, ofOne, ofTwo } = await livePair();
      const figures = { frames: 0, delivered: 0, refused: 0, connections: 0 };
      const before = liveBytes();
      const attackers = [11, 12, 13, 14].map(async (from) => {
        const random = new Prng(seed + from);
        const frames = lawfulFrames(from, 2);
        while (figures.frames < frameCount) {
          const count = 1 + (random.u32() % 100);
          figures.frames += count;
          figures.connections += 1;
          const stream = concatBytes(
            Array.from({ length: count }, () => fuzzedFrame(random, frames, 50)),
          );
          const expected = expectedOf(stream, { from, to: 2, payloadBytesMax });
          await attack(two, from, stream);
          expect(ofTwo.take(from)).toEqual(expected);
          figures.delivered += expected.messages;
          figures.refused += expected.code === undefined ? 0 : 1;
          one.send(heartbeat(1, 2, figures.connections));
          one.flush();
        }
      });
      await Promise.all(attackers);
      await ofTwo.untilHeard(figures.connections);
      expect(ofOne.links).toEqual(['2 up']);
      expect(figures.refused).toBeGreaterThan(figures.connections / 5);
      expect(liveBytes() - before).toBeLessThan(24 << 20);
      console.info(`fuzz: over TCP ${JSON.stringify(figures)}`);
    },
    timeoutMs,
  );

  test(
    'fuzzed handshakes -> answered or closed, never let in; the next honest one is',
    async () => {
      const { two, ofTwo } = await livePair();
      const random = new Prng(seed);
      const hello = frameOf(
        encodeHello(helloOf({ ...identityOf(9), clusterId: 1 }, 2, false)),
        crc32,
      );
      const before = liveBytes();
      const count = frameCount / 100;
      for (let n = 0; n < count; n += 1) {
        const peer = RawPeer.to(two.address);
        peer.write(fuzzedFrame(random, [hello], 1));
        peer.socket.end();
        await closed(peer);
      }
      expect(ofTwo.admitted.filter(({ peer }) => peer.memberId === 9)).toEqual([]);
      expect(liveBytes() - before).toBeLessThan(16 << 20);
      await attack(two, 9, new Uint8Array(0));
      expect(ofTwo.admitted.at(-1)?.peer).toEqual(identityOf(9));
      console.info(`fuzz: ${count} handshakes`);
    },
    timeoutMs,
  );

  /** Members 1 and 2, connected; 2 counts what it gets, by member. */
  async function livePair() {
    const [one, two] = [await world.make(1), await world.make(2)];
    const [ofOne, ofTwo] = [new Recorder(), new CountingRecorder()];
    one.start(identityOf(1), ofOne);
    two.start(identityOf(2), ofTwo);
    await Promise.all([ofOne.untilUp(2), ofTwo.untilUp(1)]);
    return { one, two, ofOne, ofTwo };
  }
});

/** Connects as a member that the other side admits, sends all of it, and waits for the end. */
async function attack(target: TcpTransport, from: number, stream: Uint8Array): Promise<void> {
  const peer = RawPeer.greet(target.address, from, 2);
  await new Promise((resolve) => peer.socket.once('data', resolve));
  peer.socket.end(stream);
  await closed(peer);
}

function closed({ socket }: RawPeer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Counts instead of keeping, so that only a leak of the product can show. */
class CountingRecorder extends Recorder {
  readonly #counts = new Map<number, { messages: number; code: string | undefined }>();

  override onMessage({ from }: { readonly from: number }): void {
    this.#of(from).messages += 1;
  }

  override onIncident({ memberId = 0, error }: TransportIncident): void {
    this.#of(memberId).code = error.code;
  }

  /** What came from a member since the last look. */
  take(from: number): { messages: number; code: string | undefined } {
    const counts = this.#of(from);
    this.#counts.delete(from);
    this.admitted.length = 0;
    return counts;
  }

  async untilHeard(messages: number): Promise<void> {
    while (this.#of(1).messages < messages) await new Promise((resolve) => setImmediate(resolve));
    expect(this.#of(1)).toEqual({ messages, code: undefined });
  }

  #of(from: number) {
    const counts = this.#counts.get(from) ?? { messages: 0, code: undefined };
    this.#counts.set(from, counts);
    return counts;
  }
}
