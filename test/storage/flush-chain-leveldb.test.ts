/**
 * Damage in LevelDB's own log, on the real engine: it opens without an error and may keep records
 * after the damaged one. The flush chain must turn that into a refusal or an exact earlier state.
 */
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
  const sizes = { flushBytes: 2 ** 30, overlayBytesMax: 2 ** 30 };
  return WriteBehindBackend.open({ engine: await openClassicLevel(path), timers, ...sizes });
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
