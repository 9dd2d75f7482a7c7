// One snapshot from one member to another over a network that loses messages: it arrives as it is, with
// few chunks under way, or both sides say that it did not.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { SnapshotAck, SnapshotChunk, WireMessage } from '../../src/codec/wire-message.js';
import { SnapshotPace } from '../../src/node/snapshot-pace.js';
import { SnapshotReceiver, streamData } from '../../src/node/snapshot-receiver.js';
import { SnapshotStream, type StreamEnd } from '../../src/node/snapshot-stream.js';
import type { SnapshotRequest } from '../../src/raft/messages.js';
import { MemorySnapshotStore } from '../../src/storage/index.js';
import type {
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
} from '../../src/storage/snapshot-store.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const last = { term: 3, index: 90 };
const configuration = { voters: [1, 2] };

const requestOf = (id: number, from = 1): SnapshotRequest => {
  const snapshot = { last, configuration, data: streamData(id) };
  return { kind: 'snapshot-request', from, to: 2, term: 3, snapshot };
};

/** Chunks as a store gives them; `failAt`: reading fails before that one. */
function source(chunks: readonly Uint8Array[], failAt = Infinity): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      let at = 0;
      return {
        next: async () => {
          if (at >= failAt) throw kontikiError('SNAPSHOT_CORRUPT', 'no', { file: 'f', offset: 1 });
          const value = chunks[at++];
          return value === undefined ? { done: true, value: undefined } : { done: false, value };
        },
      };
    },
  };
}

const breath = () => new Promise((resolve) => setImmediate(resolve));

class Pair {
  nowMs = 0;
  readonly store: SnapshotStore;
  readonly toReceiver: WireMessage[] = [];
  readonly toSender: SnapshotAck[] = [];
  readonly stored: SnapshotRequest[] = [];
  receiver: SnapshotReceiver;
  /** Sent so far, every chunk each time. */
  readonly sent: number[] = [];
  bytesPerSecond = Number.MAX_SAFE_INTEGER;
  stream: SnapshotStream | undefined;
  end: StreamEnd | undefined;
  isNeeded = true;
  #id = 0;

  constructor(store: SnapshotStore = new MemorySnapshotStore()) {
    this.store = store;
    this.receiver = this.receive();
  }

  /** The receiver as a new process has it. */
  receive(): SnapshotReceiver {
    return new SnapshotReceiver({
      store: this.store,
      nowMs: () => this.nowMs,
      isNeeded: () => this.isNeeded,
      send: (message) => this.toSender.push(message),
      onStored: (request) => this.stored.push(request),
    });
  }

  start(chunks: AsyncIterable<Uint8Array>, id = 5): void {
    this.#id = id;
    this.stream = new SnapshotStream({
      ...{ request: requestOf(id), id, chunks },
      nowMs: () => this.nowMs,
      pace: new SnapshotPace(this.bytesPerSecond, limits.snapshotChunkBytes, () => this.nowMs),
      send: (message) => {
        this.toReceiver.push(message);
        if (message.kind === 'snapshot-chunk') this.sent.push(message.at);
      },
      onEnd: (end) => {
        expect(this.end).toBeUndefined();
        this.end = end;
      },
    });
  }

