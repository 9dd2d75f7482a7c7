// A flush that finds no space: it waits for some, opens the engine again, and loses nothing.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const value = (n: number): Uint8Array => new Uint8Array(1).fill(n);
const full = kontikiError('NO_SPACE', 'the disk is full');

/** A backend on a disk that is full or not, and the engines it has had. */
async function open() {
  const timers = new ManualTimers();
  const engines = [new ScriptedEngine()];
  const failed: unknown[] = [];
  const disk = { isFull: false, looks: 0, opens: 0 };
  const newest = () => engines.at(-1) as ScriptedEngine;
  const backend = await WriteBehindBackend.open({
    engine: newest(),
    timers,
    flushIntervalMs: 50,
    appended: 'hkz',
    aheadBytesMin: 1,
    onFailed: (error) => failed.push(error),
    reopening: {
      hasSpace: async () => {
        disk.looks += 1;
        return !disk.isFull;
      },
      open: async () => {
        disk.opens += 1;
        if (disk.isFull) throw full;
        engines.push(new ScriptedEngine(newest().inner.reopen()));
        return newest();
      },
    },
  });
  const settle = async (ms = 0) => {
    for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
    timers.advance(ms);
    for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
  };
  return { backend, disk, failed, newest, settle, timers };
}

/** With one change flushed and one that finds no space. */
async function openFull() {
  const world = await open();
  const { backend, disk, newest, settle } = world;
  backend.apply([['ca', value(1)]], 1);
  await backend.flush();
  disk.isFull = true;
  newest().failWith = full;
  const history = [3, 4].map((n) => ['h1', value(n)] as const);
  backend.apply([['cb', value(2)], ...history, ['h2', value(5)], ['h2', undefined]], 2);
  await settle(50);
  return world;
}

const read = async (backend: WriteBehindBackend, ...keys: string[]) =>
  (await backend.read({ keys, ranges: [] })).records;

describe('no space for a flush', () => {
  test('-> reads go on, views too; once there is space all of it is durable', async () => {
    const { backend, disk, failed, settle } = await openFull();
    expect([backend.hasSpace, backend.durableIndex]).toEqual([false, 1]);
    const view = backend.capture();
    for (let seconds = 0; seconds < 5; seconds += 1) await settle(1_000);
    expect(disk).toEqual({ isFull: true, looks: 5, opens: 0 });
    expect(await read(backend, 'ca', 'cb')).toEqual([value(1), value(2)]);
    expect(await view.next(1)).toEqual([['ca', value(1)]]);
    backend.apply([['cc', value(3)]], 3);
    // Looked up while they are on their way, for the second time soon.
    expect(await read(backend, 'h1', 'h2')).toEqual([value(4), undefined]);
    disk.isFull = false;
    await settle(1_000);
    expect([backend.hasSpace, backend.durableIndex]).toEqual([true, 2]);
    expect(await read(backend, 'h1', 'h2')).toEqual([value(4), undefined]);
    // What a view rested on is gone with the engine.
    await expect(view.next(1)).rejects.toBe(full);
    await view.close();
    await backend.flush();
    expect(backend.durableIndex).toBe(3);
    expect(await read(backend, 'ca', 'cb', 'cc')).toEqual([value(1), value(2), value(3)]);
    expect(await read(backend, 'h1', 'h2')).toEqual([value(4), undefined]);
    expect(failed).toEqual([]);
    await backend.close();
  });

  test('a flush that had got there all the same -> is not written again', async () => {
    const { backend, disk, newest, settle } = await open();
    backend.apply([['ca', value(1)]], 1);
    await backend.flush();
    const engine = newest();
    engine.write = async (batch, options) => {
      await engine.inner.write(batch, options);
      throw full;
    };
    // No entry's effect: the index alone does not tell whether it is there.
    backend.apply([['cb', value(2)]], 1);
    await settle(50);
    await settle(1_000);
    expect([disk.opens, backend.hasSpace, backend.durableIndex]).toEqual([1, true, 1]);
    // Its own sync of what was found, and nothing else.
    expect(newest().writeCount).toBe(1);
    expect(await read(backend, 'ca', 'cb')).toEqual([value(1), value(2)]);
    await backend.close();
  });

  test('again, when the engine is opened, and at its first write -> waits on', async () => {
    const { backend, disk, failed, newest, settle } = await openFull();
    disk.isFull = false;
    const reopen = MemoryEngine.prototype.reopen;
    let refusals = 2;
    newest().inner.reopen = function (this: MemoryEngine) {
      refusals -= 1;
      if (refusals >= 0) throw full;
      return reopen.call(this);
    };
    await settle(1_000);
    // Nobody can read what is only on the disk; nobody is refused either.
    const waiting = read(backend, 'ca');
    await settle(1_000);
    expect(backend.hasSpace).toBe(false);
    await settle(1_000);
    expect(await waiting).toEqual([value(1)]);
    expect([backend.durableIndex, backend.hasSpace, failed.length]).toEqual([2, true, 0]);
    await backend.close();
  });

  test('an engine that lost a flush meanwhile -> STATE_CORRUPT, and whoever waits is told', async () => {
    const { backend, disk, failed, newest, settle } = await openFull();
    disk.isFull = false;
    newest().inner.reopen = () => new MemoryEngine();
    const { inner } = newest();
    await inner.close();
    await settle(1_000);
    expect(failed).toMatchObject([{ code: 'STATE_CORRUPT' }]);
    await expect(backend.flush()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await expect(backend.close()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  });

  test('interrupted, or closed -> NO_SPACE for all who wait, and the engine is closed', async () => {
    for (const end of ['interrupt', 'close'] as const) {
      const { backend, failed, newest, settle } = await openFull();
      const flushed = backend.flush();
      flushed.catch(() => undefined);
      const ended = backend[end]();
      await settle();
      await expect(flushed).rejects.toBe(full);
      // Who closes it hears of it there: a state that was replaced must not stop its member.
      expect(failed).toEqual(end === 'close' ? [] : [full]);
      await expect(Promise.all([ended, backend.close()])).rejects.toBe(full);
      await expect(newest().getMany(['ca'])).rejects.toMatchObject({ code: 'CLOSED' });
    }
  });
});
