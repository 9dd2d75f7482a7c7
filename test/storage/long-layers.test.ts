// What would take one turn too long is done in several: sorting, copying and walking a second of changes.
import { describe, expect, test, vi } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import type { Change, ReadSet } from '../../src/mvcc/backend.js';
import { Overlay } from '../../src/storage/overlay.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers, pumped } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const value = new Uint8Array(1);
const keys = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => `c${String(10_000 + from + n)}`);
const puts = (names: readonly string[]): Change[] => names.map((key) => [key, value]);
const all = { keys: [], ranges: [{ gte: 'c', lt: 'd' }] };
const keysOf = ({ ranges }: ReadSet) => ranges[0]?.map(([key]) => key);

/** Keys that a turn should do something about: 10. */
async function open() {
  const engine = new ScriptedEngine();
  const timers = new ManualTimers();
  const sizes = { sortKeysMax: 10, flushIntervalMs: 1_000 };
  const backend = await WriteBehindBackend.open({ engine, timers, ...sizes });
  const cursors = { asked: 0 };
  const iterate = engine.iterate.bind(engine);
  engine.iterate = (range) => {
    const cursor = iterate(range);
    return {
      next: (count) => {
        cursors.asked += 1;
        return cursor.next(count);
      },
      close: () => cursor.close(),
    };
  };
  return { backend, cursors, engine, timers };
}

describe('more changes than a turn should sort', () => {
  test('a range -> goes on in later turns, with the answer of its own', async () => {
    const { backend, cursors, engine, timers } = await open();
    backend.apply(puts(keys(100)), 1);
    const { count } = timers;
    const read = backend.read(all);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect([timers.count, cursors.asked]).toEqual([count + 1, 0]);
    backend.apply([[keys(1)[0] as string, undefined], ...puts(keys(5, 200))], 2);
    expect(keysOf(await pumped(read, timers))).toEqual(keys(100));
    expect(keysOf(await pumped(backend.read(all), timers))).toHaveLength(104);
    expect(engine.openCursors).toBe(0);
  });

  test('a view -> the same', async () => {
    const { backend, cursors, timers } = await open();
    backend.apply(puts(keys(100)), 1);
    const view = backend.capture();
    const { count } = timers;
    const read = view.next(1_000);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect([timers.count, cursors.asked]).toEqual([count + 1, 0]);
    backend.apply([[keys(1)[0] as string, undefined]], 2);
    expect(await pumped(read, timers)).toHaveLength(100);
    await view.close();
  });

  test('sorted little by little -> a range without a limit is walked in pieces, not copied', async () => {
    const { backend, timers } = await open();
    const few = { keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] };
    for (let nth = 0; nth < 30; nth += 1) {
      backend.apply(puts(keys(5, 5 * nth)), nth + 1);
      await pumped(backend.read(few), timers);
    }
    const looks = vi.spyOn(Overlay.prototype, 'get');
    const read = backend.read(all);
    expect(looks.mock.calls.length).toBeLessThan(20);
    looks.mockRestore();
    backend.apply([['c0', value]], 31);
    expect(keysOf(await pumped(read, timers))).toEqual(keys(150));
  });

  test('read again and again -> a flush begins before its time, layers stay few', async () => {
    const { backend, engine, timers } = await open();
    for (let nth = 0; nth < 9; nth += 1) {
      backend.apply(puts(keys(20, 20 * nth)), nth + 1);
      await pumped(backend.read(all), timers);
    }
    expect(engine.writeCount).toBe(1);
    await pumped(backend.flush(), timers);
    engine.hold = true;
    const looks = vi.spyOn(Overlay.prototype, 'get');
    const walks = vi.spyOn(Overlay.prototype, 'addCursors');
    for (let nth = 0; nth < 100; nth += 1) {
      backend.apply(puts(keys(20, 20 * nth)), nth + 10);
      looks.mockClear();
      walks.mockClear();
      const read = backend.read(all);
      // Nor does a read copy what the others left, however many layers there are.
      expect(looks.mock.calls.length).toBeLessThan(100);
      expect(keysOf(await pumped(read, timers))).toHaveLength(Math.max(180, 20 * (nth + 1)));
      expect(walks.mock.calls.length).toBeLessThan(65);
    }
    vi.restoreAllMocks();
    engine.hold = false;
    await engine.release();
    await pumped(backend.close(), timers);
  });
});

test('a queue that is read at its head -> its deletions are flushed before their time', async () => {
  const { backend, engine, timers } = await open();
  backend.apply(puts(keys(1_000)), 1);
  await backend.flush();
  const written = engine.writeCount;
  const head = { keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] };
  for (let nth = 0; nth < 600; nth += 1) {
    const first = keysOf(await pumped(backend.read(head), timers))?.[0];
    expect(first).toBe(keys(1, nth)[0]);
    backend.apply([[first as string, undefined]], nth + 2);
  }
  expect(engine.writeCount - written).toBe(2);
});

