/**
 * Damage in LevelDB's own log, on the real engine: it opens without an error and may keep records
 * after the damaged one. The flush chain must turn that into a refusal or an exact earlier state.
 */
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { readLogFile } from '../../src/storage/level-files/log-file.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';

const timers = new ManualTimers();
const flushes = 8;
const MiB = 1024 * 1024;
let folder: string;
let logFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kontiki-'));
  const backend = await open();
  for (let n = 1; n <= flushes; n += 1) {
    // Longer than LevelDB's 32 KiB log blocks: damage drops the rest of a block.
    backend.apply(
      [
        [`c${n}`, new Uint8Array(40_000).fill(n)],
        ['ccount', Uint8Array.of(n)],
      ],
      n,
    );
    await backend.flush();
  }
  await backend.close();
  const name = (await readdir(folder)).find((one) => one.endsWith('.log'));
  logFile = join(folder, name!);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(path = folder): Promise<WriteBehindBackend> {
  const sizes = { flushBytes: 2 ** 30, overlayBytesMax: 2 ** 30, appended: 'z', aheadBytesMin: 1 };
  return WriteBehindBackend.open({ engine: await openClassicLevel(path), timers, ...sizes });
}

const historyKey = (n: number, nth: number) => `z${String(n * 100 + nth).padStart(5, '0')}`;

/**
 * Flushes in a folder beside the first one, from the second on with history ahead; the closed backend's folder.
 *
 * @param bytes - of each of 16 changes of history, and of what a flush has beside them
 */
async function withHistory(
  name: string,
  count: number,
  bytes: { readonly history: number; readonly current: number },
): Promise<string> {
  const path = join(folder, name);
  const backend = await open(path);
  for (let n = 1; n <= count; n += 1) {
    const random = Buffer.from(Array.from({ length: 16 }, (_, at) => (n * 31 + at * 7) % 251));
    const history = Array.from({ length: 16 }, (_, nth) => {
      const value = new Uint8Array(bytes.history).map(
        (_, at) => (random[(at + nth) % 16]! * at) >> 3,
      );
      return [historyKey(n, nth), value] as const;
    });
    const current = ['ccurrent', new Uint8Array(bytes.current).fill(n)] as const;
    backend.apply([['ccount', Uint8Array.of(n)], current, ...history], n);
    await backend.flush();
  }
  await backend.close();
  return path;
}

/** All that a state has, which must be what its applied index says. */
async function expectWhole(backend: WriteBehindBackend): Promise<void> {
  const index = backend.openedIndex;
  const { records, ranges } = await backend.read({
    keys: ['ccount'],
    ranges: [{ gte: 'z', lt: '{' }],
  });
  expect(records[0]?.[0] ?? 0).toBe(index);
  const keys = Array.from({ length: index }, (_, n) =>
    Array.from({ length: 16 }, (_, nth) => historyKey(n + 1, nth)),
  ).flat();
  expect(ranges[0]?.map(([key]) => key)).toEqual(keys);
}

/** Flushes of the given sizes in a folder beside the first one; `cN` is of flush N. */
async function filled(name: string, sizes: readonly number[]): Promise<string> {
  const path = join(folder, name);
  const backend = await open(path);
  for (const [at, size] of sizes.entries()) {
    backend.apply([[`c${at + 1}`, new Uint8Array(size).fill(at + 1)]], at + 1);
    await backend.flush();
  }
  await backend.close();
  return path;
}

test('damage anywhere in the log -> STATE_CORRUPT or exactly an earlier state', async () => {
  const good = await readFile(logFile);
  expect(good.length).toBeGreaterThan(flushes * 40_000);
  const untouched = new Map<string, Buffer>();
  for (const name of await readdir(folder)) untouched.set(name, await readFile(join(folder, name)));
  let refused = 0;
  const steps = 12;
  for (let step = 0; step < steps; step += 1) {
    for (const name of await readdir(folder)) await rm(join(folder, name));
    for (const [name, bytes] of untouched) await writeFile(join(folder, name), bytes);
    const damaged = Buffer.from(good);
    damaged[Math.floor(((step + 0.5) / steps) * good.length)]! ^= 0x10;
    await writeFile(logFile, damaged);
    const backend = await open().catch((error: unknown) => {
      expect(isKontikiError(error, 'STATE_CORRUPT')).toBe(true);
      return undefined;
    });
    if (backend === undefined) {
      refused += 1;
      continue;
    }
    const found = await backend.read({ keys: ['ccount'], ranges: [{ gte: 'c0', lt: 'c:' }] });
    const index = backend.openedIndex;
    expect(index).toBeLessThan(flushes);
    expect(found.records[0]?.[0] ?? 0).toBe(index);
    expect(found.ranges[0]).toHaveLength(index);
    await backend.close();
  }
  // Without the chain all of these would have opened, some with a hole.
  expect(refused).toBeGreaterThan(steps / 2);
});

test('an undamaged log -> opens at the last flush', async () => {
  const backend = await open();
  expect(backend.openedIndex).toBe(flushes);
  await backend.close();
});

