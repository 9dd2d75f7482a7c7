// One snapshot from one member to another over a network that loses messages: it arrives as it is, with
// few chunks under way, or both sides say that it did not.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { SnapshotAck, SnapshotChunk, WireMessage } from '../../src/codec/wire-message.js';
import { SnapshotReceiver, streamData } from '../../src/node/snapshot-receiver.js';
import { SnapshotStream, type StreamEnd } from '../../src/node/snapshot-stream.js';
import type { SnapshotRequest } from '../../src/raft/messages.js';
import { MemorySnapshotStore } from '../../src/storage/index.js';
import type { SnapshotSink, SnapshotStore } from '../../src/storage/snapshot-store.js';

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
  readonly receiver: SnapshotReceiver;
  stream: SnapshotStream | undefined;
  end: StreamEnd | undefined;
  isNeeded = true;
  #id = 0;

  constructor(store: SnapshotStore = new MemorySnapshotStore()) {
    this.store = store;
    this.receiver = new SnapshotReceiver({
      store,
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
      send: (message) => this.toReceiver.push(message),
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
  }

  async rounds(max: number, loses?: () => boolean): Promise<void> {
    for (let n = 0; n < max && this.end === undefined; n += 1) await this.round(loses);
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
