// A data directory that must not be written, for real: refused, and nothing in it is changed.
import { chmod, readdir } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unprivileged } from '../storage/unprivileged.js';
import { listing, Place } from './place.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
  // Of this user alone, and another one has to look into it.
  await chmod(place.dir('.'), 0o755);
});
afterEach(() => place.close());

/** Everything below a folder, the folder included. */
async function setModes(dir: string, folderMode: number, fileMode: number): Promise<void> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = `${entry.parentPath}/${entry.name}`;
    await chmod(path, entry.isDirectory() ? folderMode : fileMode);
  }
  await chmod(dir, folderMode);
}

test('a read-only directory -> STORAGE_IO with the cause, unchanged; writable again: opens', async () => {
  const dir = place.dir('data');
  const store = await place.open({ dir });
  await store.put('a', '1');
  await store.close();
  await setModes(dir, 0o555, 0o444);
  const before = await listing(dir);
  await unprivileged(async () => {
    const refusal = { code: 'STORAGE_IO', cause: { code: 'EACCES' } };
    await expect(place.open({ dir })).rejects.toMatchObject(refusal);
  });
  expect(await listing(dir)).toEqual(before);
  await setModes(dir, 0o755, 0o644);
  expect((await (await place.open({ dir })).get('a'))?.text()).toBe('1');
});

test('a new one where none can be made -> STORAGE_IO, nothing made', async () => {
  await place.emptyDir('read-only');
  await chmod(place.dir('read-only'), 0o555);
  await unprivileged(async () => {
    const opening = place.open({ dir: place.dir('read-only/data') });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_IO', cause: { code: 'EACCES' } });
  });
  expect(await listing(place.dir('read-only'))).toEqual([]);
});