test('a hole below a flush that is larger than any bound of the chain -> STATE_CORRUPT', async () => {
  // Both are in one log: the write buffer is looked at before a batch, whatever its size.
  const path = await filled('hole', [40_000, 34 * MiB]);
  const name = (await readdir(path)).find((one) => one.endsWith('.log'));
  const bytes = await readFile(join(path, name!));
  bytes[100]! ^= 0x10;
  await writeFile(join(path, name!), bytes);
  await expect(open(path)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
});

test('a manifest cut short behind any edit, under large flushes -> all is there, or refused', async () => {
  const sizes = [3, 34 * MiB, 34 * MiB, 34 * MiB, 34 * MiB];
  const path = await filled('manifest', sizes);
  const name = (await readdir(path)).find((one) => one.startsWith('MANIFEST'));
  const bytes = await readFile(join(path, name!));
  const ends = [...readLogFile(bytes).records.map(({ offset }) => offset), bytes.length];
  expect(ends.length).toBeGreaterThan(4);
  const opened: number[] = [];
  for (const end of ends) {
    const cut = join(folder, 'cut');
    await cp(path, cut, { recursive: true });
    await truncate(join(cut, name!), end);
    const backend = await open(cut).catch((error: unknown) => {
      expect(isKontikiError(error, 'STATE_CORRUPT')).toBe(true);
    });
    if (backend !== undefined) {
      opened.push(end);
      const keys = sizes.map((_, at) => `c${at + 1}`);
      const { records } = await backend.read({ keys, ranges: [] });
      expect(records.map((record) => record?.length)).toEqual(sizes);
      await backend.close();
    }
    await rm(cut, { recursive: true });
  }
  expect(opened).toContain(bytes.length);
}, 60_000);

describe('history ahead of flushes', () => {
  test('damage anywhere in the log -> STATE_CORRUPT or exactly an earlier state', async () => {
    const path = await withHistory('ahead', 4, { history: 8_000, current: 40_000 });
    const name = (await readdir(path)).find((one) => one.endsWith('.log'))!;
    const good = await readFile(join(path, name));
    expect(good.length).toBeGreaterThan(4 * 16 * 8_000);
    let refused = 0;
    for (let step = 0; step < 48; step += 1) {
      const copy = join(folder, 'copy');
      await cp(path, copy, { recursive: true });
      const damaged = Buffer.from(good);
      damaged[Math.floor(((step + 0.5) / 48) * good.length)]! ^= 0x10;
      await writeFile(join(copy, name), damaged);
      const backend = await open(copy).catch((error: unknown) => {
        expect(isKontikiError(error, 'STATE_CORRUPT')).toBe(true);
        refused += 1;
      });
      if (backend !== undefined) await expectWhole(backend);
      await backend?.close();
      await rm(copy, { recursive: true });
    }
    expect(refused).toBeGreaterThan(24);
  }, 60_000);

  test('a log cut short anywhere -> exactly an earlier state, without what went ahead', async () => {
    const path = await withHistory('cut', 4, { history: 8_000, current: 40_000 });
    const name = (await readdir(path)).find((one) => one.endsWith('.log'));
    const { length } = await readFile(join(path, name!));
    const indexes = new Set<number>();
    for (let step = 0; step < 24; step += 1) {
      const copy = join(folder, 'copy');
      await cp(path, copy, { recursive: true });
      await truncate(join(copy, name!), Math.floor(((step + 0.5) / 24) * length));
      const backend = await open(copy);
      indexes.add(backend.openedIndex);
      await expectWhole(backend);
      await backend.close();
      await rm(copy, { recursive: true });
    }
    expect([...indexes]).toEqual([0, 1, 2, 3]);
  }, 60_000);

  test('a manifest cut short behind any edit -> all is there, or refused', async () => {
    const path = await withHistory('edits', 8, { history: 80_000, current: 1_500_000 });
    const name = (await readdir(path)).find((one) => one.startsWith('MANIFEST'));
    const bytes = await readFile(join(path, name!));
    const ends = [...readLogFile(bytes).records.map(({ offset }) => offset), bytes.length];
    let opened = 0;
    for (const end of ends) {
      const cut = join(folder, 'cut');
      await cp(path, cut, { recursive: true });
      await truncate(join(cut, name!), end);
      const backend = await open(cut).catch((error: unknown) => {
        expect(isKontikiError(error, 'STATE_CORRUPT')).toBe(true);
      });
      if (backend !== undefined) {
        opened += 1;
        expect(backend.openedIndex).toBe(8);
        await expectWhole(backend);
        await backend.close();
      }
      await rm(cut, { recursive: true });
    }
    expect(ends.length).toBeGreaterThan(8);
    expect(opened).toBeGreaterThan(0);
  }, 60_000);

  test('its tables hold nothing else, so that nothing is merged with them', async () => {
    const path = await withHistory('tables', 8, { history: 80_000, current: 1_500_000 });
    const level = new ClassicLevel(path);
    await level.open();
    const tables = level.getProperty('leveldb.sstables').split('\n');
    await level.close();
    const history = tables.filter((line) => /\['z0/.test(line));
    expect(history.length).toBeGreaterThan(5);
    // What the first flush wrote as one batch may have been merged with current records.
    const mixed = tables.filter((line) => /\['[a-y]/.test(line) && /\.\. 'z00[^1]/.test(line));
    expect(mixed).toEqual([]);
  });
});
