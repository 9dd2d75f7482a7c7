// One owner of a directory: across calls, threads, processes and their deaths.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { nodeFileSystem as fs, lockHolder } from '../../../src/storage/node-fs/index.js';
import { lockDirectory } from '../../../src/storage/node-fs/lock.js';
import { asOwner, unprivileged } from '../unprivileged.js';

let dir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/kontiki-lock-`);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const lockPath = (): string => `${dir}/lock`;
const holder = (): { pid: number; startedAt: string } =>
  JSON.parse(readFileSync(lockPath(), 'utf8'));
const locked = (who: string) => ({
  code: 'DIR_LOCKED',
  message: expect.stringContaining(who),
});

/** Another process that locks the directory and then waits; resolves when it holds the lock. */
async function lockElsewhere(): Promise<ChildProcess> {
  const url = new URL('../../../src/storage/node-fs/index.ts', import.meta.url).href;
  const script = `
    const { nodeFileSystem } = await import(${JSON.stringify(url)});
    await nodeFileSystem.lock(${JSON.stringify(dir)});
    console.log('locked');
    setInterval(() => {}, 1e6);
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${complaint}`)));
  });
  return child;
}

const ended = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => child.once('exit', resolve));

describe('in one process', () => {
  test('held -> DIR_LOCKED by any path; released -> free', async () => {
    const lock = await fs.lock(dir);
    expect(readdirSync(dir)).toEqual(['lock']);
    expect(holder().pid).toBe(process.pid);
    expect(await lockHolder(dir)).toBe(`process ${process.pid}`);
    symlinkSync(dir, `${dir}-link`);
    try {
      await expect(fs.lock(dir)).rejects.toMatchObject(locked('this process'));
      await expect(fs.lock(`${dir}/../${dir.split('/').at(-1)}/`)).rejects.toMatchObject(
        locked('this process'),
      );
      await expect(fs.lock(`${dir}-link`)).rejects.toMatchObject(locked('this process'));
    } finally {
      rmSync(`${dir}-link`);
    }
    expect(holder().pid).toBe(process.pid);
    await lock.release();
    expect(readdirSync(dir)).toEqual([]);
    expect(await lockHolder(dir)).toBeUndefined();
    const again = await fs.lock(dir);
    // Released long ago: it is not its lock any more.
    await lock.release();
    await expect(fs.lock(dir)).rejects.toMatchObject(locked('this process'));
    await again.release();
  });

  test('many at once -> one has it', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => fs.lock(dir)));
    const won = tries.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]!.value.release();
  });

  test('locked while the release is under way -> refused or held, never both gone', async () => {
    for (let round = 0; round < 20; round += 1) {
      const lock = await fs.lock(dir);
      const releasing = lock.release();
      const next = await fs.lock(dir).catch(() => undefined);
      await releasing;
      expect(readdirSync(dir)).toEqual(next === undefined ? [] : ['lock']);
      await next?.release();
    }
  });

  test('held by another thread, or another copy of this module -> DIR_LOCKED', async () => {
    const lock = await fs.lock(dir);
    const mine = readFileSync(lockPath());
    await lock.release();
    writeFileSync(lockPath(), mine);
    await expect(fs.lock(dir)).rejects.toMatchObject(locked(`process ${process.pid}`));
    expect(readFileSync(lockPath())).toEqual(mine);
  });

  test('two directories -> two locks', async () => {
    mkdirSync(`${dir}/a`);
    mkdirSync(`${dir}/b`);
    const locks = [await fs.lock(`${dir}/a`), await fs.lock(`${dir}/b`)];
    for (const lock of locks) await lock.release();
  });

  test('a directory that does not exist -> STORAGE_IO, and no lock is held', async () => {
    await expect(fs.lock(`${dir}/new`)).rejects.toMatchObject({
      code: 'STORAGE_IO',
      cause: { code: 'ENOENT' },
    });
    mkdirSync(`${dir}/new`);
    await (await fs.lock(`${dir}/new`)).release();
  });
});

describe('another lock beside the file', () => {
  const gone = JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'gone' });
  const refuse = () => Promise.reject(kontikiError('DIR_LOCKED', 'in another container'));

  test.each([
    ['of a holder that seems dead stays as it is', gone],
    ['of nobody is not left behind', undefined],
  ])('refused -> a file %s, and it can be tried again', async (_what, before) => {
    if (before !== undefined) writeFileSync(lockPath(), before);
    await expect(lockDirectory(dir, refuse)).rejects.toMatchObject(locked('in another container'));
    expect(readdirSync(dir)).toEqual(before === undefined ? [] : ['lock']);
    if (before !== undefined) expect(readFileSync(lockPath(), 'utf8')).toBe(before);
    await (await lockDirectory(dir)).release();
  });

  test('taken over from the dead or not -> held once, until the file is gone', async () => {
    for (const before of [gone, undefined]) {
      if (before !== undefined) writeFileSync(lockPath(), before);
      const seen: string[] = [];
      const note = (what: string) => void seen.push(`${what} with ${readdirSync(dir).join()}`);
      const lock = await lockDirectory(dir, async () => {
        note('taken');
        return { release: async () => note('released') };
      });
      expect(holder().pid).toBe(process.pid);
      await lock.release();
      expect(seen).toEqual([expect.stringContaining('taken with lock'), 'released with ']);
    }
  });

  test('a file that a process of this container holds -> the other lock is not asked for', async () => {
    writeFileSync(lockPath(), JSON.stringify({ pid: process.ppid }));
    await expect(lockDirectory(dir, refuse)).rejects.toMatchObject(
      locked(`process ${process.ppid}`),
    );
  });

  test('a file of this very process, which does not hold it -> the other lock decides', async () => {
    const lock = await lockDirectory(dir);
    const mine = readFileSync(lockPath());
    await lock.release();
    writeFileSync(lockPath(), mine);
    // Of another thread, or of one that ended: its file stays.
    await expect(lockDirectory(dir, refuse)).rejects.toMatchObject(locked('in another container'));
    expect(readFileSync(lockPath())).toEqual(mine);
    let isHeld = false;
    const again = await lockDirectory(dir, async () => {
      isHeld = true;
      return { release: async () => undefined };
    });
    expect(isHeld).toBe(true);
    await again.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('a file that could not be removed -> told, and the same process can lock it again', async () => {
    const beside = { release: async () => undefined };
    chmodSync(dir, 0o777);
    await unprivileged(async () => {
      const lock = await lockDirectory(dir, async () => beside);
      asOwner(() => chmodSync(dir, 0o555));
      await expect(lock.release()).rejects.toMatchObject({ code: 'STORAGE_IO' });
      asOwner(() => chmodSync(dir, 0o777));
      expect(readdirSync(dir)).toEqual(['lock']);
      await (await lockDirectory(dir, async () => beside)).release();
    });
    expect(readdirSync(dir)).toEqual([]);
  });

  test('taken -> what others left beside the file is cleared away, nothing else', async () => {
    const take = async () => ({ release: async () => undefined });
    const others = ['lock.txt', 'lock.7', 'lock.7.0.bak', 'block.7.0'];
    for (const name of ['lock.7.0', 'lock.4194305.12', ...others])
      writeFileSync(`${dir}/${name}`, '');
    const lock = await lockDirectory(dir, take);
    expect(readdirSync(dir).sort()).toEqual(['lock', ...others].sort());
    await lock.release();
  });

  test('what it wrote beside the file is cleared away meanwhile -> written again', async () => {
    writeFileSync(lockPath(), gone);
    const lock = await lockDirectory(dir, async () => {
      // As one does that had the directory until just now.
      for (const name of readdirSync(dir)) if (name !== 'lock') rmSync(`${dir}/${name}`);
      return { release: async () => undefined };
    });
    expect(holder().pid).toBe(process.pid);
    await lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('refused, and another one has taken the place meanwhile -> its file stays', async () => {
    const theirs = JSON.stringify({ pid: process.pid, thread: 77 });
    const overtaken = () => {
      writeFileSync(lockPath(), theirs);
      return refuse();
    };
    await expect(lockDirectory(dir, overtaken)).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    expect(readFileSync(lockPath(), 'utf8')).toBe(theirs);
  });

  test('another copy of this module holds it -> DIR_LOCKED: one process has one lock of the kernel', async () => {
    const lock = await lockDirectory(dir);
    vi.resetModules();
    const copy = await import('../../../src/storage/node-fs/lock.js');
    expect(copy.lockDirectory).not.toBe(lockDirectory);
    const take = async () => ({ release: async () => undefined });
    await expect(copy.lockDirectory(dir, take)).rejects.toMatchObject(locked('this process'));
    await lock.release();
    await (await copy.lockDirectory(dir, take)).release();
  });
});

describe('another process', () => {
  test('holds it -> DIR_LOCKED by its id; killed -> the lock is free', async () => {
    const child = await lockElsewhere();
    await expect(fs.lock(dir)).rejects.toMatchObject(locked(`process ${child.pid}`));
    expect(holder().pid).toBe(child.pid);
    expect(await lockHolder(dir)).toBe(`process ${child.pid}`);
    child.kill('SIGKILL');
    await ended(child);
    const lock = await fs.lock(dir);
    expect(holder().pid).toBe(process.pid);
    await lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('wants what this one holds -> ends with DIR_LOCKED', async () => {
    const lock = await fs.lock(dir);
    await expect(lockElsewhere()).rejects.toThrow(/ended with 1: .*DIR_LOCKED/s);
    expect(holder().pid).toBe(process.pid);
    await lock.release();
  });

  test('lives, under the id of one that died -> the lock is free', async () => {
    // The parent of the tests lives, but did not start then.
    const stale = { pid: process.ppid, startedAt: 'another boot 123' };
    writeFileSync(lockPath(), JSON.stringify(stale));
    await (await fs.lock(dir)).release();
  });

  test('lives, and does not say since when -> DIR_LOCKED', async () => {
    writeFileSync(lockPath(), JSON.stringify({ pid: process.ppid }));
    await expect(fs.lock(dir)).rejects.toMatchObject(locked(`process ${process.ppid}`));
  });
});

describe('another container', () => {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const elsewhere = (startedAt: string) =>
    writeFileSync(lockPath(), JSON.stringify({ pid: 7, startedAt, space: 'pid:[1]' }));

  test('a process of it -> told to who only looks; the engine decides whether it may be taken', async () => {
    elsewhere(`${boot} 12345`);
    expect(await lockHolder(dir)).toBe('process 7 of another container');
    await (await fs.lock(dir)).release();
  });

  test('before this machine was started -> nobody', async () => {
    elsewhere('another-boot 12345');
    expect(await lockHolder(dir)).toBeUndefined();
  });
});

describe.skipIf(process.platform === 'win32')('no room (skipped unless there is ulimit)', () => {
  test('for the lock file -> STORAGE_IO, and nothing is left behind', () => {
    const url = new URL('../../../src/storage/node-fs/index.ts', import.meta.url).href;
    const script = `
      const { nodeFileSystem } = await import(${JSON.stringify(url)});
      await nodeFileSystem.lock(${JSON.stringify(dir)}).catch(({ cause }) => console.log(cause.code));
    `;
    const command = `trap '' XFSZ; ulimit -f 0; exec "$0" --import tsx --input-type=module -e "$1"`;
    const { stdout } = spawnSync('sh', ['-c', command, process.execPath, script], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('EFBIG');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a lock left behind', () => {
  test.each([
    ['of a process that is no more', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'boot 5' })],
    [
      'of this process id in an earlier life',
      JSON.stringify({ pid: process.pid, startedAt: 'x 1' }),
    ],
    ['of this process id, without a start', JSON.stringify({ pid: process.pid })],
    ['that is empty', ''],
    ['that is not ours', '"hello"'],
  ])('%s -> taken over', async (_, content) => {
    writeFileSync(lockPath(), content);
    expect(await lockHolder(dir)).toBeUndefined();
    const lock = await fs.lock(dir);
    expect(holder().pid).toBe(process.pid);
    await lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a directory that is moved while it is locked', () => {
  const beside = async () => ({ release: async () => undefined });

  test.each(['moved', 'moved and linked to'])(
    '%s -> DIR_LOCKED by each of its paths',
    async (how) => {
      const [data, moved] = [`${dir}/data`, `${dir}/moved`];
      mkdirSync(data);
      const lock = await lockDirectory(data, beside);
      renameSync(data, moved);
      if (how === 'moved') mkdirSync(data);
      else symlinkSync('moved', data);
      for (const path of [data, moved]) {
        await expect(lockDirectory(path, beside)).rejects.toMatchObject(locked('this process'));
      }
      await lock.release();
    },
  );
});
