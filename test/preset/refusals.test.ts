// Directories and addresses that a member must not be opened on. Where the documents say "before
// anything is written", the directory is compared byte by byte.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoreOptions } from '../../src/assembly/store-config.js';
import type { Store } from '../../src/store/store.js';
import { isFree, listing, Place } from './place.js';

let place: Place;
const children: ChildProcess[] = [];
beforeEach(async () => {
  place = await Place.make();
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  await place.close();
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Refused with `code`, and the directory is what it was. */
async function expectUntouched(options: StoreOptions & { dir: string }, code: string) {
  const before = await listing(options.dir);
  await expect(place.open(options)).rejects.toMatchObject({ code });
  expect(await listing(options.dir)).toEqual(before);
}

async function empty(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(`${dir}/${name}`, { recursive: true });
}

/** A directory that a single member has used. */
async function used(options: StoreOptions & { dir: string }): Promise<void> {
  const store = await place.open(options);
  await store.put('a', '1');
  await store.close();
}

async function openAll(cluster: Record<string, string>): Promise<Record<string, Store>> {
  const names = Object.keys(cluster);
  const stores = await Promise.all(
    names.map((name) => place.open({ name, dir: place.dir(name), cluster })),
  );
  await place.met(...names);
  for (const store of stores) await store.put('met', store.status().name);
  return Object.fromEntries(stores.map((store, nth) => [names[nth] as string, store]));
}

describe('a directory of somebody else', () => {
  test('of another member of the cluster -> MEMBER_MISMATCH', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const dir = place.dir('a');
    await (await place.open({ name: 'a', dir, cluster })).close();
    await expectUntouched({ name: 'b', dir, cluster }, 'MEMBER_MISMATCH');
    expect(await isFree(cluster.b as string)).toBe(true);
    await (await place.open({ name: 'a', dir, cluster })).close();
  });

  test('of another cluster, by token or by members -> CLUSTER_MISMATCH', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const dir = place.dir('a');
    await (await place.open({ name: 'a', dir, cluster, token: 'one' })).close();
    const other = { name: 'a', dir, cluster };
    await expectUntouched({ ...other, token: 'two' }, 'CLUSTER_MISMATCH');
    await expectUntouched(other, 'CLUSTER_MISMATCH');
    const two = { a: cluster.a as string, b: cluster.b as string };
    await expectUntouched({ ...other, token: 'one', cluster: two }, 'CLUSTER_MISMATCH');
    await expectUntouched({ dir, token: 'one' }, 'CLUSTER_MISMATCH');
    await (await place.open({ ...other, token: 'one' })).close();
  });

  test('a file where the directory should be -> STORAGE_IO', async () => {
    const dir = place.dir('file');
    await writeFile(dir, 'not a directory');
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'STORAGE_IO' });
  });
});

