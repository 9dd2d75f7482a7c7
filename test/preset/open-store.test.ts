// `openStore` on real files and sockets: what it keeps, and what it gives back.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { systemEnv } from '../../src/preset/system-env.js';
import type { Store } from '../../src/store/store.js';
import { ScriptedTransport } from '../node/scripted-transport.js';
import { isFree, listing, Place } from './place.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

const textOf = async (store: Store, key: string) => (await store.get(key))?.text();

test('in memory: the log does not grow with what is written', async () => {
  const store = await place.open({});
  const value = new Uint8Array(1_000);
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 100 }, (_, nth) => store.put(`k${nth % 3}`, value)));
  }
  expect(store.metrics().logBytes).toBeLessThan(600_000);
  expect(store.status().lastIndex).toBeGreaterThan(2_000);
  await store.close();
});

describe('one member', () => {
  test('in memory: usable at once, empty each time', async () => {
    const first = await place.open({});
    await first.put('a', '1');
    await first.close();
    const second = await place.open({});
    expect(await second.get('a')).toBeUndefined();
    expect(second.status()).toMatchObject({ name: 'main', members: ['main'], role: 'leader' });
  });

  test('in a directory: data, revisions and history are there again', async () => {
    const dir = place.dir('deep/down/data');
    const first = await place.open({ dir, name: 'solo' });
    await first.put('a', '1');
    await first.put('a', '2');
    await first.delete('a');
    await first.put('b', 'x'.repeat(100_000));
    await first.close();
    const second = await place.open({ dir, name: 'solo' });
    expect(await second.get('a')).toBeUndefined();
    expect((await second.get('a', { revision: 3 }))?.text()).toBe('2');
    expect((await second.get('b'))?.value.length).toBe(100_000);
    expect((await second.put('c', '1')).revision).toBe(6);
    expect(second.status()).toMatchObject({ name: 'solo', revision: 6 });
  });

  test('many times over: each life goes on where the last one ended', async () => {
    const dir = place.dir('data');
    for (let life = 1; life <= 4; life += 1) {
      const store = await place.open({ dir });
      expect((await store.range({ prefix: 'life-', count: true })).count).toBe(life - 1);
      await store.put(`life-${life}`, '');
      await store.close();
    }
  });

  test('await using: closed at the end of the block, the directory free again', async () => {
    const dir = place.dir('data');
    let kept: Store;
    {
      await using store = await place.open({ dir });
      await store.put('a', '1');
      kept = store;
    }
    expect(kept.status().lifecycle).toBe('closed');
    await expect(kept.put('a', '2')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await textOf(await place.open({ dir }), 'a')).toBe('1');
  });

  test('the options of time reach the member', async () => {
    const cluster = await place.cluster('a', 'b');
    const store = await place.open({ name: 'a', dir: place.dir('a'), cluster, timeoutMs: 40 });
    // Nobody else is there to vote: the call ends by the time that was given, far below 7 seconds.
    await expect(store.put('a', '1')).rejects.toMatchObject({ code: 'NO_LEADER' });
  });

  test('state that is lost: made again from the log', async () => {
    const dir = place.dir('data');
    const first = await place.open({ dir });
    await first.put('a', '1');
    await first.close();
    const { rm } = await import('node:fs/promises');
    await rm(`${dir}/state`, { recursive: true });
    const second = await place.open({ dir });
    expect(await textOf(second, 'a')).toBe('1');
    expect((await second.put('a', '2')).revision).toBe(3);
  });
});

describe('three members', () => {
  const openAll = async (cluster: Record<string, string>) => {
    const names = Object.keys(cluster);
    const open = (name: string) => place.open({ name, dir: place.dir(name), cluster });
    const stores = await Promise.all(names.map(open));
    await place.met(...names);
    return stores;
  };

  test('write through one, read through the others; closed and opened again', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const first = await openAll(cluster);
    await Promise.all(first.map((store, nth) => store.put(`k${nth}`, `v${nth}`)));
    for (const store of first) {
      const { kvs } = await store.range({ prefix: 'k' });
      expect(kvs.map((kv) => kv.text())).toEqual(['v0', 'v1', 'v2']);
    }
    await Promise.all(first.map((store) => store.close()));
    for (const address of Object.values(cluster)) expect(await isFree(address)).toBe(true);
    const second = await openAll(cluster);
    for (const store of second) expect(await textOf(store, 'k1')).toBe('v1');
  });

  test('one is away: the other two go on; it comes back with what it missed', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const [a, b, c] = (await openAll(cluster)) as [Store, Store, Store];
    await a.put('k', '1');
    await c.close();
    await b.put('k', '2');
    const again = await place.open({ name: 'c', dir: place.dir('c'), cluster });
    expect(await textOf(again, 'k')).toBe('2');
  });
});

describe('an opening that fails', () => {
  test('in memory, after the address was taken: it is let go of', async () => {
    const config = storeConfig({ listen: '127.0.0.1:0' });
    const transport = new ScriptedTransport();
    const random = {
      u32: () => {
        throw new Error('no randomness');
      },
    };
    const env = { ...(await systemEnv(storeConfig({}))), random, transport };
    await expect(openStoreOn(env, config)).rejects.toThrow('no randomness');
    expect(transport.closed).toBeGreaterThan(0);
  });

  test('in a directory, at any step: nothing is held afterwards', async () => {
    const dir = await place.emptyDir('data');
    const platform = await systemEnv(storeConfig({}));
    const fail = () => Promise.reject(new Error('not today'));
    const broken = [
      { ...platform, fs: { ...platform.fs, open: fail } },
      { ...platform, fs: { ...platform.fs, rename: fail } },
      { ...platform, openEngine: fail },
    ];
    for (const env of broken) {
      const transport = new ScriptedTransport();
      const opening = openStoreOn({ ...env, transport }, storeConfig({ dir }));
      await expect(opening).rejects.toThrow('not today');
      expect(transport.closed).toBeGreaterThan(0);
    }
    const store = await place.open({ dir });
    await store.put('a', '1');
    expect((await listing(dir)).some((line) => line.includes('member.json '))).toBe(true);
  });

  test('a first start with other members that was cut short: forgotten', async () => {
    const dir = await place.emptyDir('a');
    const platform = await systemEnv(storeConfig({}));
    const cut = { ...platform, openEngine: () => Promise.reject(new Error('not today')) };
    await expect(openStoreOn(cut, storeConfig({ name: 'a', dir }))).rejects.toThrow('not today');
    const cluster = await place.cluster('a', 'b', 'c');
    const store = await place.open({ name: 'a', dir, cluster, timeoutMs: 400 });
    // One of three must not lead alone, though the log on the disk began with one voter.
    await expect(store.put('a', '1')).rejects.toMatchObject({ code: 'NO_LEADER' });
    expect(store.status().role).not.toBe('leader');
  });

  test('the directory is used by another owner between the look at it and the lock', async () => {
    const dir = place.dir('data');
    const platform = await systemEnv(storeConfig({}));
    const lock = async (path: string) => {
      const other = await place.open({ dir });
      await other.put('a', '1');
      await other.close();
      return platform.fs.lock(path);
    };
    const env = { ...platform, fs: { ...platform.fs, lock } };
    const store = await openStoreOn(env, storeConfig({ dir }));
    try {
      expect(await textOf(store, 'a')).toBe('1');
    } finally {
      await store.close();
    }
  });
});
