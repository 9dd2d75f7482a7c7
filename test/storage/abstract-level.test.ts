/** A database whose cursors read live (as IndexedDB's do) must still show one moment. */
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { LevelEngine } from '../../src/storage/abstract-level.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { LiveDatabase } from './live-database.js';
import { ManualTimers } from './manual-timers.js';

const range = { gte: 'a', lt: 'z' };
const pair = (key: string, byte: number) => [key, Uint8Array.of(byte)] as const;
const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

async function open() {
  const db = new LiveDatabase();
  const engine = await LevelEngine.open(() => db);
  await engine.write([pair('a', 1), pair('b', 1)], { sync: true });
  return { db, engine };
}

describe('database without snapshots', () => {
  test('a write while a cursor is open -> waits until it is closed', async () => {
    const { db, engine } = await open();
    const cursor = engine.iterate(range);
    expect((await cursor.next(1))[0]?.[0]).toBe('a');
    const write = engine.write([['b', undefined], pair('c', 1)], { sync: true });
    // A cursor that opens while the write waits reads at once: no lock-up for who holds both.
    const second = engine.iterate(range);
    expect(await second.next(9)).toHaveLength(2);
    await second.close();
    await turns();
    expect((await cursor.next(9)).map(([key]) => key)).toEqual(['b']);
    expect(db.data.has('c')).toBe(false);
    await cursor.close();
    await cursor.close();
    await write;
    expect([...db.data.keys()]).toEqual(['a', 'c']);
  });

  test('a cursor during a write -> reads after it, never its middle', async () => {
    const { db, engine } = await open();
    let finish = () => {};
    db.writing = new Promise((resolve) => {
      finish = resolve;
    });
    const write = engine.write([pair('c', 1)], { sync: true });
    const cursor = engine.iterate(range);
    let found: unknown;
    const read = cursor.next(9).then((pairs) => {
      found = pairs.map(([key]) => key);
    });
    await turns();
    expect(found).toBeUndefined();
    finish();
    await Promise.all([write, read]);
    expect(found).toEqual(['a', 'b', 'c']);
    await cursor.close();
  });

  test('a value that is a view into a larger buffer -> only its own bytes are stored', async () => {
    const { db, engine } = await open();
    await engine.write([['v', new Uint8Array(100).subarray(3, 5)]], { sync: true });
    expect(db.data.get('v')?.buffer.byteLength).toBe(2);
  });
});

describe('a backend on a database without snapshots', () => {
  test('opened again -> what was flushed, and it waits for nothing', async () => {
    const db = new LiveDatabase();
    const timers = new ManualTimers();
    const open = async () => {
      const engine = await LevelEngine.open(() => db);
      return WriteBehindBackend.open({ engine, timers });
    };
    const backend = await open();
    backend.apply([pair('k', 1)], 7);
    await backend.close();
    let again: WriteBehindBackend | undefined;
    void open().then((opened) => {
      again = opened;
    });
    for (let turn = 0; turn < 20; turn += 1) await turns();
    expect(again?.openedIndex).toBe(7);
    expect(await again?.read({ keys: ['k'], ranges: [] })).toMatchObject({
      records: [Uint8Array.of(1)],
    });
    await again?.close();
  });

  test('closed while a view is open -> flushed and closed, the view ends', async () => {
    const db = new LiveDatabase();
    const engine = await LevelEngine.open(() => db);
    const backend = await WriteBehindBackend.open({ engine, timers: new ManualTimers() });
    backend.apply([pair('k', 1)], 7);
    const view = backend.capture();
    expect(await view.next(1)).toHaveLength(1);
    backend.apply([pair('l', 1)], 8);
    let isClosed = false;
    void backend.close().then(() => {
      isClosed = true;
    });
    for (let turn = 0; turn < 20; turn += 1) await turns();
    expect(isClosed).toBe(true);
    expect([...db.data.keys()]).toEqual(expect.arrayContaining(['k', 'l']));
    await expect(view.next(1)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('errors', () => {
  const native = (code: string, message = 'x') => Object.assign(new Error(message), { code });
  const wrapped = (cause: Error) =>
    Object.assign(new Error('Database failed to open', { cause }), {
      code: 'LEVEL_DATABASE_NOT_OPEN',
    });

  test.each([
    ['DIR_LOCKED', wrapped(native('LEVEL_LOCKED'))],
    ['STATE_CORRUPT', wrapped(native('LEVEL_CORRUPTION'))],
    ['STATE_CORRUPT', native('LEVEL_CORRUPTION')],
    ['NO_SPACE', native('LEVEL_IO_ERROR', 'IO error: 000005.log: No space left on device')],
    ['NO_SPACE', native('LEVEL_IO_ERROR', 'IO error: 000005.log: Disk quota exceeded')],
    ['NO_SPACE', native('LEVEL_IO_ERROR', 'IO error: There is not enough space on the disk.')],
    ['NO_SPACE', Object.assign(new Error('full'), { name: 'QuotaExceededError' })],
    ['CLOSED', native('LEVEL_DATABASE_NOT_OPEN')],
    ['STORAGE_IO', wrapped(native('LEVEL_IO_ERROR'))],
    ['STORAGE_IO', new Error('who knows')],
  ] as const)('%s from %o -> that code, with the cause', async (code, failure) => {
    const db = new LiveDatabase();
    const engine = await LevelEngine.open(() => db);
    db.failWith = failure;
    for (const attempt of [engine.getMany(['a']), LevelEngine.open(() => db)]) {
      const error = await attempt.catch((e: unknown) => e);
      expect(isKontikiError(error, code)).toBe(true);
      expect((error as Error).cause).toBe(failure);
    }
  });

  test('the message -> that of the innermost cause, and what to do about damage', async () => {
    const db = new LiveDatabase();
    db.failWith = wrapped(native('LEVEL_IO_ERROR', 'state/LOCK: Too many open files'));
    await expect(LevelEngine.open(() => db)).rejects.toThrow(
      'cannot open the state engine: state/LOCK: Too many open files',
    );
    db.failWith = wrapped(native('LEVEL_CORRUPTION', 'CURRENT file is gone'));
    await expect(LevelEngine.open(() => db)).rejects.toThrow(
      /CURRENT file is gone; replace this member under a new id, or restore a backup$/,
    );
  });
});
