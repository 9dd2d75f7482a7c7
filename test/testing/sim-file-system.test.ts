// The file system of one machine: what a process sees, and what is left after it crashed.
import { beforeEach, describe, expect, test } from 'vitest';
import type { FileSystem, StorageFile } from '../../src/storage/file-system.js';
import type { SimMachine } from '../../src/testing/sim-machine.js';
import { Simulator } from '../../src/testing/simulator.js';

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

let sim: Simulator;
let machine: SimMachine;
let fs: FileSystem;

const boot = (seed: number): void => {
  sim = new Simulator({ seed });
  machine = sim.machine('n1');
  fs = machine.boot().fs;
};
const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 100);
const reboot = (): void => {
  machine.crash();
  fs = machine.boot().fs;
};
const createDurable = async (path: string, content: Uint8Array): Promise<StorageFile> => {
  const file = await done(fs.open(path, 'create'));
  await done(file.write(0, [content]));
  await done(file.sync());
  await done(fs.syncDirectory('data'));
  return file;
};

beforeEach(() => boot(1));

describe('a living process', () => {
  test('writes, cuts and extends -> reads see the newest, gaps are zero', async () => {
    const file = await done(fs.open('data/a', 'create'));
    await done(file.write(2, [bytes(2, 7), bytes(1, 8)]));
    expect(await done(file.read(0, 100))).toEqual(Uint8Array.of(0, 0, 7, 7, 8));
    expect(await done(file.read(3, 1))).toEqual(Uint8Array.of(7));
    await done(file.truncate(3));
    await done(file.truncate(5));
    expect(await done(file.size())).toBe(5);
    expect(await done(fs.readFile('/data/a'))).toEqual(Uint8Array.of(0, 0, 7, 0, 0));
    expect(await done(fs.readFile('data/b'))).toBeUndefined();
  });

  test('a write -> not visible before it settled, wherever time stands', async () => {
    const file = await done(fs.open('data/a', 'create'));
    const writing = file.write(0, [bytes(4, 1)]);
    expect(machine.disk.usedBytes).toBe(0);
    await done(writing);
    expect(machine.disk.usedBytes).toBe(4);
  });

  test('names -> listed in order, renamed over, removed with all inside', async () => {
    await done(fs.makeDirectory('data/x/y'));
    for (const name of ['b', 'a']) await done(fs.open(`data/x/${name}`, 'create'));
    expect(await done(fs.list('data/x'))).toEqual(['a', 'b', 'y']);
    await done(fs.rename('data/x/b', 'data/x/a'));
    await done(fs.rename('data/x', 'data/z'));
    expect(await done(fs.list('data'))).toEqual(['z']);
    expect(await done(fs.list('data/z'))).toEqual(['a', 'y']);
    await done(fs.remove('data/z'));
    await done(fs.remove('data/z'));
    expect(await done(fs.list('data'))).toEqual([]);
    expect(await done(fs.list('nowhere'))).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['create over a file', () => fs.open('data/a', 'create')],
    ['create in a missing folder', () => fs.open('none/a', 'create')],
    ['open a missing file', () => fs.open('data/b', 'read-write')],
    ['open a folder', () => fs.open('data', 'read')],
    ['read a folder', () => fs.readFile('data')],
    ['folder over a file', () => fs.makeDirectory('data/a/b')],
    ['rename a missing file', () => fs.rename('data/b', 'data/c')],
    ['rename a file over a folder', () => fs.rename('data/a', 'data')],
    ['sync a missing folder', () => fs.syncDirectory('none')],
    ['lock a missing folder', () => fs.lock('none')],
    ['leave the disk', () => fs.readFile('../a')],
  ])('%s -> STORAGE_IO', async (_, act) => {
    await done(fs.open('data/a', 'create'));
    await expect(done(act())).rejects.toMatchObject({ code: 'STORAGE_IO' });
  });

  test('a closed handle, a read-only handle -> STORAGE_IO', async () => {
    const file = await done(fs.open('data/a', 'create'));
    const reader = await done(fs.open('data/a', 'read'));
    const code = { code: 'STORAGE_IO' };
    await expect(done(reader.write(0, [bytes(1, 1)]))).rejects.toMatchObject(code);
    await done(file.close());
    await expect(done(file.size())).rejects.toMatchObject(code);
    await expect(done(file.sync())).rejects.toMatchObject(code);
    await done(file.close());
  });

  test('overlapping writes -> assertion; a held lock -> DIR_LOCKED until released', async () => {
    const file = await done(fs.open('data/a', 'create'));
    const first = file.write(0, [bytes(4, 1)]);
    expect(() => file.write(3, [bytes(1, 1)])).toThrow(
      expect.objectContaining({ code: 'ASSERTION' }),
    );
    await done(Promise.all([first, file.write(4, [bytes(1, 1)])]));

    const lock = await done(fs.lock('data'));
    await expect(done(fs.lock('/data/'))).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    await done(lock.release());
    const again = await done(fs.lock('data'));
    await done(lock.release());
    await expect(done(fs.lock('data'))).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    await done(again.release());
  });

  test('a byte budget -> NO_SPACE without effect, until there is room', async () => {
    const file = await done(fs.open('data/a', 'create'));
    machine.disk.byteBudget = 10;
    await done(file.write(0, [bytes(8, 1)]));
    await expect(done(file.write(8, [bytes(3, 1)]))).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(await done(file.size())).toBe(8);
    await done(file.write(6, [bytes(4, 2)]));
    machine.disk.byteBudget = 20;
    await done(file.truncate(20));
  });
});

