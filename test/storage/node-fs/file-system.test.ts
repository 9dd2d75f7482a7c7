// The contract of FileSystem, on real files.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import type { OpenOptions, StorageFile } from '../../../src/storage/file-system.js';
import { makeDirectory } from '../../../src/storage/node-fs/directory.js';
import { DiskThread } from '../../../src/storage/node-fs/disk-thread.js';
import { fileCalls, NodeFile } from '../../../src/storage/node-fs/file.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';
import { ioError } from '../../../src/storage/node-fs/io-error.js';
import { unprivileged } from '../unprivileged.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/kontiki-node-fs-`);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function withFile(
  options: OpenOptions,
  act: (file: StorageFile) => Promise<void>,
): Promise<void> {
  const file = await fs.open(`${dir}/file`, 'create', options);
  await act(file);
  await file.close();
}

describe('names', () => {
  test('folders and files made -> for the owner alone', async () => {
    await fs.makeDirectory(`${dir}/a/b`);
    await fs.makeDirectory(`${dir}/a/b`);
    await (await fs.open(`${dir}/a/b/file`, 'create')).close();
    expect([modeOf(`${dir}/a`), modeOf(`${dir}/a/b`)]).toEqual([0o700, 0o700]);
    expect(modeOf(`${dir}/a/b/file`)).toBe(0o600);
  });

  test('folders above one that is made -> each is synced in the one above it', async () => {
    const synced: string[] = [];
    const sync = async (path: string): Promise<void> => {
      synced.push(path);
    };
    await makeDirectory(`${dir}/a/b`, sync);
    expect(synced).toEqual([`${dir}/a`, dir]);
    synced.length = 0;
    await makeDirectory(`${dir}/a/b/c/d/e/`, sync);
    expect(synced).toEqual([`${dir}/a/b/c/d`, `${dir}/a/b/c`, `${dir}/a/b`]);
    synced.length = 0;
    await makeDirectory(`${dir}/a/b/c/d/e`, sync);
    expect(synced).toEqual([]);
  });

  test('one above may not be read -> passed over, the others are synced; any other failure is told', async () => {
    const synced: string[] = [];
    const failing = (code: string) => async (path: string) => {
      if (path === dir) throw Object.assign(new Error(code), { code });
      synced.push(path);
    };
    await makeDirectory(`${dir}/a/b`, failing('EACCES'));
    expect(synced).toEqual([`${dir}/a`]);
    await expect(makeDirectory(`${dir}/c`, failing('EIO'))).rejects.toMatchObject({ code: 'EIO' });
  });

  test('a folder that is made by somebody else meanwhile -> both find it', async () => {
    const path = `${dir}/a/b/c/d/e/f`;
    await Promise.all(Array.from({ length: 8 }, () => makeDirectory(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  });

  // Linux says there of a name that nobody can make that a folder is missing, and Node tries for ever.
  test('where none can be made -> STORAGE_IO', async (context) => {
    context.skip(!existsSync('/proc/self'), 'no folder in which nobody can make any');
    for (const path of ['/proc/nope', '/proc/nope/below']) {
      await expect(fs.makeDirectory(path)).rejects.toMatchObject({
        code: 'STORAGE_IO',
        message: expect.stringContaining(path),
        cause: { code: 'ENOENT' },
      });
    }
  });

  test('list -> in ascending order by code unit; nothing for a missing folder', async () => {
    for (const name of ['b', 'a', 'B', '10', '9']) {
      await (await fs.open(`${dir}/${name}`, 'create')).close();
    }
    expect(await fs.list(dir)).toEqual(['10', '9', 'B', 'a', 'b']);
    expect(await fs.list(`${dir}/none`)).toEqual([]);
  });

  test('rename -> replaces; remove -> files and whole folders, silent when there is none', async () => {
    writeFileSync(`${dir}/a`, 'a');
    writeFileSync(`${dir}/b`, 'b');
    await fs.rename(`${dir}/a`, `${dir}/b`);
    expect(await fs.list(dir)).toEqual(['b']);
    expect(await fs.readFile(`${dir}/b`)).toEqual(bytes(97));
    await fs.makeDirectory(`${dir}/x/y`);
    writeFileSync(`${dir}/x/y/z`, '');
    for (const name of ['x', 'x', 'b', 'none/at/all']) await fs.remove(`${dir}/${name}`);
    expect(await fs.list(dir)).toEqual([]);
  });

  test('a locked directory that cannot be looked at any more -> STORAGE_IO with the cause', async () => {
    const above = `${dir}/above`;
    const place = `${above}/place`;
    mkdirSync(place, { recursive: true });
    chmodSync(dir, 0o711);
    const lock = await fs.lock(place);
    chmodSync(above, 0);
    await unprivileged(async () => {
      for (const act of [
        () => fs.open(`${place}/file`, 'create'),
        () => fs.rename(`${place}/file`, `${place}/other`),
        () => fs.remove(`${place}/file`),
      ]) {
        await expect(act()).rejects.toMatchObject({
          code: 'STORAGE_IO',
          message: expect.stringContaining(`look at ${place}`),
          cause: { code: 'EACCES' },
        });
      }
    });
    chmodSync(above, 0o700);
    await lock.release();
  });

  test('syncDirectory -> resolves for a folder', async () => {
    await expect(fs.syncDirectory(dir)).resolves.toBeUndefined();
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ['create over a file', 'EEXIST', () => fs.open(`${dir}/file`, 'create')],
    ['create in a missing folder', 'ENOENT', () => fs.open(`${dir}/none/file`, 'create')],
    ['open a missing file to read', 'ENOENT', () => fs.open(`${dir}/none`, 'read')],
    ['open a missing file to write', 'ENOENT', () => fs.open(`${dir}/none`, 'read-write')],
    ['read a folder as a file', 'EISDIR', () => fs.readFile(dir)],
    ['a folder below a file', 'ENOTDIR', () => fs.makeDirectory(`${dir}/file/a`)],
    ['a folder where a file is', 'EEXIST', () => fs.makeDirectory(`${dir}/file`)],
    ['list a file', 'ENOTDIR', () => fs.list(`${dir}/file`)],
    ['rename a missing file', 'ENOENT', () => fs.rename(`${dir}/none`, `${dir}/a`)],
    ['sync a missing folder', 'ENOENT', () => fs.syncDirectory(`${dir}/none`)],
  ])('%s -> STORAGE_IO with the cause and the path', async (_, reason, act) => {
    writeFileSync(`${dir}/file`, '');
    await expect(act()).rejects.toMatchObject({
      code: 'STORAGE_IO',
      message: expect.stringContaining(dir),
      cause: { code: reason },
    });
    expect(await fs.list(dir)).toEqual(['file']);
  });

  test('readFile -> its bytes, none of an empty one, undefined of a missing one', async () => {
    writeFileSync(`${dir}/file`, bytes(0, 255, 7));
    writeFileSync(`${dir}/empty`, '');
    expect(await fs.readFile(`${dir}/file`)).toEqual(bytes(0, 255, 7));
    expect(await fs.readFile(`${dir}/empty`)).toEqual(bytes());
    expect(await fs.readFile(`${dir}/none`)).toBeUndefined();
    expect(Object.getPrototypeOf(await fs.readFile(`${dir}/file`))).toBe(Uint8Array.prototype);
  });
});

describe.each([
  ['a file', { urgent: false }],
  ['an urgent file', { urgent: true }],
])('%s', (_, options) => {
  test('written anywhere -> read back, short only at its end', async () => {
    await withFile(options, async (file) => {
      await file.write(3, [bytes(1, 2), bytes(), bytes(3)]);
      await file.write(0, []);
      await file.write(1, [bytes()]);
      expect(await file.size()).toBe(6);
      expect(await file.read(0, 100)).toEqual(bytes(0, 0, 0, 1, 2, 3));
      expect(await file.read(4, 1)).toEqual(bytes(2));
      expect(await file.read(6, 10)).toEqual(bytes());
      expect(await file.read(100, 10)).toEqual(bytes());
      expect(await file.read(2, 0)).toEqual(bytes());
      await file.sync();
    });
    const reader = await fs.open(`${dir}/file`, 'read', options);
    expect(await reader.read(5, 5)).toEqual(bytes(3));
    await expect(reader.write(0, [bytes(1)])).rejects.toMatchObject({ code: 'STORAGE_IO' });
    await reader.close();
  });

  test('more chunks than one system call takes, some of them empty -> all of them, in order', async () => {
    const chunks = Array.from({ length: 5_000 }, (_, at) =>
      new Uint8Array(at % 5 === 0 ? 0 : (at % 7) + 1).fill(at),
    );
    const expected = Buffer.concat(chunks);
    await withFile(options, async (file) => {
      await file.write(11, chunks);
      expect(await file.size()).toBe(11 + expected.length);
      expect(Buffer.compare(await file.read(11, 1 << 20), expected)).toBe(0);
    });
  });

  test('parts of larger buffers -> those parts', async () => {
    const whole = Uint8Array.from({ length: 100 }, (_, at) => at);
    await withFile(options, async (file) => {
      await file.write(0, [whole.subarray(10, 12), whole.subarray(50, 51)]);
      expect(await file.read(0, 10)).toEqual(bytes(10, 11, 50));
    });
  });

  test('truncate -> cuts, and extends with zeros', async () => {
    await withFile(options, async (file) => {
      await file.write(0, [bytes(1, 2, 3, 4)]);
      await file.truncate(2);
      expect(await file.size()).toBe(2);
      await file.truncate(5);
      expect(await file.read(0, 10)).toEqual(bytes(1, 2, 0, 0, 0));
    });
  });

  test('writes of disjoint ranges at once -> all of them', async () => {
    await withFile(options, async (file) => {
      const parts = Array.from({ length: 40 }, (_, at) => at);
      await Promise.all(parts.map((at) => file.write(at * 3, [bytes(at, at, at)])));
      await file.sync();
      expect(await file.read(0, 200)).toEqual(Uint8Array.from(parts.flatMap((at) => [at, at, at])));
    });
  });

  test('closed -> every call rejects, closing again does not', async () => {
    const file = await fs.open(`${dir}/file`, 'create', options);
    await Promise.all([file.close(), file.close()]);
    await file.close();
    const calls = [
      () => file.size(),
      () => file.read(0, 1),
      () => file.write(0, [bytes(1)]),
      () => file.sync(),
      () => file.truncate(0),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: 'STORAGE_IO' });
    }
  });

  test('a sync that failed -> writing, cutting and syncing are refused for good', async () => {
    // A number that is no open file: the platform refuses to sync it.
    const calls = options.urgent ? new DiskThread() : fileCalls;
    const file = new NodeFile(2 ** 30, 'gone', calls);
    await expect(file.sync()).rejects.toMatchObject({
      code: 'STORAGE_IO',
      cause: { code: 'EBADF' },
    });
    for (const call of [
      () => file.sync(),
      () => file.write(0, [bytes(1)]),
      () => file.truncate(0),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: 'STORAGE_IO',
        message: expect.stringContaining('an earlier sync of this file failed'),
        cause: { code: 'EBADF' },
      });
    }
  });

  test('a write that a sync follows -> both are done, each tells its own', async () => {
    const file = await fs.open(`${dir}/file`, 'create', options);
    for (let nth = 1; nth < 4; nth += 1) {
      await file.write(nth, [bytes(nth), bytes(nth)], { thenSync: true });
      await file.sync();
    }
    expect(await file.read(0, 9)).toEqual(bytes(0, 1, 2, 3, 3));
    await file.close();
  });

  test('a write that a sync follows, which fails -> the write resolves, the sync does not', async (context) => {
    context.skip(process.platform !== 'linux', 'no device that cannot be synced');
    // It takes anything, and cannot be synced.
    const file = await fs.open('/dev/null', 'read-write', options);
    await file.write(0, [bytes(1)], { thenSync: true });
    const refused = { code: 'STORAGE_IO', cause: { code: 'EINVAL' } };
    await expect(file.sync()).rejects.toMatchObject(refused);
    const message = expect.stringContaining('an earlier sync of this file failed');
    for (const call of [() => file.write(0, [bytes(1)]), () => file.truncate(0)]) {
      await expect(call()).rejects.toMatchObject({ ...refused, message });
    }
    await file.close();
  });

  test('a write that a sync follows, on a full disk -> NO_SPACE, no sync is tried', async (context) => {
    context.skip(!existsSync('/dev/full'), 'no device that is always full');
    const file = await fs.open('/dev/full', 'read-write', options);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const written = file.write(0, [bytes(1)], { thenSync: true });
      await expect(written).rejects.toMatchObject({ code: 'NO_SPACE' });
    }
    await file.close();
  });

  test('a write that failed for another reason than space -> only cut and closed from then on', async () => {
    writeFileSync(`${dir}/file`, bytes(1, 2, 3, 4));
    // Open for reading alone: the platform refuses to write, and to cut as well.
    const file = await fs.open(`${dir}/file`, 'read', options);
    await expect(file.write(0, [bytes(9)])).rejects.toMatchObject({ cause: { code: 'EBADF' } });
    for (const call of [() => file.sync(), () => file.write(0, [bytes(1)])]) {
      await expect(call()).rejects.toMatchObject({
        code: 'STORAGE_IO',
        message: expect.stringContaining('an earlier write of this file failed'),
        cause: { cause: { code: 'EBADF' } },
      });
    }
    // It gets as far as the platform.
    await expect(file.truncate(0)).rejects.toMatchObject({ cause: { code: 'EINVAL' } });
    expect(await file.read(0, 4)).toEqual(bytes(1, 2, 3, 4));
    await file.close();
  });

  test('a full disk -> NO_SPACE, and the file is usable when there is space', async (context) => {
    context.skip(!existsSync('/dev/full'), 'no device that is always full');
    const file = await fs.open('/dev/full', 'read-write');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(file.write(0, [bytes(1)])).rejects.toMatchObject({
        code: 'NO_SPACE',
        cause: { code: 'ENOSPC' },
      });
    }
    await file.close();
  });

  test('no right to read -> STORAGE_IO, unless nothing is forbidden to this user', async () => {
    writeFileSync(`${dir}/file`, '');
    chmodSync(`${dir}/file`, 0);
    const opening = fs.open(`${dir}/file`, 'read', options);
    if (process.getuid?.() === 0) await (await opening).close();
    else await expect(opening).rejects.toMatchObject({ code: 'STORAGE_IO' });
  });
});

describe('errors', () => {
  test.each([
    ['ENOSPC', 'NO_SPACE'],
    ['EDQUOT', 'NO_SPACE'],
    ['EIO', 'STORAGE_IO'],
    ['EMFILE', 'STORAGE_IO'],
  ])('%s -> %s', (reason, code) => {
    const cause = Object.assign(new Error(`${reason}: no`), { code: reason });
    expect(ioError(cause, 'write it')).toMatchObject({
      code,
      message: `write it: ${reason}: no`,
      cause,
    });
  });
});

describe('crc32', () => {
  test('any bytes and seed -> as the portable one', () => {
    const data = Uint8Array.from({ length: 300 }, (_, at) => (at * 37) & 0xff);
    for (const seed of [0, 1, 0xffff_ffff]) {
      for (const length of [0, 1, 7, 300]) {
        expect(fs.crc32(data.subarray(0, length), seed)).toBe(
          crc32(data.subarray(0, length), seed),
        );
      }
    }
    expect(fs.crc32(data)).toBe(crc32(data));
  });
});
