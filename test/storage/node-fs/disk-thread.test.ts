// The disk's own thread: what it is for, and that it is no burden to anybody.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  open,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DiskThread } from '../../../src/storage/node-fs/disk-thread.js';
import { NodeFile } from '../../../src/storage/node-fs/file.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/kontiki-disk-thread-`);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** More than the pool has threads: each waits until somebody opens its pipe to write. */
const poolThreads = 4;

function occupyPool(): { readonly held: Promise<number[]>; release(): void } {
  const paths = Array.from({ length: 2 * poolThreads }, (_, nth) => `${dir}/pipe-${nth}`);
  execFileSync('mkfifo', paths);
  const opened = paths.map((path) => promisify(open)(path, 'r'));
  return {
    held: Promise.all(opened),
    // Both ends, so that it never waits for the one that is still in the queue.
    release: () => {
      for (const path of paths) openSync(path, constants.O_RDWR);
    },
  };
}

const at = (position: number, thenSync = false) => ({ position, thenSync });

const asked = (act: (done: (error: Error | null, result?: number) => void) => void) =>
  new Promise<number | undefined>((resolve, reject) => {
    act((error, result) => (error === null ? resolve(result) : reject(error)));
  });

describe('the thread of the disk', () => {
  test('all threads of the pool are taken -> urgent files are written, synced and closed', async () => {
    const file = await fs.open(`${dir}/file`, 'create', { urgent: true });
    const other = await fs.open(`${dir}/other`, 'create');
    const pool = occupyPool();
    let isOtherSynced = false;
    const otherSync = other.sync().then(() => {
      isOtherSynced = true;
    });
    await file.write(0, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    await file.sync();
    await file.close();
    expect(isOtherSynced).toBe(false);
    pool.release();
    for (const fd of await pool.held) closeSync(fd);
    await otherSync;
    await other.close();
    expect([...readFileSync(`${dir}/file`)]).toEqual([1, 2, 3]);
  });

  test('a chunk changed right after the call -> what it was is written', async () => {
    const file = await fs.open(`${dir}/file`, 'create', { urgent: true });
    const chunk = Uint8Array.of(1, 2, 3);
    const written = file.write(0, [chunk]);
    chunk.fill(9);
    await written;
    expect(await file.read(0, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(chunk.length).toBe(3);
    await file.close();
  });

  test('calls one after the other without waiting -> done in their order, close last', async () => {
    const thread = new DiskThread();
    const fd = openSync(`${dir}/file`, 'w+');
    const answers = await Promise.all([
      asked((done) => thread.write(fd, [Uint8Array.of(1)], at(0), done)),
      asked((done) => thread.write(fd, [Uint8Array.of(2, 2)], at(0), done)),
      asked((done) => thread.sync(fd, done)),
      asked((done) => thread.close(fd, done)),
    ]);
    expect(answers).toEqual([1, 2, 0, 0]);
    expect([...readFileSync(`${dir}/file`)]).toEqual([2, 2]);
    await expect(asked((done) => thread.sync(fd, done))).rejects.toMatchObject({ code: 'EBADF' });
  });

  test('a write that a sync follows -> one answer for both; no sync behind a write that failed', async () => {
    const thread = new DiskThread();
    const fd = openSync(`${dir}/file`, 'w+');
    const answerTo = (toFd: number, thenSync: boolean) =>
      new Promise<unknown[]>((resolve) => {
        thread.write(toFd, [Uint8Array.of(1, 2)], at(0, thenSync), (...answer) => resolve(answer));
      });
    expect(await answerTo(fd, false)).toEqual([null, 2, undefined]);
    expect(await answerTo(fd, true)).toEqual([null, 2, null]);
    const [error, written, synced] = await answerTo(2 ** 30, true);
    expect(error).toMatchObject({ code: 'EBADF' });
    expect([written, synced]).toEqual([undefined, undefined]);
    closeSync(fd);
  });

  test('no thread can be started -> STORAGE_IO with its cause; a close closes; later it can', async () => {
    let isAllowed = false;
    const cause = Object.assign(new Error('restricted'), { code: 'ERR_ACCESS_DENIED' });
    const thread = new DiskThread((text, options) => {
      if (!isAllowed) throw cause;
      return new Worker(text, options);
    });
    const openedHere = () => {
      const fd = openSync(`${dir}/file`, 'w+');
      return { fd, file: new NodeFile(fd, 'file', thread) };
    };
    const [one, two] = [openedHere(), openedHere()];
    const refused = { code: 'STORAGE_IO', cause };
    await expect(one.file.write(0, [Uint8Array.of(1)])).rejects.toMatchObject(refused);
    await expect(two.file.sync()).rejects.toMatchObject(refused);
    for (const { fd, file } of [one, two]) {
      await file.close();
      expect(() => fstatSync(fd)).toThrow(/EBADF/);
    }
    isAllowed = true;
    const three = openedHere();
    await three.file.write(0, [Uint8Array.of(1)]);
    await three.file.close();
    expect([...readFileSync(`${dir}/file`)]).toEqual([1]);
  });

  test('a process that has used it and ends -> ends by itself, with nothing left undone', () => {
    const module = new URL('../../../src/storage/node-fs/index.ts', import.meta.url).href;
    const script = `
      const { nodeFileSystem } = await import(${JSON.stringify(module)});
      const file = await nodeFileSystem.open(process.argv[1], 'create', { urgent: true });
      await file.write(0, [Uint8Array.of(7)]);
      await file.sync();
      file.close().then(() => console.log('closed'));
      process.on('warning', (warning) => console.log(String(warning)));
    `;
    const execArgv = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
    const options = { encoding: 'utf8', timeout: 60_000 } as const;
    expect(execFileSync(process.execPath, [...execArgv, `${dir}/file`], options)).toBe('closed\n');
    expect([...readFileSync(`${dir}/file`)]).toEqual([7]);
  });
});