  /** Delivers what is under way, loses what `loses` says, and lets 100 ms pass. */
  async round(loses: () => boolean = () => false): Promise<void> {
    const chunks = this.toReceiver.filter(({ kind }) => kind === 'snapshot-chunk');
    const fresh = new Set(chunks.map((chunk) => (chunk as SnapshotChunk).at));
    expect(fresh.size).toBeLessThanOrEqual(limits.snapshotChunksInFlightMax + 1);
    for (const message of this.toReceiver.splice(0)) {
      if (loses()) continue;
      if (message.kind === 'snapshot-request') this.receiver.onRequest(message);
      else this.receiver.onChunk(message as SnapshotChunk);
    }
    await breath();
    for (const request of this.stored.splice(0)) {
      expect(request.snapshot.last).toEqual(last);
      this.receiver.stepped(last);
      this.receiver.installed(last);
    }
    for (const ack of this.toSender.splice(0)) {
      if (ack.id === this.#id && !loses()) this.stream?.onAck(ack);
    }
    await breath();
    this.nowMs += 100;
    this.stream?.tick();
    this.receiver.tick();
  }

  async rounds(max: number, loses?: () => boolean): Promise<void> {
    for (let n = 0; n < max && this.end === undefined; n += 1) await this.round(loses);
  }

  /** The connection falls, and the leader begins again: with the name of a file that it sent before. */
  again(chunks: AsyncIterable<Uint8Array>, id = 5): void {
    this.toReceiver.splice(0);
    this.toSender.splice(0);
    this.stream?.end('failed');
    this.end = undefined;
    this.sent.splice(0);
    this.start(chunks, id);
  }
}

async function contentOf(store: SnapshotStore): Promise<Buffer> {
  const meta = await store.latest();
  if (meta === undefined) return Buffer.from('nothing');
  const parts: Uint8Array[] = [];
  for await (const chunk of store.read(meta)) parts.push(chunk);
  return Buffer.concat(parts);
}

describe('a snapshot stream', () => {
  const seeds = Array.from({ length: Math.max(1, Math.round(15 * depth)) }, (_, i) => 300 + i);
  test.each(seeds)('seed %i: messages are lost -> it arrives as it is', async (seed) => {
    const random = new Prng(seed);
    const chunks = Array.from({ length: randomInt(random, 12) }, (_, nth) =>
      new Uint8Array(randomInt(random, 3 * limits.snapshotChunkBytes)).fill(nth + 1),
    );
    const pair = new Pair();
    const rate = randomInt(random, 40);
    pair.start(source(chunks));
    await pair.rounds(4_000, () => randomInt(random, 100) < rate);
    expect(pair.end).toBe('arrived');
    expect((await contentOf(pair.store)).equals(Buffer.concat(chunks))).toBe(true);
    expect((await pair.store.latest())?.configuration).toEqual(configuration);
  });

  test('nobody answers -> given up after ten seconds', async () => {
    const pair = new Pair();
    pair.start(source([Uint8Array.of(1)]));
    await pair.rounds(99, () => true);
    expect(pair.end).toBeUndefined();
    await pair.rounds(2, () => true);
    expect(pair.end).toBe('failed');
  });

  test('the source is damaged -> nothing is stored, the sender says so', async () => {
    const pair = new Pair();
    pair.start(source([Uint8Array.of(1), Uint8Array.of(2)], 1));
    await pair.rounds(20);
    expect(pair.end).toBe('damaged');
    expect(await pair.store.list()).toEqual([]);
  });

  test('it is not needed, or stored already -> no chunk is stored again', async () => {
    const pair = new Pair();
    pair.isNeeded = false;
    pair.start(source([Uint8Array.of(1)]));
    await pair.rounds(5);
    expect(pair.end).toBe('arrived');
    expect(await pair.store.list()).toEqual([]);
    const again = new Pair();
    const sink = await again.store.create(last, configuration);
    await sink.write(Uint8Array.of(7));
    await sink.commit();
    again.start(source([Uint8Array.of(1)]));
    await again.rounds(5);
    expect(again.end).toBe('arrived');
    expect([...(await contentOf(again.store))]).toEqual([7]);
  });

  test('stored already but damaged between its ends -> removed, and received again', async () => {
    class Damaged extends MemorySnapshotStore {
      override read(meta: SnapshotMeta) {
        if (meta.size !== 2) return super.read(meta);
        return source([Uint8Array.of(7), Uint8Array.of(8)], 1);
      }
    }
    const pair = new Pair(new Damaged());
    const sink = await pair.store.create(last, configuration);
    await sink.write(Uint8Array.of(7, 8));
    await sink.commit();
    pair.start(source([Uint8Array.of(1)]));
    await pair.rounds(10);
    expect(pair.end).toBe('arrived');
    expect([...(await contentOf(pair.store))]).toEqual([1]);
  });

  test('stopped while one that is stored already is read -> it ends, and nothing is handed on', async () => {
    class Endless extends MemorySnapshotStore {
      chunks = 0;
      override async *read() {
        for (;;) {
          await breath();
          this.chunks += 1;
          yield Uint8Array.of(7);
        }
      }
    }
    const store = new Endless();
    const pair = new Pair(store);
    const sink = await store.create(last, configuration);
    await sink.write(Uint8Array.of(7));
    await sink.commit();
    pair.receiver.onRequest(requestOf(1));
    while (store.chunks < 3) await breath();
    await pair.receiver.stop();
    expect(pair.stored).toEqual([]);
    expect(await store.list()).toHaveLength(1);
  });

  test('the store fails -> both give up, and the next stream is taken', async () => {
    class FullOnce extends MemorySnapshotStore {
      isFull = true;
      override async create(...args: Parameters<SnapshotStore['create']>): Promise<SnapshotSink> {
        if (this.isFull) throw kontikiError('NO_SPACE', 'full');
        return super.create(...args);
      }
    }
    const store = new FullOnce();
    const pair = new Pair(store);
    pair.start(source([Uint8Array.of(1)]));
    await pair.rounds(20);
    expect(pair.end).toBe('failed');
    store.isFull = false;
    pair.end = undefined;
    pair.start(source([Uint8Array.of(2)]), 6);
    await pair.rounds(20);
    expect(pair.end).toBe('arrived');
    expect([...(await contentOf(store))]).toEqual([2]);
  });

  test('another leader begins -> the first stream is given up', async () => {
    const pair = new Pair();
    pair.start(source(Array.from({ length: 30 }, () => new Uint8Array(limits.snapshotChunkBytes))));
    await pair.round();
    pair.receiver.onRequest(requestOf(9, 3));
    await pair.rounds(20);
    expect(pair.end).toBe('failed');
    const chunk = { kind: 'snapshot-chunk', from: 3, to: 2, term: 3, id: 9 } as const;
    pair.receiver.onChunk({ ...chunk, at: 0, isLast: true, data: Uint8Array.of(4) });
    await breath();
    expect([...(await contentOf(pair.store))]).toEqual([4]);
  });

  test('a request without a name, and a stop in the middle -> nothing is left', async () => {
    const pair = new Pair();
    const { snapshot, ...rest } = requestOf(1);
    pair.receiver.onRequest({ ...rest, snapshot: { ...snapshot, data: Uint8Array.of(1) } });
    expect(pair.toSender).toEqual([]);
    pair.start(source([Uint8Array.of(1)]));
    for (const message of pair.toReceiver.splice(0, 1)) {
      pair.receiver.onRequest(message as SnapshotRequest);
    }
    await pair.receiver.stop();
    const sink = await pair.store.create(last, configuration);
    await sink.discard();
    expect(await pair.store.list()).toEqual([]);
  });
});

describe('a stream that broke', () => {
  const large = (count: number) =>
    Array.from({ length: count }, (_, nth) =>
      new Uint8Array(limits.snapshotChunkBytes - nth).fill(nth),
    );

  test('the next one of the same file -> goes on behind what is stored', async () => {
    const pair = new Pair();
    const chunks = large(30);
    pair.start(source(chunks));
    for (let n = 0; n < 4; n += 1) await pair.round();
    const before = Math.max(...pair.sent);
    pair.again(source(chunks));
    await pair.rounds(60);
    expect(pair.end).toBe('arrived');
    expect(before).toBeGreaterThan(6);
    // At most what was under way when it broke.
    expect(Math.min(...pair.sent)).toBeGreaterThan(before - limits.snapshotChunksInFlightMax);
    expect((await contentOf(pair.store)).equals(Buffer.concat(chunks))).toBe(true);
  });

  /** Each chunk takes a second to read. */
  async function* slowly(pair: Pair, chunks: readonly Uint8Array[]) {
    for (const chunk of chunks) {
      await breath();
      pair.nowMs += 1_000;
      yield chunk;
    }
  }

  test('what is stored takes longer to read again than a silent peer is given -> it arrives', async () => {
    const pair = new Pair();
    const chunks = large(30);
    pair.start(source(chunks));
    while (pair.sent.length < 24) await pair.round();
    expect(pair.end).toBeUndefined();
    pair.again(slowly(pair, chunks));
    await pair.rounds(200);
    expect(pair.end).toBe('arrived');
    expect(Math.min(...pair.sent)).toBeGreaterThan(12);
    expect((await contentOf(pair.store)).equals(Buffer.concat(chunks))).toBe(true);
  });

  test('the peer falls silent while it is read again -> given up', async () => {
    const pair = new Pair();
    const chunks = large(30);
    pair.start(source(chunks));
    while (pair.sent.length < 24) await pair.round();
    pair.again(slowly(pair, chunks));
    await pair.round();
    expect(pair.end).toBeUndefined();
    await pair.rounds(20, () => true);
    expect(pair.end).toBe('failed');
    expect(pair.sent).toEqual([]);
  });

  test('another file of the same entry -> begins at its beginning', async () => {
    const pair = new Pair();
    pair.start(source(large(30)));
    for (let n = 0; n < 4; n += 1) await pair.round();
    const others = large(9).reverse();
    pair.again(source(others), 6);
    await pair.rounds(60);
    expect(pair.end).toBe('arrived');
    expect((await contentOf(pair.store)).equals(Buffer.concat(others))).toBe(true);
  });

  test('another entry under the same name -> begins at its beginning', async () => {
    const pair = new Pair();
    pair.start(source(large(30)));
    for (let n = 0; n < 4; n += 1) await pair.round();
    const { snapshot, ...rest } = requestOf(5);
    pair.toSender.splice(0);
    pair.receiver.onRequest({ ...rest, snapshot: { ...snapshot, last: { term: 3, index: 91 } } });
    await breath();
    expect(pair.toSender.at(-1)).toMatchObject({ next: 0, state: 'receiving' });
  });

  test('the receiver was started again -> begins at its beginning', async () => {
    const pair = new Pair();
    const chunks = large(12);
    pair.start(source(chunks));
    for (let n = 0; n < 4; n += 1) await pair.round();
    await pair.receiver.stop();
    pair.receiver = pair.receive();
    await pair.rounds(3);
    expect(pair.end).toBe('failed');
    pair.again(source(chunks));
    await pair.rounds(60);
    expect(pair.end).toBe('arrived');
    expect((await contentOf(pair.store)).equals(Buffer.concat(chunks))).toBe(true);
  });

  test('behind the last chunk -> nothing is sent again', async () => {
    const pair = new Pair();
    pair.start(source(large(2)));
    for (let n = 0; pair.stored.length === 0; n += 1) {
      for (const message of pair.toReceiver.splice(0)) {
        if (message.kind === 'snapshot-request') pair.receiver.onRequest(message);
        else pair.receiver.onChunk(message as SnapshotChunk);
      }
      await breath();
      if (pair.stored.length > 0) break;
      for (const ack of pair.toSender.splice(0)) pair.stream?.onAck(ack);
      await breath();
      expect(n).toBeLessThan(50);
    }
    pair.again(source(large(2)));
    await pair.rounds(20);
    expect(pair.end).toBe('arrived');
    expect(pair.sent).toEqual([]);
  });

  test('an answer to an earlier stream says more than is stored -> given up, nothing is stored', async () => {
    const pair = new Pair();
    const chunks = large(12);
    pair.start(source(chunks));
    const ack = { kind: 'snapshot-ack', from: 2, to: 1, term: 3, id: 5 } as const;
    pair.stream?.onAck({ ...ack, next: 7, state: 'receiving' });
    await pair.rounds(200);
    expect(pair.end).toBe('failed');
    expect(await pair.store.list()).toEqual([]);
    pair.again(source(chunks));
    pair.stream?.onAck({ ...ack, next: 700, state: 'receiving' });
    await pair.rounds(200);
    expect(pair.end).toBe('failed');
    pair.again(source(chunks));
    await pair.rounds(60);
    expect((await contentOf(pair.store)).equals(Buffer.concat(chunks))).toBe(true);
  });

  const seeds = Array.from({ length: Math.max(1, Math.round(10 * depth)) }, (_, i) => 700 + i);
  test.each(seeds)('seed %i: breaks, restarts and losses -> it arrives as it is', async (seed) => {
    const random = new Prng(seed);
    const pair = new Pair();
    const files = new Map([[5, large(4 + randomInt(random, 20))]]);
    let id = 5;
    pair.start(source(files.get(id) as Uint8Array[]));
    const rate = randomInt(random, 20);
    for (let n = 0; n < 3_000; n += 1) {
      await pair.round(() => randomInt(random, 100) < rate);
      if (pair.end === 'arrived') break;
      if (n < 60 && randomInt(random, 12) === 0) {
        await pair.receiver.stop();
        pair.receiver = pair.receive();
      }
      if (n < 60 && randomInt(random, 20) === 0) {
        id += 1;
        files.set(id, large(4 + randomInt(random, 20)).reverse());
      }
      if (pair.end === undefined && (n >= 60 || randomInt(random, 6) > 0)) continue;
      pair.again(source(files.get(id) as Uint8Array[]), id);
    }
    expect(pair.end, `seed ${seed}`).toBe('arrived');
    const content = await contentOf(pair.store);
    const sent = [...files.values()].some((file) => content.equals(Buffer.concat(file)));
    expect(sent, `seed ${seed}: what is stored was sent, as one file`).toBe(true);
  });
});

describe('what is being received', () => {
  const chunkOf = (at: number, data = Uint8Array.of(at)) =>
    ({ kind: 'snapshot-chunk', from: 1, to: 2, term: 3, id: 5, at, isLast: false, data }) as const;

  /** The first chunk is stored. */
  async function begun(): Promise<Pair> {
    const pair = new Pair();
    pair.receiver.onRequest(requestOf(5));
    pair.receiver.onChunk(chunkOf(0));
    await breath();
    expect(pair.toSender.at(-1)).toMatchObject({ next: 1, state: 'receiving' });
    return pair;
  }

  /** Only one can be written at a time. */
  async function isBeingWritten(store: SnapshotStore): Promise<boolean> {
    try {
      await (await store.create(last, configuration)).discard();
      return false;
    } catch {
      return true;
    }
  }

  async function afterMs(pair: Pair, ms: number): Promise<boolean> {
    pair.nowMs += ms;
    pair.receiver.tick();
    await breath();
    return isBeingWritten(pair.store);
  }

  test('its leader is not heard for a minute -> given up, and begun anew', async () => {
    const pair = await begun();
    expect(await afterMs(pair, 59_999)).toBe(true);
    expect(await afterMs(pair, 1)).toBe(false);
    pair.receiver.onChunk(chunkOf(1));
    expect(pair.toSender.at(-1)).toMatchObject({ state: 'failed' });
    pair.again(source([Uint8Array.of(8)]));
    await pair.rounds(20);
    expect(pair.end).toBe('arrived');
    expect([...(await contentOf(pair.store))]).toEqual([8]);
  });

  test('a request or a chunk within a minute -> it goes on', async () => {
    const pair = await begun();
    expect(await afterMs(pair, 59_999)).toBe(true);
    pair.receiver.onRequest(requestOf(5));
    expect(await afterMs(pair, 59_999)).toBe(true);
    pair.receiver.onChunk(chunkOf(1));
    expect(await afterMs(pair, 59_999)).toBe(true);
    expect(await afterMs(pair, 1)).toBe(false);
  });

  test('the log came to have all of it -> given up', async () => {
    const pair = await begun();
    expect(await afterMs(pair, 1)).toBe(true);
    pair.isNeeded = false;
    expect(await afterMs(pair, 1)).toBe(false);
    pair.again(source([Uint8Array.of(8)]));
    await pair.rounds(20);
    expect(pair.end).toBe('arrived');
    expect(await pair.store.list()).toEqual([]);
  });

  test('stored, and installed for longer than a minute -> left alone', async () => {
    const pair = await begun();
    pair.receiver.onChunk({ ...chunkOf(1), isLast: true });
    await breath();
    expect(pair.stored).toHaveLength(1);
    pair.isNeeded = false;
    for (const step of [() => undefined, () => pair.receiver.stepped(last)]) {
      step();
      pair.nowMs += 60_000;
      pair.receiver.tick();
      pair.receiver.onRequest(requestOf(5));
      expect(pair.toSender.at(-1)).toMatchObject({ state: 'installing' });
    }
    pair.receiver.installed(last);
    expect(pair.toSender.at(-1)).toMatchObject({ state: 'done' });
    expect([...(await contentOf(pair.store))]).toEqual([0, 1]);
  });
});

describe('chunks that no member sends', () => {
  const chunk = { kind: 'snapshot-chunk', from: 1, to: 2, term: 3, id: 5 } as const;

  test.each<[string, Omit<SnapshotChunk, keyof typeof chunk>]>([
    ['too long', { at: 0, isLast: false, data: new Uint8Array(limits.snapshotChunkBytes + 1) }],
    ['empty, not the last', { at: 0, isLast: false, data: new Uint8Array() }],
    ['too long, out of order', { at: 9, isLast: true, data: new Uint8Array(1 << 20) }],
  ])('%s -> the stream is given up, another one is taken', async (_, rest) => {
    const pair = new Pair();
    pair.start(source([Uint8Array.of(1)]));
    for (const message of pair.toReceiver.splice(0, 1)) {
      pair.receiver.onRequest(message as SnapshotRequest);
    }
    await breath();
    pair.receiver.onChunk({ ...chunk, ...rest });
    await breath();
    expect(pair.toSender.at(-1)).toMatchObject({ state: 'failed' });
    expect(await pair.store.list()).toEqual([]);
    pair.again(source([Uint8Array.of(2)]));
    await pair.rounds(20);
    expect([...(await contentOf(pair.store))]).toEqual([2]);
  });

  test('out of order, twice, of another stream -> answered, not stored', async () => {
    const pair = new Pair();
    pair.start(source([]));
    for (const message of pair.toReceiver.splice(0)) {
      pair.receiver.onRequest(message as SnapshotRequest);
    }
    await breath();
    const data = Uint8Array.of(1);
    for (const at of [1, 0, 0, 3, Number.MAX_SAFE_INTEGER]) {
      pair.receiver.onChunk({ ...chunk, at, isLast: at === 3, data });
      await breath();
    }
    pair.receiver.onChunk({ ...chunk, id: 6, at: 1, isLast: true, data });
    pair.receiver.onChunk({ ...chunk, from: 3, at: 1, isLast: true, data });
    await breath();
    expect(pair.toSender.slice(-2)).toMatchObject([{ state: 'failed' }, { state: 'failed' }]);
    pair.receiver.onChunk({ ...chunk, at: 1, isLast: true, data: Uint8Array.of(2) });
    await breath();
    expect([...(await contentOf(pair.store))]).toEqual([1, 2]);
  });
});

describe('the pace of streams', () => {
  test('a limit -> no second carries more than it, and a quarter at once', async () => {
    const pair = new Pair();
    const chunkBytes = limits.snapshotChunkBytes;
    pair.bytesPerSecond = 8 * chunkBytes;
    const chunks = Array.from({ length: 40 }, () => new Uint8Array(chunkBytes));
    pair.start(source(chunks));
    const sentAt: number[] = [];
    while (pair.end === undefined) {
      const before = pair.sent.length;
      await pair.round();
      for (let n = before; n < pair.sent.length; n += 1) sentAt.push(pair.nowMs);
    }
    expect(pair.end).toBe('arrived');
    for (const from of sentAt) {
      const inSecond = sentAt.filter((at) => at >= from && at < from + 1_000).length;
      expect(inSecond).toBeLessThanOrEqual(8 + 2 + 1);
    }
    expect(pair.nowMs).toBeGreaterThan(4_000);
    expect(pair.nowMs).toBeLessThan(9_000);
  });

  test('chunks that are further apart than what is not answered is sent again -> each is sent once', async () => {
    const pair = new Pair();
    pair.bytesPerSecond = limits.snapshotChunkBytes;
    pair.start(source(Array.from({ length: 20 }, () => new Uint8Array(limits.snapshotChunkBytes))));
    await pair.rounds(300);
    expect(pair.end).toBe('arrived');
    expect(pair.sent).toEqual(Array.from({ length: 21 }, (_, at) => at));
  });

  /** Streams that share a pace and are asked in the same order with each tick, for a minute. */
  async function shares(count: number, bytesPerSecond: number, delayMs: number): Promise<number[]> {
    let nowMs = 0;
    const now = () => nowMs;
    const pace = new SnapshotPace(bytesPerSecond, limits.snapshotChunkBytes, now);
    const sent = Array.from({ length: count }, () => 0);
    const answers: [dueMs: number, answer: () => void][] = [];
    const forever = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: new Uint8Array(limits.snapshotChunkBytes) }),
      }),
    } as AsyncIterable<Uint8Array>;
    const streams = sent.map((_, nth): SnapshotStream => {
      const ack = { kind: 'snapshot-ack', from: 2, to: 1, term: 3, id: nth } as const;
      return new SnapshotStream({
        ...{ request: requestOf(nth), id: nth, chunks: forever, nowMs: now, pace },
        send: ({ kind }) => {
          if (kind === 'snapshot-chunk') sent[nth] = (sent[nth] as number) + 1;
          const next = sent[nth] as number;
          const answer = () => streams[nth]?.onAck({ ...ack, next, state: 'receiving' });
          answers.push([nowMs + delayMs, answer]);
        },
        onEnd: (end) => expect.unreachable(`stream ${nth} ended: ${end}`),
      });
    });
    for (; nowMs < 60_000; nowMs += 5) {
      const due = answers.filter(([dueMs]) => dueMs <= nowMs);
      answers.splice(0, due.length);
      for (const [, answer] of due) answer();
      await breath();
      if (nowMs % 100 === 0) for (const stream of streams) stream.tick();
      await breath();
    }
    return sent;
  }

  const chunkBytes = limits.snapshotChunkBytes;
  test.each([
    [2, chunkBytes, 5],
    // Each waits longer than a silent peer is given.
    [20, chunkBytes, 5],
    [3, 4 * chunkBytes, 5],
    [2, 5 * chunkBytes, 5],
    [3, 9 * chunkBytes, 95],
    [4, 40 * chunkBytes, 30],
  ])(
    '%i streams at %i bytes a second, answers after %i ms -> each has its share, and together they use all',
    async (count, bytesPerSecond, delayMs) => {
      const sent = await shares(count, bytesPerSecond, delayMs);
      const all = (60 * bytesPerSecond) / chunkBytes;
      const sum = sent.reduce((before, each) => before + each, 0);
      expect(sum).toBeGreaterThan(0.8 * all);
      expect(sum).toBeLessThan(1.1 * all);
      for (const each of sent) expect(each, `of ${sent}`).toBeGreaterThan((0.7 * sum) / count);
    },
  );

  test('take -> as a bucket that fills in a quarter of a second', () => {
    let nowMs = 0;
    const one = {};
    const pace = new SnapshotPace(
      4 * limits.snapshotChunkBytes,
      limits.snapshotChunkBytes,
      () => nowMs,
    );
    const chunk = limits.snapshotChunkBytes;
    expect([pace.take(chunk, one), pace.take(1, one)]).toEqual([true, false]);
    nowMs += 125;
    expect([pace.take(chunk, one), pace.take(chunk / 2, one), pace.take(1, one)]).toEqual([
      false,
      true,
      false,
    ]);
    nowMs += 60_000;
    expect([pace.take(chunk, one), pace.take(1, one)]).toEqual([true, false]);
  });

  test('take: others wait -> they are left a chunk each, until they have it or leave', () => {
    let nowMs = 0;
    const pace = new SnapshotPace(8 * chunkBytes, chunkBytes, () => nowMs);
    const [one, two, three] = [{}, {}, {}];
    const all = [one, two, three];
    // Two at once.
    expect(all.map((each) => pace.take(chunkBytes, each))).toEqual([true, true, false]);
    nowMs += 125;
    expect([pace.take(chunkBytes, one), pace.take(chunkBytes, three)]).toEqual([false, true]);
    nowMs += 125;
    expect([pace.take(chunkBytes, two), pace.take(1, three)]).toEqual([false, false]);
    pace.leave(one);
    expect([pace.take(1, three), pace.take(chunkBytes, two)]).toEqual([false, true]);
    nowMs += 1;
    expect(pace.take(1, three)).toBe(true);
  });
});
