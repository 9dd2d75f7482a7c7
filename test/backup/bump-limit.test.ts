// Goal: whatever `bumpRevision` is taken, every write behind the restore has a revision of its own, and the
// directory stays sound.
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { restoreStore } from '../../src/preset/restore-store.js';
import { run } from '../cli/cli.js';
import { Place } from '../preset/place.js';
import { bytesOf } from './backed-up.js';

let place: Place;

beforeEach(async () => {
  place = await Place.make();
});

afterEach(() => place.close());

test('a bump that leaves few revisions -> refused; the largest that is taken -> one for each write', async () => {
  const lost = await place.open({ dir: place.dir('lost') });
  const { revision } = await lost.put('a', '0');
  const from = place.dir('store.backup');
  await writeFile(from, await bytesOf(lost.backup()));
  await lost.close();
  const dir = place.dir('restored');
  const largest = Math.floor(Number.MAX_SAFE_INTEGER / 2) - revision;
  for (const bumpRevision of [Number.MAX_SAFE_INTEGER - 2, largest + 1]) {
    const restored = restoreStore({ from, dir, bumpRevision });
    await expect(restored).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  }
  await restoreStore({ from, dir, bumpRevision: largest });
  const store = await place.open({ dir });
  const revisions: number[] = [];
  for (const value of ['1', '2', '3']) revisions.push((await store.put('a', value)).revision);
  expect(revisions.map((each) => each - largest - revision)).toEqual([1, 2, 3]);
  await store.close();
  expect((await run('check', dir)).code).toBe(0);
});
