// Disks that fail under a snapshot: no space, failed and lying syncs, names that are lost. A snapshot
// that a store lists is whole; one that was refused leaves nothing behind.
import { beforeEach, describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { limits } from '../../../src/base/limits.js';
import { encodeMemberList } from '../../../src/codec/member-codec.js';
import type { ConfState } from '../../../src/raft/configuration.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import { SnapshotFiles } from '../../../src/storage/snapshot-files/store.js';
import type { SnapshotSink } from '../../../src/storage/snapshot-store.js';
import { type SimMachine, Simulator } from '../../../src/testing/index.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const dir = 'data/snap';
const last = { index: 5, term: 1 };
const path = `${dir}/0000000000000005-0000000000000001.snapshot`;
const temporary = `${path}.tmp`;
const content = Uint8Array.from({ length: 3_000 }, (_, at) => (at * 13) & 0xff);

let sim: Simulator;
let machine: SimMachine;
let fs: FileSystem;

const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 60_000);
const open = (): Promise<SnapshotFiles> => done(SnapshotFiles.open({ fs, dir }));
const create = (store: SnapshotFiles): Promise<SnapshotSink> =>
  done(store.create(last, { voters: [1] }));
const code = (expected: string) => (error: unknown) =>
  isKontikiError(error) && error.code === expected;

function begin(seed: number): void {
  sim = new Simulator({ seed, traceLines: 0 });
  machine = sim.machine('n1');
  fs = machine.boot().fs;
}

function reboot(): void {
  machine.crash('power');
  fs = machine.boot().fs;
}

async function read(store: SnapshotFiles): Promise<Uint8Array> {
  const meta = (await done(store.latest()))!;
  const parts: Uint8Array[] = [];
  const iterator = store.read(meta)[Symbol.asyncIterator]();
  for (;;) {
    const { done: isDone, value } = await done(iterator.next());
    if (isDone === true) return Buffer.concat(parts);
    parts.push(value);
  }
}

beforeEach(() => begin(1));

describe('the members in a header', () => {
  const most = Number.MAX_SAFE_INTEGER - 1;
  const ids = Array.from({ length: limits.membersMax }, (_, nth) => most - nth).reverse();
  /** Of three bytes each in UTF-8, which is the most for a character. */
  const text = '\u20ac'.repeat(limits.memberTextMax);
  const members = ids.map((id) => ({ id, name: text, address: text, promote: true }));
  const removed = Array.from({ length: limits.removedMembersMax }, (_, nth) => most - 1_000 - nth);
  const largest: ConfState = {
    ...{ voters: ids, votersOutgoing: ids, learners: ids, learnersNext: ids, autoLeave: true },
    context: encodeMemberList({ members, removed }),
  };

  test('as many as may be, with the longest names -> written, and read again', async () => {
    const store = await open();
    const sink = await done(store.create(last, largest));
    await done(sink.write(content));
    await done(sink.commit());
    expect(await done(store.latest())).toMatchObject({ configuration: largest });
    await done(store.close());
    const again = await open();
    expect(again.damaged).toEqual([]);
    expect(await done(again.latest())).toMatchObject({ configuration: largest });
    expect(Buffer.compare(await read(again), content)).toBe(0);
  });

  test('more than fit -> refused, no file is left open or behind, and the next one is taken', async () => {
    const store = await open();
    const context = new Uint8Array(1 << 20);
    await expect(done(store.create(last, { voters: [1], context }))).rejects.toThrow(
      "fits a snapshot's header",
    );
    expect(machine.disk.openFiles).toBe(0);
    expect(await done(fs.list(dir))).toEqual([]);
    const sink = await create(store);
    await done(sink.write(content));
    await done(sink.commit());
    expect(await done(store.list())).toHaveLength(1);
  });
});

describe('no space', () => {
  test.each([0, 40, 1_000, 3_060])('%d bytes left -> NO_SPACE, and all are back', async (room) => {
    machine.disk.partialWrites = true;
    const store = await open();
    machine.disk.byteBudget = machine.disk.usedBytes + room;
    const write = async (): Promise<void> => {
      const sink = await create(store);
      try {
        await done(sink.write(content));
        await done(sink.commit());
      } catch (error) {
        // What failed stays failed, whatever room there is now.
        machine.disk.byteBudget = Number.POSITIVE_INFINITY;
        await expect(done(sink.commit())).rejects.toBe(error);
        await done(sink.discard());
        throw error;
      }
    };
    await expect(write()).rejects.toSatisfy(code('NO_SPACE'));
    expect(await done(fs.list(dir))).toEqual([]);
    expect(machine.disk.openFiles).toBe(0);
    machine.disk.byteBudget = Number.POSITIVE_INFINITY;
    const sink = await create(store);
    await done(sink.write(content));
    await done(sink.commit());
    expect(Buffer.compare(await read(store), content)).toBe(0);
  });

  test('at the sync -> NO_SPACE, not there', async () => {
    const store = await open();
    const sink = await create(store);
    await done(sink.write(content));
    machine.disk.failSync(temporary, { reports: 'NO_SPACE' });
    await expect(done(sink.commit())).rejects.toSatisfy(code('NO_SPACE'));
    await done(sink.discard());
    expect(await done(fs.list(dir))).toEqual([]);
  });
});

