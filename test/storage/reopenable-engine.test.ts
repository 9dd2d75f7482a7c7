// An engine that is replaced behind its readers: nobody sees two moments, nobody is left waiting.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { ReopenableEngine } from '../../src/storage/reopenable-engine.js';
import { ScriptedEngine } from './scripted-engine.js';

const value = (n: number): Uint8Array => new Uint8Array(1).fill(n);
const range = { gte: 'a', lt: 'z' };
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function open() {
  const first = new ScriptedEngine();
  await first.write([['ca', value(1)]], { sync: true });
  const second = new ScriptedEngine();
  await second.write([['ca', value(2)]], { sync: true });
  let isClosed = false;
  const close = first.close.bind(first);
  first.close = () => {
    isClosed = true;
    return close();
  };
  return { engine: new ReopenableEngine(first), first, second, isClosed: () => isClosed };
}

describe('an engine that is opened again', () => {
  test('a cursor is open -> it walks to its end first', async () => {
    const { engine, second, isClosed } = await open();
    const cursor = engine.iterate(range);
    const reopened = engine.reopen(async () => second);
    await settled();
    expect(isClosed()).toBe(false);
    expect(await cursor.next(10)).toEqual([['ca', value(1)]]);
    await cursor.close();
    await cursor.close();
    await reopened;
    expect(isClosed()).toBe(true);
    expect(await engine.getMany(['ca'])).toEqual([value(2)]);
  });

  test('reads that come meanwhile -> wait, and are of its first moment', async () => {
    const { engine, second } = await open();
    second.isNow = true;
    const reopened = engine.reopen(async () => second);
    expect(engine.getNow(['ca'])).toBeUndefined();
    const values = engine.getMany(['ca']);
    const late = engine.iterate(range);
    const unread = engine.iterate(range);
    await unread.close();
    await reopened;
    await engine.write([['cb', value(3)]], { sync: true });
    expect(await values).toEqual([value(2)]);
    expect(await late.next(10)).toEqual([['ca', value(2)]]);
    await late.close();
    expect(engine.getNow(['cb'])).toEqual([value(3)]);
    await engine.close();
    expect(second.openCursors).toBe(0);
  });

  test('that cannot be opened -> reads wait on, the next attempt serves them', async () => {
    const { engine, second } = await open();
    const error = kontikiError('NO_SPACE', 'full');
    const values = engine.reopen(() => Promise.reject(error)).catch((caught) => caught);
    expect(await values).toBe(error);
    const read = engine.getMany(['ca']);
    const cursor = engine.iterate(range);
    await engine.reopen(async () => second);
    expect(await read).toEqual([value(2)]);
    expect(await cursor.next(10)).toHaveLength(1);
  });

  test('given up, or closed -> reads that wait fail, and later ones; what opens late is closed', async () => {
    for (const end of ['giveUp', 'close'] as const) {
      const { engine, second } = await open();
      let opened: (() => void) | undefined;
      const reopened = engine.reopen(async () => {
        await new Promise<void>((resolve) => {
          opened = resolve;
        });
        return second;
      });
      reopened.catch(() => undefined);
      await settled();
      const reads = [engine.getMany(['ca']), engine.iterate(range).next(1)];
      const error = kontikiError('STATE_CORRUPT', 'no');
      const closing = end === 'close' ? engine.close() : engine.giveUp(error);
      const code = end === 'close' ? 'CLOSED' : 'STATE_CORRUPT';
      for (const read of reads) await expect(read).rejects.toMatchObject({ code });
      await expect(engine.getMany(['ca'])).rejects.toMatchObject({ code });
      await expect(engine.iterate(range).next(1)).rejects.toMatchObject({ code });
      opened?.();
      await expect(reopened).rejects.toMatchObject({ code });
      await closing;
      await engine.close();
      await expect(second.getMany(['ca'])).rejects.toMatchObject({ code: 'CLOSED' });
    }
  });

  test('given up while there is one -> it still answers', async () => {
    const { engine } = await open();
    engine.giveUp(kontikiError('STORAGE_IO', 'no'));
    expect(await engine.getMany(['ca'])).toEqual([value(1)]);
  });
});
