// Members over TCP and real files: a store of one grows to three, loses the first, and goes on.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openStore } from '../../src/preset/open-store.js';
import type { Store } from '../../src/store/store.js';

const stores: Store[] = [];
let place = '';

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rm(place, { recursive: true, force: true });
});

async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

async function voters(store: Store, names: readonly string[]): Promise<void> {
  for (;;) {
    const members = await store.members.list();
    const voting = members.filter(({ role }) => role === 'voter').map(({ name }) => name);
    if (names.every((name) => voting.includes(name)) && voting.length === names.length) return;
  }
}

test('over TCP: one grows to three, the first leaves, one is opened again -> all writes are there', async () => {
  place = await mkdtemp(join(tmpdir(), 'kontiki-members-'));
  const times = { tickMs: 20 };
  const address = { a: await freeAddress(), b: await freeAddress(), c: await freeAddress() };
  const dirOf = (name: string) => join(place, name);
  const a = await openStore({ name: 'a', dir: dirOf('a'), listen: address.a, ...times });
  stores.push(a);
  await a.put('k', '1');
  const joined = async (name: 'b' | 'c', via: readonly string[]) => {
    const options = { name, dir: dirOf(name), listen: address[name], join: via, ...times };
    const store = await openStore({ ...options, bootstrap: 'existing' });
    stores.push(store);
    return store;
  };
  await a.members.add('b', address.b);
  const b = await joined('b', [address.a]);
  await voters(b, ['a', 'b']);
  await b.members.add('c', address.c);
  const c = await joined('c', [address.b]);
  await voters(c, ['a', 'b', 'c']);
  await c.put('k', '2');
  const gone = new Promise<string>((resolve) => {
    a.on('failed', ({ error }) => resolve(error.code));
  });
  await b.members.remove('a');
  expect(await gone).toBe('MEMBER_REMOVED');
  await b.close();
  const again = await joined('b', []);
  await again.put('k', '3');
  expect((await c.get('k'))?.text()).toBe('3');
  await voters(c, ['b', 'c']);
}, 30_000);

test('a store that began without an address, opened with bootstrap existing -> takes others in, and they too', async () => {
  place = await mkdtemp(join(tmpdir(), 'kontiki-members-'));
  const times = { tickMs: 20, bootstrap: 'existing' } as const;
  const address = { a: await freeAddress(), b: await freeAddress(), c: await freeAddress() };
  const dirOf = (name: string) => join(place, name);
  const alone = await openStore({ name: 'a', dir: dirOf('a'), tickMs: 20 });
  await alone.put('k', '1');
  await alone.close();
  const open = async (name: 'a' | 'b' | 'c', via: readonly string[] = []) => {
    const options = { name, dir: dirOf(name), listen: address[name], join: via, ...times };
    const store = await openStore(options);
    stores.push(store);
    return store;
  };
  const a = await open('a');
  await a.members.update('a', address.a);
  await a.members.add('b', address.b);
  const b = await open('b', [address.a]);
  await voters(b, ['a', 'b']);
  await b.close();
  const again = await open('b');
  await again.members.add('c', address.c);
  const c = await open('c', [address.b]);
  await voters(c, ['a', 'b', 'c']);
  expect((await c.get('k'))?.text()).toBe('1');
}, 30_000);