describe('a crash', () => {
  test('operations in flight, timers -> never settle, never fire, never take effect', async () => {
    machine.crash();
    const first = machine.boot();
    const file = await done(first.fs.open('data/a', 'create'));
    let settled = 0;
    const count = (): void => {
      settled += 1;
    };
    const start = (): void => {
      void file.write(0, [bytes(4, 1)]).then(count, count);
      void file.sync().then(count, count);
      void first.fs.rename('data/a', 'data/b').then(count, count);
      void first.openEngine('data/state').then(count, count);
      void first.transport.listen().then(count, count);
      first.timers.after(1, count);
      first.timers.soon(count);
    };
    start();
    machine.crash('process');
    start();
    const again = machine.boot();
    await sim.run(1_000);
    expect(settled).toBe(0);
    expect(await done(again.fs.list('data'))).toEqual(['a']);
    expect(await done(again.fs.readFile('data/a'))).toEqual(bytes(0, 0));
  });

  test('a lock -> free for the next process', async () => {
    await done(fs.lock('data'));
    reboot();
    await done(fs.lock('data'));
  });

  test('process crash -> the page cache lives on, unsynced names too', async () => {
    const file = await done(fs.open('data/a', 'create'));
    await done(file.write(0, [bytes(2_000, 3)]));
    machine.crash('process');
    fs = machine.boot().fs;
    expect(await done(fs.readFile('data/a'))).toEqual(bytes(2_000, 3));
  });

  test('unsynced sectors -> each is old or new, over seeds: all, none and a torn mix', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 40; seed += 1) {
      boot(seed);
      const file = await createDurable('data/a', bytes(4 * 512, 1));
      await done(file.write(512, [bytes(3 * 512, 2)]));
      reboot();
      const left = (await done(fs.readFile('data/a')))!;
      expect(left.length).toBe(4 * 512);
      const sectors = [0, 1, 2, 3].map((at) => left.subarray(at * 512, (at + 1) * 512));
      for (const sector of sectors) expect([bytes(512, 1), bytes(512, 2)]).toContainEqual(sector);
      expect(sectors[0]).toEqual(bytes(512, 1));
      outcomes.add(sectors.map((sector) => sector[0]).join(''));
    }
    expect(outcomes).toContain('1111');
    expect(outcomes).toContain('1222');
    expect(outcomes.size).toBeGreaterThan(4);
  });

  test('unsynced growth -> size old or new, lost sectors inside are zero', async () => {
    const sizes = new Set<number>();
    let zeros = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      boot(seed);
      const file = await createDurable('data/a', bytes(100, 1));
      await done(file.write(100, [bytes(1_000, 2)]));
      await done(file.write(1_100, [bytes(900, 3)]));
      reboot();
      const left = (await done(fs.readFile('data/a')))!;
      sizes.add(left.length);
      expect(left.subarray(0, 100)).toEqual(bytes(100, 1));
      if (left.length > 512 && left.subarray(512, 1_024).every((byte) => byte === 0)) zeros += 1;
    }
    expect(sizes).toEqual(new Set([100, 1_100, 2_000]));
    expect(zeros).toBeGreaterThan(0);
  });

  test('a cut that did not survive -> what was written behind it before and since is gone too', async () => {
    const sizes = new Set<number>();
    for (let seed = 1; seed <= 60; seed += 1) {
      boot(seed);
      const file = await createDurable('data/a', bytes(4 * 512, 1));
      await done(file.write(3 * 512, [bytes(512, 2)]));
      await done(file.truncate(512));
      await done(file.write(2 * 512, [bytes(512, 3)]));
      reboot();
      const left = (await done(fs.readFile('data/a')))!;
      sizes.add(left.length);
      if (left.length === 4 * 512) expect(left).toEqual(bytes(4 * 512, 1));
    }
    expect(sizes).toEqual(new Set([512, 3 * 512, 4 * 512]));
  });

  test('a sync under way -> its data is durable or not, over seeds', async () => {
    const left = new Set<number>();
    for (let seed = 1; seed <= 30; seed += 1) {
      boot(seed);
      const file = await createDurable('data/a', bytes(512, 1));
      await done(file.write(0, [bytes(512, 2)]));
      void file.sync();
      reboot();
      left.add((await done(fs.readFile('data/a')))![0]!);
    }
    expect(left).toEqual(new Set([1, 2]));
  });

  test('a sync covers what settled before its call, nothing later', async () => {
    const left = new Set<number>();
    for (let seed = 1; seed <= 30; seed += 1) {
      boot(seed);
      const file = await createDurable('data/a', bytes(512, 1));
      const writing = file.write(0, [bytes(512, 2)]);
      const syncing = file.sync();
      await done(Promise.all([writing, syncing]));
      reboot();
      left.add((await done(fs.readFile('data/a')))![0]!);
    }
    expect(left).toEqual(new Set([1, 2]));
  });

  test('a name before its folder was synced -> may be gone; after -> never', async () => {
    const found = new Set<number>();
    for (let seed = 1; seed <= 30; seed += 1) {
      boot(seed);
      await createDurable('data/kept', bytes(10, 1));
      const file = await done(fs.open('data/new', 'create'));
      await done(file.write(0, [bytes(10, 2)]));
      await done(file.sync());
      reboot();
      expect(await done(fs.readFile('data/kept'))).toEqual(bytes(10, 1));
      const left = await done(fs.readFile('data/new'));
      if (left !== undefined) expect(left).toEqual(bytes(10, 2));
      found.add(left?.length ?? 0);
    }
    expect(found).toEqual(new Set([0, 10]));
  });

  test('a rename before its folder was synced -> one of both names, never both or none', async () => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 30; seed += 1) {
      boot(seed);
      await createDurable('data/current', bytes(10, 1));
      await createDurable('data/next', bytes(10, 2));
      await done(fs.rename('data/next', 'data/current'));
      reboot();
      const current = (await done(fs.readFile('data/current')))!;
      const names = await done(fs.list('data'));
      expect(names).toEqual(current[0] === 2 ? ['current'] : ['current', 'next']);
      found.add(names.join());
    }
    expect(found.size).toBe(2);
  });

  test('a new folder whose parent was not synced -> may be gone with all in it', async () => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 30; seed += 1) {
      boot(seed);
      await done(fs.makeDirectory('data/wal'));
      const file = await done(fs.open('data/wal/a', 'create'));
      await done(file.sync());
      await done(fs.syncDirectory('data/wal'));
      reboot();
      found.add(`${await done(fs.list('data'))} ${await done(fs.list('data/wal'))}`);
    }
    expect(found).toEqual(new Set(['wal a', ' ']));
  });

  test('a failed sync -> STORAGE_IO, data readable until power goes, later syncs do not save it', async () => {
    const file = await createDurable('data/a', bytes(512, 1));
    await done(file.write(0, [bytes(512, 2)]));
    machine.disk.failSync('data/a');
    await expect(done(file.sync())).rejects.toMatchObject({ code: 'STORAGE_IO' });
    await done(file.sync());
    expect(await done(fs.readFile('data/a'))).toEqual(bytes(512, 2));
    reboot();
    expect(await done(fs.readFile('data/a'))).toEqual(bytes(512, 1));
  });

  test('a flipped bit -> read back wrong, before and after a crash', async () => {
    await createDurable('data/a', bytes(4, 1));
    machine.disk.flipBit('data/a', { offset: 2, bit: 3 });
    expect(await done(fs.readFile('data/a'))).toEqual(Uint8Array.of(1, 1, 9, 1));
    reboot();
    expect(await done(fs.readFile('data/a'))).toEqual(Uint8Array.of(1, 1, 9, 1));
  });
});
