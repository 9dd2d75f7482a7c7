import { describe, expect, test } from 'vitest';
import { isKontikiError, kontikiError } from '../../src/base/errors.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import type { WriteBehindOptions } from '../../src/storage/write-behind-options.js';
import { ManualTimers } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const value = (n: number, size = 1): Uint8Array => new Uint8Array(size).fill(n);
const code = (wanted: Parameters<typeof isKontikiError>[1]) => (error: unknown) =>
  isKontikiError(error, wanted);

async function open(options: Partial<WriteBehindOptions> = {}) {
  const engine = new ScriptedEngine();
  const timers = new ManualTimers();
  const backend = await WriteBehindBackend.open({
    engine,
    timers,
    flushIntervalMs: 50,
    ...options,
  });
  engine.keysAsked = [];
  return { engine, timers, backend };
}

describe('reads', () => {
  test('all keys in the overlay -> a plain value, nothing asked of the engine', async () => {
    const { backend, engine } = await open();
    backend.apply([['ca', value(1)]], 1);
    backend.apply([['cb', undefined]], 2);
    const found = backend.read({ keys: ['cb', 'ca'], ranges: [] });
    expect(found).toEqual({ records: [undefined, value(1)], ranges: [] });
    expect(engine.keysAsked).toEqual([]);
  });

  test('some keys in the overlay -> only the others are asked of the engine', async () => {
    const { backend, engine } = await open();
    backend.apply([['ca', value(1)]], 1);
    backend.apply([['cb', value(2)]], 2);
    await backend.flush();
    backend.apply([['cb', undefined]], 3);
    const found = await backend.read({ keys: ['ca', 'cb', 'cz'], ranges: [] });
    expect(found.records).toEqual([value(1), undefined, undefined]);
    expect(engine.keysAsked).toEqual(['ca', 'cz']);
  });

  test('a key that is being flushed -> answered from the overlay', async () => {
    const { backend, engine, timers } = await open();
    engine.hold = true;
    backend.apply([['ca', value(1)]], 1);
    timers.advance(50);
    expect(engine.isWriting).toBe(true);
    const read = () => backend.read({ keys: ['ca'], ranges: [] });
    expect(read()).toEqual({ records: [value(1)], ranges: [] });
    await engine.release();
    expect(read()).toBeInstanceOf(Promise);
    expect((await read()).records).toEqual([value(1)]);
  });

  test('limit with many deletions in the overlay -> still full, in one request', async () => {
    const { backend, engine } = await open();
    const keys = Array.from({ length: 40 }, (_, n) => `c${100 + n}`);
    backend.apply(
      keys.map((key) => [key, value(1)] as const),
      1,
    );
    await backend.flush();
    backend.apply(
      keys.slice(0, 30).map((key) => [key, undefined] as const),
      2,
    );
    let requests = 0;
    const iterate = engine.iterate.bind(engine);
    engine.iterate = (range) => {
      const cursor = iterate(range);
      return {
        next: (count) => {
          requests += 1;
          return cursor.next(count);
        },
        close: () => cursor.close(),
      };
    };
    const { ranges } = await backend.read({
      keys: [],
      ranges: [{ gte: 'c', lt: 'd', limit: 3 }],
    });
    expect(ranges[0]?.map(([key]) => key)).toEqual(keys.slice(30, 33));
    expect(requests).toBe(1);
  });

  test('an engine that fails to read -> the read rejects with its error, no cursor stays', async () => {
    const { backend, engine } = await open();
    engine.getMany = () => Promise.reject(kontikiError('STORAGE_IO', 'no'));
    const plan = { keys: ['ca'], ranges: [{ gte: 'c', lt: 'd' }] };
    await expect(backend.read(plan)).rejects.toSatisfy(code('STORAGE_IO'));
    expect(engine.openCursors).toBe(0);
  });
});

