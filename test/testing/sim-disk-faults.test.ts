// Faults that a test switches on: syncs that fail or lie, full disks, reads and opens that fail, garbage
// where data was lost, and their likes in an engine.
import { beforeEach, describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import type { FileSystem, StorageFile } from '../../src/storage/file-system.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { type SimMachine, Simulator } from '../../src/testing/index.js';

const sector = 512;
const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const code = (expected: string) => (error: unknown) =>
  isKontikiError(error) && error.code === expected;

let sim: Simulator;
let machine: SimMachine;
let fs: FileSystem;

const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 1_000);

function begin(seed: number): void {
  sim = new Simulator({ seed, traceLines: 0 });
  machine = sim.machine('n1');
  fs = machine.boot().fs;
}

function reboot(): void {
  machine.crash('power');
  fs = machine.boot().fs;
}

/** A durable file of one sector of ones. */
async function createFile(): Promise<StorageFile> {
  const file = await done(fs.open('data/a', 'create'));
  await done(file.write(0, [fill(sector, 1)]));
  await done(file.sync());
  await done(fs.syncDirectory('data'));
  return file;
}

beforeEach(() => begin(1));

describe('a sync that fails', () => {
  test('data kept -> the error, and a later sync saves it', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      begin(seed);
      const file = await createFile();
      await done(file.write(0, [fill(2 * sector, 2)]));
      machine.disk.failSync('data/a', { data: 'kept', reports: 'NO_SPACE' });
      await expect(done(file.sync())).rejects.toSatisfy(code('NO_SPACE'));
      await done(file.sync());
      reboot();
      expect(await done(fs.readFile('data/a'))).toEqual(fill(2 * sector, 2));
    }
  });

  test('data kept, another sync under way -> what that made durable stays', async () => {
    const file = await createFile();
    await done(file.write(sector, [fill(sector, 2)]));
    machine.disk.failSync('data/a', { data: 'kept' });
    const failing = expect(file.sync()).rejects.toSatisfy(code('STORAGE_IO'));
    await done(file.write(2 * sector, [fill(sector, 3)]));
    await done(file.sync());
    await failing;
    await done(file.sync());
    reboot();
    expect(await done(fs.readFile('data/a'))).toHaveLength(3 * sector);
  });

  test('data kept, no later sync -> old or new at the power loss, over seeds', async () => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 20; seed += 1) {
      begin(seed);
      const file = await createFile();
      await done(file.write(0, [fill(sector, 2)]));
      machine.disk.failSync('data/a', { data: 'kept' });
      await expect(done(file.sync())).rejects.toSatisfy(code('STORAGE_IO'));
      reboot();
      seen.add((await done(fs.readFile('data/a')))![0]!);
    }
    expect([...seen].sort()).toEqual([1, 2]);
  });

  test('of a folder -> the error, and the name may be gone after a power loss', async () => {
    const left = new Set<number>();
    for (let seed = 1; seed <= 20; seed += 1) {
      begin(seed);
      await done(fs.open('data/b', 'create'));
      machine.disk.failDirectorySync('data');
      await expect(done(fs.syncDirectory('data'))).rejects.toSatisfy(code('STORAGE_IO'));
      expect(await done(fs.list('data'))).toEqual(['b']);
      if (seed % 2 === 0) await done(fs.syncDirectory('data'));
      reboot();
      const names = await done(fs.list('data'));
      if (seed % 2 === 0) expect(names).toEqual(['b']);
      else left.add(names.length);
    }
    expect([...left].sort()).toEqual([0, 1]);
  });
});

describe('a sync that lies', () => {
  test('one, its data lost -> success, readable, gone after the power loss', async () => {
    const file = await createFile();
    await done(file.write(0, [fill(sector, 2)]));
    machine.disk.failSync('data/a', { reports: 'success' });
    await done(file.sync());
    await done(file.sync());
    expect((await done(file.read(0, 1)))[0]).toBe(2);
    reboot();
    expect(await done(fs.readFile('data/a'))).toEqual(fill(sector, 1));
  });

  test('all of them -> files and names, old or new over seeds, old ones safe', async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 40; seed += 1) {
      begin(seed);
      const file = await createFile();
      machine.disk.lyingSyncs = true;
      await done(file.write(0, [fill(sector, 2)]));
      await done(file.sync());
      await done(fs.open('data/b', 'create'));
      await done(fs.syncDirectory('data'));
      reboot();
      const names = await done(fs.list('data'));
      expect(names).toContain('a');
      seen.add(`${(await done(fs.readFile('data/a')))![0]} ${names.length}`);
    }
    expect([...seen].sort()).toEqual(['1 1', '1 2', '2 1', '2 2']);
  });
});

