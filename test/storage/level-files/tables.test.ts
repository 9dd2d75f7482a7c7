// Tables that LevelDB wrote: all of them pass as they are, none passes with a byte changed or missing.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../../src/base/bytes.js';
import { Prng, randomInt } from '../../../src/base/prng.js';
import { openClassicLevel } from '../../../src/storage/classic-level/index.js';
import { crc32c } from '../../../src/storage/level-files/crc32c.js';
import { uncompress } from '../../../src/storage/level-files/snappy.js';
import { tableDamage } from '../../../src/storage/level-files/table.js';
import { verifyLevelTables } from '../../../src/storage/level-files/verify.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const seed = 11;
let root: string;
let dir: string;

/** Compressible and random values, short and long ones, overwritten and deleted, over some opens. */
async function fill(): Promise<void> {
  const random = new Prng(seed);
  for (let round = 0; round < 3; round += 1) {
    const engine = await openClassicLevel(dir, { fs });
    for (let batch = 0; batch < 40; batch += 1) {
      const changes = Array.from({ length: 250 }, () => {
        const key = `c${randomInt(random, 8_000)}`;
        const length = randomInt(random, 10) === 0 ? 3_000 : randomInt(random, 200);
        const isRandom = randomInt(random, 2) > 0;
        const value = Uint8Array.from({ length }, () => (isRandom ? randomInt(random, 256) : 7));
        return [key, randomInt(random, 9) === 0 ? undefined : value] as const;
      });
      await engine.write(changes, { sync: batch % 10 === 0 });
    }
    await engine.close();
  }
  // Its log becomes a table at the next open.
  await (await openClassicLevel(dir, { fs })).close();
}

const tables = async (): Promise<string[]> =>
  (await readdir(dir)).filter((name) => name.endsWith('.ldb')).sort();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kontiki-tables-'));
  dir = join(root, 'db');
  await fill();
});
afterAll(() => rm(root, { recursive: true }));

describe('tables', () => {
  test('as LevelDB wrote them -> every byte accounted for, however much is asked for', async () => {
    const names = await tables();
    const found = await verifyLevelTables({ fs, dir });
    expect(found.tables).toBe(names.length);
    expect(found.tables).toBeGreaterThan(1);
    const sizes = await Promise.all(
      names.map(async (name) => (await readFile(join(dir, name))).length),
    );
    expect(found.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    const some = await verifyLevelTables({ fs, dir, bytesMax: found.bytes - 1 });
    expect(some.bytes + some.unread).toBe(found.bytes);
    expect(some.unread).toBeGreaterThan(0);
  });

  test('any byte changed, any cut -> damage', async () => {
    const random = new Prng(seed);
    for (const name of (await tables()).slice(0, 3)) {
      const good = await readFile(join(dir, name));
      expect(tableDamage(good)).toBeUndefined();
      for (let run = 0; run < 20 * depth; run += 1) {
        // The ends as often as the middle.
        const near = Math.min(good.length, [60, 3_000, good.length][run % 3]!);
        const at = good.length - 1 - randomInt(random, near);
        const bytes = Uint8Array.from(good);
        bytes[at]! ^= 1 << randomInt(random, 8);
        expect(tableDamage(bytes), `${name}: byte ${at}`).toBeDefined();
        expect(tableDamage(good.subarray(0, at)), `${name}: cut at ${at}`).toBeDefined();
      }
    }
  });

  test('a damaged, cut or missing table -> STATE_CORRUPT before LevelDB opens it', async () => {
    const name = (await tables())[0]!;
    const path = join(dir, name);
    const good = await readFile(path);
    const damaged = Uint8Array.from(good);
    damaged[100]! ^= 1;
    for (const bytes of [damaged, good.subarray(0, good.length - 1), good.subarray(0, 0)]) {
      await writeFile(path, bytes);
      await expect(openClassicLevel(dir, { fs })).rejects.toMatchObject({
        code: 'STATE_CORRUPT',
        message: expect.stringContaining(name),
      });
    }
    await rm(path);
    await expect(verifyLevelTables({ fs, dir })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await writeFile(path, good);
    await (await openClassicLevel(dir, { fs })).close();
  });

  test('half a table that a compaction left behind -> of no account', async () => {
    await writeFile(join(dir, '999999.ldb'), 'half a table');
    await verifyLevelTables({ fs, dir });
    await (await openClassicLevel(dir, { fs })).close();
    expect(await tables()).not.toContain('999999.ldb');
  });

  test('a folder with nothing in it, a manifest that is damaged -> left to LevelDB', async () => {
    const none = { tables: 0, bytes: 0, unread: 0 };
    expect(await verifyLevelTables({ fs, dir: join(root, 'new') })).toEqual(none);
    const name = (await readdir(dir)).find((one) => one.startsWith('MANIFEST'))!;
    const good = await readFile(join(dir, name));
    const bytes = Uint8Array.from(good);
    bytes[20]! ^= 1;
    await writeFile(join(dir, name), bytes);
    expect(await verifyLevelTables({ fs, dir })).toEqual(none);
    await expect(openClassicLevel(dir, { fs })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await writeFile(join(dir, name), good);
  });
});

describe('parts', () => {
  test('crc32c -> the check value of the standard, from any place', () => {
    const bytes = utf8Bytes('xx123456789y');
    expect(crc32c(bytes, 2, 11)).toBe(0xe3069283);
    expect(crc32c(bytes, 3, 3)).toBe(0);
  });

  test('snappy: literals, copies that overlap themselves, each length form', () => {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    // Nine bytes: a literal of two, then seven copied from two back.
    expect(text(uncompress(Uint8Array.of(9, 4, 97, 98, 13, 2)))).toBe('ababababa');
    expect(text(uncompress(Uint8Array.of(6, 4, 97, 98, 14, 2, 0)))).toBe('ababab');
    expect(text(uncompress(Uint8Array.of(6, 4, 97, 98, 15, 2, 0, 0, 0)))).toBe('ababab');
    expect(text(uncompress(Uint8Array.of(3, 240, 2, 97, 98, 99)))).toBe('abc');
    for (const broken of [
      [9, 4, 97],
      [9, 4, 97, 98],
      [2, 4, 97, 98, 13, 2],
      [6, 4, 97, 98, 13, 3],
    ]) {
      expect(() => uncompress(Uint8Array.from(broken))).toThrow();
    }
  });
});
