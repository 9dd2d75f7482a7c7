/**
 * Damage in LevelDB's own log, on the real engine: it opens without an error and may keep records
 * after the damaged one. The flush chain must turn that into a refusal or an exact earlier state.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';

const timers = new ManualTimers();
const flushes = 8;
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

async function open(): Promise<WriteBehindBackend> {
  return WriteBehindBackend.open({ engine: await openClassicLevel(folder), timers });
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