describe('failing calls', () => {
  test.each(['lost', 'kept'] as const)('a failed sync, data %s -> not there', async (data) => {
    const store = await open();
    const sink = await create(store);
    await done(sink.write(content));
    machine.disk.failSync(temporary, { data });
    await expect(done(sink.commit())).rejects.toSatisfy(code('STORAGE_IO'));
    await expect(done(sink.commit())).rejects.toSatisfy(code('STORAGE_IO'));
    expect(await done(store.latest())).toBeUndefined();
    await done(sink.discard());
    reboot();
    expect(await done((await open()).latest())).toBeUndefined();
  });

  test('a failed sync of the folder -> not there, discarded or not; whole after a crash', async () => {
    for (const discards of [true, false]) {
      begin(discards ? 2 : 3);
      const store = await open();
      const sink = await create(store);
      await done(sink.write(content));
      machine.disk.failDirectorySync(dir);
      await expect(done(sink.commit())).rejects.toSatisfy(code('STORAGE_IO'));
      expect(await done(store.latest())).toBeUndefined();
      if (discards) {
        await done(sink.discard());
        expect(await done(fs.list(dir))).toEqual([]);
      }
      reboot();
      const next = await open();
      expect(next.damaged).toEqual([]);
      if ((await done(next.latest())) !== undefined) {
        expect(Buffer.compare(await read(next), content)).toBe(0);
      }
    }
  });

  test('a file that cannot be read -> STORAGE_IO, and good when it can', async () => {
    const store = await open();
    const sink = await create(store);
    await done(sink.write(content));
    await done(sink.commit());
    machine.disk.failRead(path);
    await expect(read(store)).rejects.toSatisfy(code('STORAGE_IO'));
    expect(machine.disk.openFiles).toBe(0);
    expect(Buffer.compare(await read(store), content)).toBe(0);
  });

  test('too many open files -> STORAGE_IO, nothing left', async () => {
    const store = await open();
    machine.disk.openFilesMax = 0;
    await expect(create(store)).rejects.toSatisfy(code('STORAGE_IO'));
    machine.disk.openFilesMax = 1;
    await done((await create(store)).discard());
    expect(await done(fs.list(dir))).toEqual([]);
  });

  test('discard beside a write -> waits for it, nothing left', async () => {
    const store = await open();
    const sink = await create(store);
    const writing = sink.write(content);
    const discarding = sink.discard();
    await done(writing);
    await done(discarding);
    expect(await done(fs.list(dir))).toEqual([]);
    expect(machine.disk.openFiles).toBe(0);
  });

  test('two calls at a time -> assertion, the first goes on', async () => {
    const sink = await create(await open());
    const writing = sink.write(content);
    await expect(done(sink.write(content))).rejects.toSatisfy(code('ASSERTION'));
    await done(writing);
    expect(await done(sink.commit())).toMatchObject({ size: content.length });
  });
});

describe('opening', () => {
  test('temporary files and foreign names -> the former removed, the latter left alone', async () => {
    await done(fs.makeDirectory(dir));
    for (const name of [`${path}.tmp`, `${dir}/readme`, `${dir}/x.tmp`]) {
      await done((await done(fs.open(name, 'create'))).close());
    }
    const store = await open();
    expect(await done(fs.list(dir))).toEqual(['readme']);
    expect(store.damaged).toEqual([]);
  });

  test('keep below 1 -> ARGUMENT_INVALID', async () => {
    await expect(done(SnapshotFiles.open({ fs, dir, keep: 0 }))).rejects.toSatisfy(
      code('ARGUMENT_INVALID'),
    );
  });
});

describe('outside the fault budget', () => {
  test('syncs that lie, garbage in lost sectors -> whole, refused or gone, never different', async () => {
    const ends = { whole: 0, refused: 0, gone: 0 };
    const seeds = 60 * depth;
    for (let seed = 1; seed <= seeds; seed += 1) {
      begin(seed);
      machine.disk.fill = seed % 2 === 0 ? 'garbage' : 'zeros';
      await done(fs.makeDirectory(dir));
      await done(fs.syncDirectory('data'));
      machine.disk.lyingSyncs = true;
      const store = await open();
      const sink = await create(store);
      await done(sink.write(content));
      await done(sink.commit());
      reboot();
      machine.disk.lyingSyncs = false;
      const next = await open();
      if (next.damaged.length > 0) ends.refused += 1;
      else if ((await done(next.latest())) === undefined) ends.gone += 1;
      else {
        const found = await read(next).catch((error: unknown) => {
          if (!isKontikiError(error, 'SNAPSHOT_CORRUPT')) throw error;
          return undefined;
        });
        if (found === undefined) ends.refused += 1;
        else {
          if (Buffer.compare(found, content) !== 0) expect.fail(`seed ${seed}: other bytes`);
          ends.whole += 1;
        }
      }
    }
    for (const [end, count] of Object.entries(ends)) expect(count, end).toBeGreaterThan(0);
  });
});