describe('a directory that is in use', () => {
  test('by this process -> DIR_LOCKED; the store that has it goes on', async () => {
    const dir = place.dir('data');
    const store = await place.open({ dir });
    await store.put('a', '1');
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    await expect(place.open({ dir: `${dir}/` })).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    await store.put('a', '2');
    await store.close();
    const again = await place.open({ dir });
    expect((await again.get('a'))?.text()).toBe('2');
  });

  test('twice at once: one has it', async () => {
    const dir = place.dir('data');
    const both = await Promise.allSettled([place.open({ dir }), place.open({ dir })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const reason = both.find((one) => one.status === 'rejected')?.reason;
    expect(reason).toMatchObject({ code: 'DIR_LOCKED' });
  });

  test('by another process -> DIR_LOCKED; killed: free again, with what it wrote', async () => {
    const dir = place.dir('data');
    const holder = fileURLToPath(new URL('holder.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', holder, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    await kill(child);
    const store = await place.open({ dir });
    expect((await store.get('by'))?.text()).toBe('the other process');
  });
});

describe('an address that is in use', () => {
  test('a new directory -> PORT_IN_USE, and it stays empty', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    await place.occupy(cluster.a as string);
    const dir = await place.emptyDir('a');
    await expectUntouched({ name: 'a', dir, cluster }, 'PORT_IN_USE');
    expect(await listing(dir)).toEqual([]);
  });

  test('a directory that was used -> PORT_IN_USE; another address: opens', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const dir = place.dir('a');
    await (await place.open({ name: 'a', dir, cluster })).close();
    await place.occupy(cluster.a as string);
    await expectUntouched({ name: 'a', dir, cluster }, 'PORT_IN_USE');
    await place.open({ name: 'a', dir, cluster, listen: '127.0.0.1:0' });
  });

  test('one that is not of this machine -> TRANSPORT_IO', async () => {
    const dir = await place.emptyDir('a');
    // TEST-NET-1 of RFC 5737: nobody has it.
    await expectUntouched({ dir, listen: '192.0.2.1:7000' }, 'TRANSPORT_IO');
  });
});

describe('a member that its peers know by another directory', () => {
  test('wiped while it was down -> MEMBER_IDENTITY_CHANGED, the directory stays empty', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { a, c } = await openAll(cluster);
    await c?.close();
    const dir = place.dir('c');
    await empty(dir);
    await expectUntouched({ name: 'c', dir, cluster }, 'MEMBER_IDENTITY_CHANGED');
    expect(await listing(dir)).toEqual([]);
    expect(await isFree(cluster.c as string)).toBe(true);
    await a?.put('on', '1');
  });

  test('wiped, and nobody is there to tell: it stops as soon as one of them comes', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { a, b, c } = await openAll(cluster);
    await Promise.all([a?.close(), b?.close(), c?.close()]);
    await empty(place.dir('c'));
    const wiped = await place.open({ name: 'c', dir: place.dir('c'), cluster });
    const failed = new Promise((resolve) => wiped.on('failed', resolve));
    const back = await Promise.all(
      ['a', 'b'].map((name) => place.open({ name, dir: place.dir(name), cluster })),
    );
    expect(await failed).toMatchObject({ error: { code: 'MEMBER_IDENTITY_CHANGED' } });
    await expect(wiped.put('x', '1')).rejects.toMatchObject({ code: 'MEMBER_IDENTITY_CHANGED' });
    expect((await back[0]?.get('met'))?.text()).toBe('c');
  });

  test('a second one of its name -> MEMBER_IDENTITY_CHANGED; the first goes on', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { a } = await openAll(cluster);
    const dir = await place.emptyDir('a2');
    const second = { name: 'a', dir, cluster, listen: '127.0.0.1:0' };
    await expectUntouched(second, 'MEMBER_IDENTITY_CHANGED');
    expect(await listing(dir)).toEqual([]);
    await a?.put('on', '1');
    expect(a?.status()).toMatchObject({ lifecycle: 'open', failure: undefined });
  });

  test('a copy of its directory -> it is the same member: only one address can have it', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { a } = await openAll(cluster);
    await a?.close();
    await cp(place.dir('a'), place.dir('copy'), { recursive: true });
    await place.open({ name: 'a', dir: place.dir('a'), cluster });
    const copy = { name: 'a', dir: place.dir('copy'), cluster };
    await expectUntouched(copy, 'PORT_IN_USE');
  });

  test('an old copy put back while it was down -> it stops, and opens no more', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { a, c } = await openAll(cluster);
    const own = { name: 'c', dir: place.dir('c'), cluster };
    await c?.close();
    await cp(own.dir, place.dir('copy'), { recursive: true });
    const again = await place.open(own);
    await again.put('after', 'the copy');
    await again.close();
    await rm(own.dir, { recursive: true });
    await rename(place.dir('copy'), own.dir);
    const old = await place.open(own);
    const failed = new Promise((resolve) => old.on('failed', resolve));
    expect(await failed).toMatchObject({ error: { code: 'MEMBER_ROLLED_BACK' } });
    await expect(old.put('x', '1')).rejects.toMatchObject({ code: 'MEMBER_ROLLED_BACK' });
    await old.close();
    await expectUntouched(own, 'MEMBER_ROLLED_BACK');
    await a?.put('on', '1');
  });

  test('a copy that is opened beside it, at another address -> it stops; the first goes on', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { a, c } = await openAll(cluster);
    await c?.close();
    await cp(place.dir('c'), place.dir('copy'), { recursive: true });
    const first = await place.open({ name: 'c', dir: place.dir('c'), cluster });
    await first.put('first', '1');
    const second = { name: 'c', dir: place.dir('copy'), cluster, listen: '127.0.0.1:0' };
    const copy = await place.open(second);
    const failed = new Promise((resolve) => copy.on('failed', resolve));
    expect(await failed).toMatchObject({ error: { code: 'MEMBER_ROLLED_BACK' } });
    await first.put('on', '1');
    expect((await a?.get('on'))?.text()).toBe('1');
  });

  test('of a cluster with another token, at the same addresses -> CLUSTER_MISMATCH', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const { c } = await openAll(cluster);
    await c?.close();
    const dir = await place.emptyDir('other');
    const options = { name: 'c', dir, cluster, token: 'another' };
    await expectUntouched(options, 'CLUSTER_MISMATCH');
    expect(await listing(dir)).toEqual([]);
  });

  test('a name that the others do not know -> refused by them', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    await openAll(cluster);
    const extra = await place.cluster('d');
    const dir = await place.emptyDir('d');
    await expectUntouched(
      { name: 'd', dir, cluster: { ...cluster, ...extra } },
      'CLUSTER_MISMATCH',
    );
  });
});

describe('a directory that lost a part', () => {
  test('the member file beside a used log -> STATE_CORRUPT; put back: opens', async () => {
    const dir = place.dir('data');
    await used({ dir });
    await rename(`${dir}/member.json`, place.dir('kept.json'));
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await rename(place.dir('kept.json'), `${dir}/member.json`);
    const store = await place.open({ dir });
    expect((await store.get('a'))?.text()).toBe('1');
  });

  test('a damaged member file -> STATE_CORRUPT, untouched', async () => {
    const dir = place.dir('data');
    await used({ dir });
    await writeFile(`${dir}/member.json`, '{}\n');
    await expectUntouched({ dir }, 'STATE_CORRUPT');
  });

  test.each([
    ['removed', (wal: string) => rm(wal, { recursive: true })],
    ['emptied', (wal: string) => empty(wal)],
  ])('the log %s beside the member file -> WAL_CORRUPT, untouched', async (_, lose) => {
    const dir = place.dir('data');
    await used({ dir });
    await lose(`${dir}/wal`);
    await expectUntouched({ dir }, 'WAL_CORRUPT');
  });

  test('an older log beside a newer state -> WAL_CORRUPT: acknowledged entries are lost', async () => {
    const dir = place.dir('data');
    await used({ dir });
    await cp(`${dir}/wal`, place.dir('old-wal'), { recursive: true });
    const store = await place.open({ dir });
    for (let nth = 0; nth < 10; nth += 1) await store.put('b', `${nth}`);
    await store.close();
    await rm(`${dir}/wal`, { recursive: true });
    await rename(place.dir('old-wal'), `${dir}/wal`);
    await expect(place.open({ dir })).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
  });

  test('a first start that was cut short before the member file: starts anew', async () => {
    const dir = place.dir('data');
    await mkdir(`${dir}/wal`, { recursive: true });
    const store = await place.open({ dir });
    await store.put('a', '1');
    await store.close();
    expect((await (await place.open({ dir })).get('a'))?.text()).toBe('1');
  });
});
