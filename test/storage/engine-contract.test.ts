// The conformance suite of KvEngine on each engine there is, and what only engines on disk can do.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { isKontikiError } from '../../src/base/errors.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { openLevel } from '../../src/storage/level/index.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { engineSuite } from '../../src/testing/index.js';
import { folderRig, memoryRig, runner, simRig } from './rigs.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const onDisk = [
  ['classic-level', openClassicLevel],
  ['level', openLevel],
] as const;

engineSuite({
  runner,
  name: 'memory engine',
  runs: 100 * depth,
  factory: () => memoryRig(new MemoryEngine()),
});

engineSuite({
  runner,
  name: 'simulated engine',
  runs: 30 * depth,
  factory: (seed) => simRig(seed, (_machine, { openEngine }) => openEngine('data/state')),
});

for (const [name, open] of onDisk) {
  engineSuite({
    runner,
    name: `${name} engine`,
    runs: 10 * depth,
    factory: () => folderRig((folder) => open(join(folder, 'engine'))),
    skip: [
      'power loss: any batches -> whole ones, and all that were synced',
      'power loss: before and after each effect of a synced batch -> all of it or nothing',
    ].map((skipped) => ({
      test: skipped,
      reason: 'nobody can cut the power of this machine; LevelDB does its own file operations',
    })),
  });
}

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kontiki-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('classic-level: keys of every length and unit, read at once -> what getMany says', async () => {
  const engine = await openClassicLevel(join(folder, 'engine'), { clock: systemClock });
  const units = ['a', '\x7f', '\x80', '\xff', 'a\xff'];
  const keys = units.flatMap((unit) =>
    Array.from({ length: 200 }, (_, at) => unit.repeat(at + 1).slice(0, at + 1)),
  );
  const stored = keys.filter((_, at) => at % 3 !== 0);
  await engine.write(
    stored.map((key, at) => [key, Uint8Array.of(at & 0xff, at >> 8)] as const),
    { sync: true },
  );
  let answered = 0;
  for (const key of keys) {
    const now = engine.getNow?.([key]);
    if (now === undefined) continue;
    answered += 1;
    expect(now).toEqual(await engine.getMany([key]));
  }
  // Not those of other units than ASCII; and a slow disk may end it early.
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThanOrEqual(401);
  await engine.close();
  expect(() => engine.getNow?.(['a'])).toThrow(expect.objectContaining({ code: 'CLOSED' }));
});

describe.each(onDisk)('%s engine on disk', (_name, openAt) => {
  test('a folder that is open already -> DIR_LOCKED', async () => {
    const engine = await openAt(join(folder, 'engine'));
    await expect(openAt(join(folder, 'engine'))).rejects.toSatisfy((e) =>
      isKontikiError(e, 'DIR_LOCKED'),
    );
    await engine.close();
  });

  test('a folder whose parent is a file -> STORAGE_IO with its cause', async () => {
    await writeFile(join(folder, 'file'), 'x');
    const error = await openAt(join(folder, 'file', 'engine')).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'STORAGE_IO', cause: expect.anything() });
  });

  test('a manifest that is gone -> STATE_CORRUPT or STORAGE_IO, never an empty engine', async () => {
    const engine = await openAt(join(folder, 'engine'));
    await engine.write([['a', Uint8Array.of(1)]], { sync: true });
    await engine.close();
    const names = await readdir(join(folder, 'engine'));
    const manifest = names.find((name) => name.startsWith('MANIFEST'));
    await rm(join(folder, 'engine', manifest ?? ''));
    await expect(openAt(join(folder, 'engine'))).rejects.toSatisfy(
      (e) => isKontikiError(e, 'STATE_CORRUPT') || isKontikiError(e, 'STORAGE_IO'),
    );
  });

  test('a batch of many slices, read meanwhile -> pauses, and shows all at once', async () => {
    const engine = await openAt(join(folder, 'engine'));
    const value = new Uint8Array(100);
    const batch = Array.from({ length: 5_000 }, (_, at) => [`k${10_000 + at}`, value] as const);
    let pauses = 0;
    const seen: number[] = [];
    const pause = async (): Promise<void> => {
      pauses += 1;
      const found = await engine.getMany(['k10000', 'k14999']);
      seen.push(found.filter((one) => one !== undefined).length);
    };
    await engine.write(batch, { sync: true, pause });
    expect(pauses).toBeGreaterThan(4);
    expect(new Set(seen)).toEqual(new Set([0]));
    const found = await engine.getMany(['k10000', 'k14999']);
    expect(found.map((one) => one?.length)).toEqual([100, 100]);
    await engine.close();
  });
});
