// Snapshots on the platform itself: files, LevelDB and TCP. A member that was away for longer than the
// others keep their logs comes back by a snapshot, and lives on in the folder that it made.
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { type StoreOptions, storeConfig } from '../../src/assembly/store-config.js';
import { systemEnv } from '../../src/preset/system-env.js';
import type { Store } from '../../src/store/store.js';
import { Place } from './place.js';

let place: Place;
let stores: Store[] = [];

beforeEach(async () => {
  place = await Place.make();
  stores = [];
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await place.close();
});

async function open(options: StoreOptions): Promise<Store> {
  const retention = { entriesMin: 10, bytesMin: 4_096, bytesMax: 65_536 };
  const tuning = { segmentBytes: 65_536, retention };
  const config = { ...storeConfig({ tickMs: 10, ...options }), tuning };
  const store = await openStoreOn(await systemEnv(config), config);
  stores.push(store);
  return store;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

const stateFolders = async (dir: string) =>
  (await readdir(dir)).filter((name) => name.startsWith('state')).sort();

const truncated = async (dir: string) =>
  !(await readdir(`${dir}/wal`)).includes('0000000000000001.wal');

describe('snapshots', () => {
  test('a member away for longer than the log -> equal again, also after a restart', async () => {
    const names = ['a', 'b', 'c'] as const;
    const cluster = await place.cluster(...names);
    const optionsOf = (name: string) => ({ name, cluster, dir: place.dir(name) });
    const [a, , c] = await Promise.all(names.map((name) => open(optionsOf(name))));
    if (a === undefined || c === undefined) throw new Error('three members');
    await place.met(...names);
    await c.put('k', 'first');
    await c.close();
    const value = 'x'.repeat(10_000);
    for (let n = 0; n < 60; n += 1) await a.put(`k${n % 7}`, `${n}${value}`);
    await until(async () => (await truncated(place.dir('a'))) && truncated(place.dir('b')));
    const back = await open(optionsOf('c'));
    await until(() => back.status().revision === a.status().revision);
    expect((await back.get('k3'))?.text()).toBe((await a.get('k3'))?.text());
    const folders = await stateFolders(place.dir('c'));
    expect(folders).toHaveLength(2);
    expect(folders[0]).toMatch(/^state-[0-9a-f]{16}$/);
    await back.put('k', 'last');
    await back.close();
    const again = await open(optionsOf('c'));
    expect((await again.get('k'))?.text()).toBe('last');
    expect((await again.get('k', { revision: 2 }))?.text()).toBe('first');
    expect(await stateFolders(place.dir('c'))).toEqual(folders);
  }, 30_000);

  test('a member of its own -> its log is truncated, and it opens again', async () => {
    const dir = place.dir('one');
    const store = await open({ dir });
    const value = 'x'.repeat(10_000);
    for (let n = 0; n < 40; n += 1) await store.put(`k${n % 7}`, `${n}${value}`);
    await until(() => truncated(dir));
    await store.close();
    const again = await open({ dir });
    expect((await again.get('k4'))?.text()).toBe(`39${value}`);
    expect(await stateFolders(dir)).toEqual(['state']);
  }, 30_000);
});