test('a queue whose entries are never flushed -> its deletions are, before their time', async () => {
  const { backend, engine, timers } = await open();
  const head = { keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] };
  for (let nth = 0; nth < 600; nth += 1) {
    const [key] = keys(1, nth) as [string];
    backend.apply([[key, value]], 2 * nth + 1);
    expect(keysOf(await pumped(backend.read(head), timers))).toEqual([key]);
    backend.apply([[key, undefined]], 2 * nth + 2);
  }
  expect(engine.writeCount).toBe(2);
});

test('deletions that are on their way -> no second flush for them', async () => {
  const { backend, engine, timers } = await open();
  backend.apply(puts(keys(1_000)), 1);
  await backend.flush();
  engine.hold = true;
  const head = { keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] };
  backend.apply(
    keys(300).map((key) => [key, undefined] as const),
    2,
  );
  await pumped(backend.read(head), timers);
  await pumped(Promise.resolve(), timers);
  expect([engine.isWriting, engine.writeCount]).toEqual([true, 2]);
  backend.apply(puts(['cx']), 3);
  await pumped(backend.read(head), timers);
  await engine.release();
  timers.advance(0);
  expect(engine.writeCount).toBe(2);
});

test('deletions that are flushed when the read ends -> no flush of nothing', async () => {
  const { backend, engine, timers } = await open();
  backend.apply(
    keys(300).map((key) => [key, undefined] as const),
    1,
  );
  const read = backend.read({ keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] });
  await backend.flush();
  expect(keysOf(await pumped(read, timers))).toEqual([]);
  timers.advance(10_000);
  expect(engine.writeCount).toBe(1);
});

test('deletions sorted little by little -> a read of the first does not copy them all', async () => {
  const { backend, timers } = await open();
  backend.apply(puts(keys(1)), 1);
  for (let nth = 0; nth < 60; nth += 1) {
    backend.apply(
      keys(5, 5 * nth).map((key) => [key, undefined] as const),
      nth + 2,
    );
    const other = { keys: [], ranges: [{ gte: 'd', lt: 'e', limit: 1 }] };
    await pumped(backend.read(other), timers);
  }
  backend.apply(puts(keys(1, 300)), 100);
  const looks = vi.spyOn(Overlay.prototype, 'get');
  const read = backend.read({ keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] });
  expect(looks.mock.calls.length).toBeLessThan(20);
  looks.mockRestore();
  expect(keysOf(await pumped(read, timers))).toEqual(keys(1, 300));
});

test.each(['staged', 'in one batch'])(
  'many deletions at the head, %s -> flushed early',
  async (how) => {
    const { backend, engine, timers } = await open();
    backend.apply(puts(keys(1_000)), 1);
    await backend.flush();
    const written = engine.writeCount;
    const gone: Change[] = keys(600).map((key) => [key, undefined]);
    const staged = backend.stage();
    if (how === 'staged') {
      await pumped(staged.add(gone), timers);
      backend.apply([], 2, staged);
    } else backend.apply(gone, 2);
    const head = { keys: [], ranges: [{ gte: 'c', lt: 'd', limit: 1 }] };
    expect(keysOf(await pumped(backend.read(head), timers))).toEqual(keys(1, 600));
    await pumped(Promise.resolve(), timers);
    expect(engine.writeCount - written).toBe(1);
  },
);

describe.each(['read', 'view'] as const)('a %s that is being prepared', (kind) => {
  const begin = (backend: WriteBehindBackend) =>
    kind === 'read'
      ? (backend.read(all) as Promise<ReadSet>).then((found) => found.ranges[0])
      : backend.capture().next(1_000);

  test('the backend closes -> its moment, or CLOSED; no cursor stays', async () => {
    const { backend, engine, timers } = await open();
    backend.apply(puts(keys(100)), 1);
    const read = begin(backend).catch((error: unknown) => error);
    await pumped(backend.close(), timers);
    const found = await pumped(read, timers);
    if (Array.isArray(found)) expect(found).toHaveLength(100);
    else expect(found).toMatchObject({ code: 'CLOSED' });
    expect(engine.openCursors).toBe(0);
  });

  test('the flush fails -> its moment all the same', async () => {
    const { backend, engine, timers } = await open();
    backend.apply(puts(keys(100)), 1);
    engine.failWith = kontikiError('STORAGE_IO', 'bad sector');
    const read = begin(backend);
    timers.advance(1_000);
    expect(await pumped(read, timers)).toHaveLength(100);
    expect(engine.writeCount).toBe(1);
    await expect(backend.flush()).rejects.toMatchObject({ code: 'STORAGE_IO' });
  });
});
