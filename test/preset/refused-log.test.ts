// A log that is intact as far as it goes and ends before what the state has applied: its last group was
// acknowledged, and damage took it. Refused, and the log is what it was: put right, it opens.
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { openWal, readWal } from '../../src/storage/wal/index.js';
import { listing, Place } from './place.js';

const sectorBytes = 512;

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

/** A directory whose state has all that its log has; the last group of that is of many sectors. */
async function deadDirectory(): Promise<string> {
  const dir = place.dir('data');
  const dead = await place.emptyDir('dead');
  const store = await place.open({ dir });
  await store.put('a', '1');
  await store.put('k', new Uint8Array(6_000).fill(7));
  // The log as a kill leaves it: closing would write one more group.
  const isSegment = (path: string) => path.endsWith('/wal') || path.endsWith('.wal');
  await cp(`${dir}/wal`, `${dead}/wal`, { recursive: true, filter: isSegment });
  await store.close();
  const isRest = (path: string) => path !== `${dir}/wal` && !path.startsWith(join(dir, 'lock'));
  await cp(dir, dead, { recursive: true, filter: isRest });
  return dead;
}

/** Zeroes a sector inside the last group of the log. @returns how to put it right */
async function zeroSector(dir: string): Promise<() => Promise<void>> {
  const [name = ''] = await readdir(`${dir}/wal`);
  const path = `${dir}/wal/${name}`;
  const { tail } = await readWal({ fs, dir: `${dir}/wal` });
  const at = Math.ceil(((tail?.lastGroup ?? 0) + 1_000) / sectorBytes) * sectorBytes;
  const bytes = await readFile(path);
  const damaged = Buffer.from(bytes).fill(0, at, at + sectorBytes);
  await writeFile(path, damaged);
  return async () => {
    const now = await readFile(path);
    bytes.copy(now, at, at, at + sectorBytes);
    await writeFile(path, now);
  };
}

async function startAnew(dir: string): Promise<void> {
  await rm(dir, { recursive: true });
  await (await openWal({ fs, dir, voters: [1] })).close();
}

/** All files but those of the lock, and those that LevelDB tidies up whenever it opens. */
async function filesIn(dir: string): Promise<string[]> {
  return (await listing(dir)).filter((line) => !/^(state|lock)/.test(line.slice(dir.length + 1)));
}

describe('a log that ends before what the state has applied', () => {
  test('a sector of its last group zeroed -> WAL_CORRUPT, no byte changed; put right, it opens', async () => {
    const dir = await deadDirectory();
    const putRight = await zeroSector(dir);
    const before = await filesIn(dir);
    const refusal = { code: 'WAL_CORRUPT', file: `${dir}/wal` };
    for (let n = 0; n < 2; n += 1) {
      await expect(place.open({ dir })).rejects.toMatchObject(refusal);
      expect(await filesIn(dir)).toEqual(before);
    }
    await putRight();
    const store = await place.open({ dir });
    expect((await store.get('k'))?.value).toEqual(new Uint8Array(6_000).fill(7));
  });

  test.each([
    ['gone', (dir: string) => rm(`${dir}/wal`, { recursive: true })],
    ['that of a first start that was cut short', (dir: string) => startAnew(`${dir}/wal`)],
  ])('no member file, and the log is %s -> WAL_CORRUPT, no byte changed', async (_, lose) => {
    const dir = await deadDirectory();
    await rm(`${dir}/member.json`);
    await lose(dir);
    const before = await filesIn(dir);
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    expect(await filesIn(dir)).toEqual(before);
  });
});
