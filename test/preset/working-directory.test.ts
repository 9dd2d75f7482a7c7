// A relative path means the folder it named when the member was opened, wherever the process goes later.
import {
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, restoreStore, type Store } from '../../src/index.js';
import { withFixedPaths } from '../../src/preset/fixed-paths.js';
import { listing } from './place.js';

const home = process.cwd();
let top: string;

beforeEach(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'kontiki-cwd-')));
  for (const name of ['one', 'two']) await mkdir(join(top, name));
});

afterEach(async () => {
  process.chdir(home);
  await rm(top, { recursive: true });
});

/** Until segments of the log, and files of the engine, come after those that were opened. */
async function fill(store: Store): Promise<void> {
  const value = new Uint8Array(1_000_000);
  for (let n = 0; n < 100; n += 1) await store.put(`k${n % 10}`, value);
}

const goTo = (name: string) => process.chdir(join(top, name));

test('another working directory behind an open store -> it goes on where it is', async () => {
  goTo('one');
  const opening = openStore({ dir: './data' });
  goTo('two');
  const store = await opening;
  const value = new Uint8Array(1_000_000);
  for (let n = 0; n < 20; n += 1) await store.put(`k${n}`, value);
  await store.close();
  expect(await readdir(join(top, 'two'))).toEqual([]);
});

test('where another member rests under the same relative path -> both are whole', async () => {
  goTo('two');
  const other = await openStore({ dir: './data' });
  await other.put('theirs', '1');
  await other.close();
  goTo('one');
  const store = await openStore({ dir: './data' });
  goTo('two');
  await fill(store);
  await store.close();
  for (const [name, revision] of [
    ['one', 101],
    ['two', 2],
  ] as const) {
    const again = await openStore({ dir: join(top, name, 'data') });
    expect(again.status().revision).toBe(revision);
    await again.close();
  }
});

test('two stores of one relative path in two places -> both open', async () => {
  goTo('one');
  const one = await openStore({ dir: './data' });
  goTo('two');
  const two = await openStore({ dir: './data' });
  await Promise.all([one.put('a', '1'), two.put('b', '1')]);
  await Promise.all([one.close(), two.close()]);
});

test('a restore -> from where and to where they were when it was called', async () => {
  goTo('one');
  const restoring = restoreStore({ from: 'no.backup', dir: 'data' });
  goTo('two');
  await expect(restoring).rejects.toThrow(join(top, 'one', 'no.backup'));
});

test('a link above it is switched to another release -> it stays where it is', async () => {
  const other = await openStore({ dir: join(top, 'two', 'data') });
  await other.put('theirs', '1');
  await other.close();
  const before = await readdir(join(top, 'two'), { recursive: true });
  await symlink('one', join(top, 'current'));
  const store = await openStore({ dir: join(top, 'current', 'data') });
  await symlink('two', join(top, 'next'));
  await rename(join(top, 'next'), join(top, 'current'));
  await fill(store);
  await store.close();
  expect(await readdir(join(top, 'two'), { recursive: true })).toEqual(before);
  const again = await openStore({ dir: join(top, 'one', 'data') });
  expect(again.status().revision).toBe(101);
  await again.close();
});

test('moved away, and another member in its place -> it stops, the other is left alone', async () => {
  const dir = join(top, 'one', 'data');
  const other = await openStore({ dir: `${dir}.new` });
  await other.put('theirs', '1');
  await other.close();
  const store = await openStore({ dir });
  await store.put('first', '1');
  await rename(dir, `${dir}.old`);
  await rename(`${dir}.new`, dir);
  // As another process that has it open.
  await writeFile(join(dir, 'lock'), 'theirs');
  const before = await listing(dir);
  await expect(fill(store)).rejects.toMatchObject({ code: 'STORAGE_IO' });
  await store.close();
  expect(await listing(dir)).toEqual(before);
  // This process lives on; for another one neither lock would be a hindrance.
  for (const path of [dir, `${dir}.old`]) await rm(join(path, 'lock'));
  for (const [path, key] of [
    [`${dir}.old`, 'first'],
    [dir, 'theirs'],
  ] as const) {
    const again = await openStore({ dir: path });
    expect((await again.get(key))?.text()).toBe('1');
    await again.close();
  }
});

test('certificates by path -> absolute; bytes and nothing stay what they are', () => {
  goTo('one');
  const key = new Uint8Array([1]);
  const config = { dir: undefined, tls: { ca: 'ca.pem', cert: '/etc/cert.pem', key } };
  expect(withFixedPaths(config as never)).toEqual({
    dir: undefined,
    tls: { ca: join(top, 'one', 'ca.pem'), cert: '/etc/cert.pem', key },
  });
  expect(withFixedPaths({ dir: 'd', tls: undefined } as never)).toMatchObject({ tls: undefined });
});
