// All that LevelDB would say, read from its files without it: compared with what it says itself.
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import { openClassicLevel } from '../../../src/storage/classic-level/index.js';
import { readLevelRecords } from '../../../src/storage/level-files/records.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kontiki-records-'));
});
afterAll(() => rm(root, { recursive: true }));

type Texts = readonly (readonly [key: string, value: string])[];

/** Copies, since the reader's are views. */
async function asRead(dir: string) {
  const found: [string, string][] = [];
  const visit = (key: string, value: Uint8Array) => {
    found.push([key, Buffer.from(value).toString('latin1')]);
  };
  return { contents: await readLevelRecords({ fs, dir, visit }), found: found as Texts };
}

/** Of a copy: to open is to write. */
async function asOpened(dir: string): Promise<Texts> {
  const copy = join(root, 'opened');
  await rm(copy, { recursive: true, force: true });
  await cp(dir, copy, { recursive: true });
  const engine = await openClassicLevel(copy, { fs });
  const cursor = engine.iterate({ gte: '', lt: '\xff\xff' });
  const found: [string, string][] = [];
  for (let pairs = await cursor.next(1_000); pairs.length > 0; pairs = await cursor.next(1_000)) {
    for (const [key, value] of pairs) found.push([key, Buffer.from(value).toString('latin1')]);
  }
  await cursor.close();
  await engine.close();
  return found;
}

/** Overwrites and deletes a lot; keys with every unit, zeros and prefixes of each other among them. */
async function write(dir: string, random: Prng, batches: number): Promise<void> {
  const engine = await openClassicLevel(dir, { fs });
  for (let batch = 0; batch < batches; batch += 1) {
    const changes = Array.from({ length: 1 + randomInt(random, 60) }, () => {
      const units = Array.from({ length: randomInt(random, 3) }, () => randomInt(random, 256));
      const key = `c${randomInt(random, 300)}${String.fromCharCode(...units)}`;
      const length = randomInt(random, 20) === 0 ? 20_000 : randomInt(random, 300);
      const value = new Uint8Array(length).map(() => randomInt(random, 256));
      return [key, randomInt(random, 4) === 0 ? undefined : value] as const;
    });
    await engine.write(changes, { sync: false });
  }
  await engine.close();
}

describe('records of a database', () => {
  test.each([
    // The first has a log alone, the second tables of several levels, the third no log to speak of.
    [3, 1, 30],
    [4, 6, 250 * depth],
    [5, 9, 2],
  ])(
    'random writes, seed %i, over %i opens -> what LevelDB itself says',
    async (seed, opens, batches) => {
      const dir = join(root, `random-${seed}`);
      const random = new Prng(seed);
      for (let n = 0; n < opens; n += 1) await write(dir, random, batches);
      const { contents, found } = await asRead(dir);
      expect(found).toEqual(await asOpened(dir));
      expect(contents.records).toBe(found.length);
      expect(found.length).toBeGreaterThan(20);
      const names = await readdir(dir);
      // A merge that the close cut short leaves tables that nobody lists.
      const tables = names.filter((name) => name.endsWith('.ldb')).length;
      expect(contents.tables).toBeLessThanOrEqual(tables);
      expect(contents.tables > 0).toBe(tables > 0);
      // And one that it came before leaves the log of a buffer that is in no table yet.
      expect([1, 2]).toContain(contents.logs);
    },
    60_000,
  );

  test('a folder with nothing in it, or none -> no records', async () => {
    const { contents, found } = await asRead(join(root, 'none'));
    expect({ ...contents, found }).toMatchObject({ tables: 0, logs: 0, records: 0, found: [] });
  });
});