describe('flushes', () => {
  test('a change -> one flush an interval later; none without a change', async () => {
    const { backend, engine, timers } = await open({ flushIntervalMs: 10 });
    timers.advance(100);
    expect([engine.writeCount, timers.count]).toEqual([0, 0]);
    backend.apply([['ca', value(1)]], 1);
    backend.apply([['cb', value(1)]], 2);
    timers.advance(9);
    expect(engine.writeCount).toBe(0);
    timers.advance(1);
    expect([engine.writeCount, backend.durableIndex]).toEqual([1, 0]);
    await backend.flush();
    expect([engine.writeCount, backend.durableIndex]).toEqual([1, 2]);
  });

  test('an applied index without changes -> becomes durable too', async () => {
    const { backend, timers } = await open();
    backend.apply([], 7);
    timers.advance(50);
    await backend.flush();
    expect(backend.durableIndex).toBe(7);
  });

  test('enough bytes -> a flush in the next turn, not inside apply', async () => {
    const { backend, engine, timers } = await open({ flushBytes: 100 });
    backend.apply([['ca', value(1, 60)]], 1);
    backend.apply([['cb', value(1, 60)]], 2);
    expect(engine.writeCount).toBe(0);
    timers.advance(0);
    expect(engine.writeCount).toBe(1);
  });

  test('changes during a flush -> wait for the next one; one in flight', async () => {
    const { backend, engine, timers } = await open({ flushBytes: 10 });
    engine.hold = true;
    backend.apply([['ca', value(1, 60)]], 1);
    timers.advance(0);
    backend.apply([['ca', value(2, 60)]], 2);
    timers.advance(1_000);
    expect(engine.writeCount).toBe(1);
    await engine.release();
    expect(backend.durableIndex).toBe(1);
    timers.advance(0);
    expect(engine.writeCount).toBe(2);
    await engine.release();
    expect(backend.durableIndex).toBe(2);
  });

  test('flush during a flush -> resolves with the one that takes the later changes', async () => {
    const { backend, engine, timers } = await open();
    engine.hold = true;
    backend.apply([['ca', value(1)]], 1);
    timers.advance(50);
    backend.apply([['cb', value(1)]], 2);
    const flushed = backend.flush();
    await engine.release();
    expect([engine.writeCount, backend.durableIndex]).toEqual([2, 1]);
    await engine.release();
    await flushed;
    expect(backend.durableIndex).toBe(2);
  });

  test('ready: too much held -> waits until a flush made room', async () => {
    const { backend, engine } = await open({ overlayBytesMax: 100 });
    engine.hold = true;
    backend.apply([['ca', value(1, 90)]], 1);
    expect(backend.ready()).toBeUndefined();
    backend.apply([['cb', value(1, 90)]], 2);
    let isReady = false;
    const ready = Promise.resolve(backend.ready()).then(() => {
      isReady = true;
    });
    await Promise.resolve();
    expect(isReady).toBe(false);
    await engine.release();
    await ready;
    expect(backend.ready()).toBeUndefined();
  });

  test('a failed flush -> told once, final for writes, reads go on', async () => {
    const told: unknown[] = [];
    const { backend, engine, timers } = await open({ onFailed: (error) => told.push(error) });
    engine.hold = true;
    backend.apply([['ca', value(1)]], 1);
    timers.advance(50);
    const flushed = backend.flush().catch((error: unknown) => error);
    const failure = kontikiError('NO_SPACE', 'the disk is full');
    await engine.release(failure);
    expect(await flushed).toBe(failure);
    expect(told).toEqual([failure]);
    backend.apply([['cb', value(2)]], 2);
    const found = await backend.read({ keys: ['ca', 'cb'], ranges: [{ gte: 'c', lt: 'd' }] });
    expect(found.records).toEqual([value(1), value(2)]);
    expect(found.ranges[0]).toHaveLength(2);
    timers.advance(1_000);
    expect([engine.writeCount, timers.count, backend.durableIndex]).toEqual([1, 0, 0]);
    await expect(backend.ready()).rejects.toBe(failure);
    await expect(backend.flush()).rejects.toBe(failure);
    await expect(backend.close()).rejects.toBe(failure);
    await expect(engine.inner.getMany([])).rejects.toSatisfy(code('CLOSED'));
    expect(told).toHaveLength(1);
  });

  test('an engine that fails with a foreign error -> STORAGE_IO with it as cause', async () => {
    const { backend, engine } = await open();
    engine.failWith = new Error('boom');
    backend.apply([['ca', value(1)]], 1);
    await expect(backend.flush()).rejects.toMatchObject({
      code: 'STORAGE_IO',
      cause: engine.failWith,
    });
  });
});

describe('rules', () => {
  test('close -> flushes, closes the engine, twice the same, refuses afterwards', async () => {
    const { backend, engine, timers } = await open();
    backend.apply([['ca', value(1)]], 3);
    const closing = backend.close();
    expect(backend.close()).toBe(closing);
    expect(() => backend.apply([], 4)).toThrow(/closed/);
    await closing;
    expect([backend.durableIndex, timers.count]).toEqual([3, 0]);
    await expect(backend.flush()).rejects.toSatisfy(code('CLOSED'));
    expect(() => backend.read({ keys: [], ranges: [] })).toThrow(/closed/);
    const again = await WriteBehindBackend.open({ engine: engine.inner.reopen(), timers });
    expect([again.openedIndex, again.durableIndex]).toEqual([3, 3]);
  });

  test('applied index: the same again -> taken; a lower one -> assertion', async () => {
    const { backend } = await open();
    backend.apply([['ma', value(1)]], 0);
    backend.apply([], 5);
    backend.apply([], 5);
    expect(() => backend.apply([], 4)).toThrow(/never go back/);
  });

  test.each(['b', 'f', 'fx'])('a key of the backend itself (%s) -> assertion', async (key) => {
    const { backend } = await open();
    expect(() => backend.apply([[key, value(1)]], 1)).toThrow(/backend itself/);
  });
});
