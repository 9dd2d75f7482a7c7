// A sync that was done along with a write: it counts for the next call of `sync`, and for nothing else.
import { expect, test } from 'vitest';
import { type FileCalls, NodeFile, type OnDone } from '../../../src/storage/node-fs/file.js';

/** Answers what it is told, and notes what it was asked. */
class ScriptedCalls implements FileCalls {
  readonly asked: string[] = [];
  /** What the next writes answer; when there is none, all of it. */
  readonly answers: Parameters<OnDone>[] = [];

  readonly write: FileCalls['write'] = (_fd, chunks, { position, thenSync }, onDone) => {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.asked.push(`write ${position}+${length}${thenSync ? ', sync' : ''}`);
    onDone(...(this.answers.shift() ?? ([null, length, thenSync ? null : undefined] as const)));
  };

  readonly sync: FileCalls['sync'] = (_fd, onDone) => {
    this.asked.push('sync');
    onDone(null);
  };

  readonly close: FileCalls['close'] = (_fd, onDone) => onDone(null);
}

const thenSync = { thenSync: true };
const four = [Uint8Array.of(1, 2, 3, 4)];

function opened() {
  const calls = new ScriptedCalls();
  return { calls, file: new NodeFile(2 ** 30, 'file', calls) };
}

test('synced along with the write -> the next sync asks for none, the one after it does', async () => {
  const { calls, file } = opened();
  await file.write(0, four, thenSync);
  await file.sync();
  expect(calls.asked).toEqual(['write 0+4, sync']);
  await file.sync();
  expect(calls.asked).toEqual(['write 0+4, sync', 'sync']);
});

test('another write settles before the sync is asked for -> that one is made durable, too', async () => {
  const { calls, file } = opened();
  await file.write(0, four, thenSync);
  await file.write(4, four);
  await file.sync();
  expect(calls.asked).toEqual(['write 0+4, sync', 'write 4+4', 'sync']);
});

test('cut before the sync is asked for -> it is made durable, too', async () => {
  const { calls, file } = opened();
  await file.write(0, four, thenSync);
  // There is no such file: what counts is that it was tried.
  await expect(file.truncate(0)).rejects.toMatchObject({ cause: { code: 'EBADF' } });
  await file.sync();
  expect(calls.asked).toEqual(['write 0+4, sync', 'sync']);
});

test('written in two parts -> a sync behind the second', async () => {
  const { calls, file } = opened();
  calls.answers.push([null, 3]);
  await file.write(0, four, thenSync);
  await file.sync();
  expect(calls.asked).toEqual(['write 0+4, sync', 'write 3+1, sync']);
});

test('the second part fails -> the write fails, and no sync is believed', async () => {
  const { calls, file } = opened();
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
  calls.answers.push([null, 3], [full]);
  await expect(file.write(0, four, thenSync)).rejects.toMatchObject({ code: 'NO_SPACE' });
  await file.sync();
  expect(calls.asked).toEqual(['write 0+4, sync', 'write 3+1, sync', 'sync']);
});

test('the sync fails for want of space -> the write stands, the sync says so, and is final', async () => {
  const { calls, file } = opened();
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
  calls.answers.push([null, 4, full]);
  await file.write(0, four, thenSync);
  await expect(file.sync()).rejects.toMatchObject({ code: 'NO_SPACE', cause: full });
  await expect(file.write(0, four)).rejects.toMatchObject({ code: 'STORAGE_IO' });
  await expect(file.sync()).rejects.toMatchObject({ code: 'STORAGE_IO' });
  expect(calls.asked).toEqual(['write 0+4, sync']);
});

test.each([false, true])(
  'a sync that failed, and zeros that settle before it is asked for (synced as well: %j) -> it failed',
  async (isSynced) => {
    const { calls, file } = opened();
    calls.answers.push([null, 4, new Error('EIO')]);
    const group = file.write(0, four, thenSync);
    await Promise.allSettled([group, file.write(4, four, { thenSync: isSynced })]);
    await expect(file.sync()).rejects.toMatchObject({ code: 'STORAGE_IO' });
  },
);