describe('other faults', () => {
  test('garbage -> lost sectors of a file that grew are never zero throughout', async () => {
    let lost = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      begin(seed);
      machine.disk.fill = 'garbage';
      const file = await createFile();
      await done(file.write(0, [fill(4 * sector, 2)]));
      reboot();
      const left = (await done(fs.readFile('data/a')))!;
      for (let from = 0; from < left.length; from += sector) {
        const part = left.subarray(from, from + sector);
        const isKnown = part.every((byte) => byte === 2 || (from === 0 && byte === 1));
        if (isKnown) continue;
        lost += 1;
        expect(from).toBeGreaterThan(0);
        expect(part.some((byte) => byte !== 0)).toBe(true);
      }
    }
    expect(lost).toBeGreaterThan(5);
  });

  test('a write that does not fit -> nothing of it, or the part that fits', async () => {
    for (const partialWrites of [false, true]) {
      begin(1);
      const file = await createFile();
      machine.disk.partialWrites = partialWrites;
      machine.disk.byteBudget = sector + 10;
      const write = file.write(sector - 4, [fill(6, 3), fill(2, 4), fill(100, 5)]);
      await expect(done(write)).rejects.toSatisfy(code('NO_SPACE'));
      const tail = (await done(file.read(0, 2_000))).subarray(sector - 4);
      const part = [3, 3, 3, 3, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5];
      expect([...tail]).toEqual(partialWrites ? part : [1, 1, 1, 1]);
    }
  });

  test('a read that fails -> once', async () => {
    const file = await createFile();
    machine.disk.failRead('data/a');
    await expect(done(file.read(0, 1))).rejects.toSatisfy(code('STORAGE_IO'));
    expect(await done(file.read(0, 1))).toEqual(fill(1, 1));
    machine.disk.failRead('data/a');
    await expect(done(fs.readFile('data/a'))).rejects.toSatisfy(code('STORAGE_IO'));
  });

  test('too many open files -> STORAGE_IO until one is closed, or the process dies', async () => {
    machine.disk.openFilesMax = 1;
    const file = await createFile();
    await expect(done(fs.open('data/b', 'create'))).rejects.toMatchObject({
      code: 'STORAGE_IO',
      cause: { code: 'EMFILE' },
    });
    expect(await done(fs.list('data'))).toEqual(['a']);
    await done(file.close());
    await done(file.close());
    await done(fs.open('data/a', 'read'));
    expect(machine.disk.openFiles).toBe(1);
    reboot();
    expect(machine.disk.openFiles).toBe(0);
  });
});

describe('an engine', () => {
  let engine: KvEngine;
  const put = (key: string, n: number): Promise<void> =>
    done(engine.write([[key, fill(2, n)]], { sync: true }));
  const keys = (): string[] =>
    machine.engineDisk
      .view('data/state')
      .pairs()
      .map(([key]) => key);

  async function open(seed: number): Promise<void> {
    sim = new Simulator({ seed, traceLines: 0 });
    machine = sim.machine('n1');
    engine = await done(machine.boot().openEngine('data/state'));
  }

  test('a write that fails -> the error once, the batch there or not', async () => {
    for (const kept of [false, true]) {
      await open(1);
      await put('a', 1);
      machine.engineDisk.failWrite('data/state', { code: 'NO_SPACE', kept });
      await expect(put('b', 2)).rejects.toSatisfy(code('NO_SPACE'));
      expect(keys()).toEqual(kept ? ['a', 'b'] : ['a']);
      // As of LevelDB: it takes nothing more.
      await expect(put('c', 3)).rejects.toSatisfy(code('STORAGE_IO'));
    }
  });

  test('synced writes that lie -> over seeds a power loss takes any number of them', async () => {
    const left = new Set<number>();
    for (let seed = 1; seed <= 30; seed += 1) {
      await open(seed);
      await put('a', 1);
      machine.engineDisk.lie('data/state');
      await put('b', 1);
      await put('c', 1);
      machine.crash('power');
      expect(keys()[0]).toBe('a');
      left.add(keys().length);
    }
    expect([...left].sort()).toEqual([1, 2, 3]);
  });

  test('a flipped bit of a value -> read back wrong, synced as it was', async () => {
    await open(1);
    await put('a', 8);
    machine.engineDisk.flipBit('data/state', { key: 'a', offset: 1 });
    expect(await done(engine.getMany(['a']))).toEqual([Uint8Array.of(8, 9)]);
    expect(() => machine.engineDisk.flipBit('data/state', { key: 'x', offset: 0 })).toThrow(/byte/);
    machine.crash('power');
    expect(keys()).toEqual(['a']);
  });
});
