// Members that come and go over TCP, where nobody is found but at an address.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freeAddresses } from '../../examples/failover/free-ports.js';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { openStore } from '../../src/preset/open-store.js';
import { systemEnv } from '../../src/preset/system-env.js';
import type { Store } from '../../src/store/store.js';

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** Long enough for a machine with much else to do. */
const times = { tickMs: 50, timeoutMs: 20_000 };

class Group {
  readonly #dir: string;
  readonly #addresses: readonly string[];

  private constructor(dir: string, addresses: readonly string[]) {
    this.#dir = dir;
    this.#addresses = addresses;
  }

  static async make(): Promise<Group> {
    const dir = await mkdtemp(join(tmpdir(), 'kontiki-group-'));
    cleanup.push(() => rm(dir, { recursive: true, force: true }));
    return new Group(dir, await freeAddresses(6));
  }

  address(nth: number): string {
    return this.#addresses[nth - 1] as string;
  }

  /** One of the first three. */
  async found(nth: number): Promise<Store> {
    const cluster = Object.fromEntries([1, 2, 3].map((each) => [`n${each}`, this.address(each)]));
    return this.#open({ name: `n${nth}`, dir: join(this.#dir, `n${nth}`), cluster });
  }

  /** @param via - who adds it, and waits until it votes */
  async add(nth: number, via: Store, asked: number): Promise<Store> {
    const name = `n${nth}`;
    const listen = this.address(nth);
    await via.members.add(name, listen);
    const place = { name, dir: join(this.#dir, name), listen, join: [this.address(asked)] };
    const store = await this.#open({ ...place, bootstrap: 'existing' });
    let role: string | undefined;
    while (role !== 'voter') {
      role = (await via.members.list()).find((each) => each.name === name)?.role;
    }
    return store;
  }

  /** The addresses that member `nth` presents itself with when it joins. */
  async presented(nth: number, via: Store): Promise<(string | undefined)[]> {
    const name = `n${nth}`;
    const listen = this.address(nth);
    await via.members.add(name, listen);
    const place = { name, dir: join(this.#dir, name), listen, join: [this.address(1)] };
    const config = storeConfig({ ...place, ...times, bootstrap: 'existing' });
    const env = await systemEnv(config);
    const { transport } = env;
    const [probe, start] = [transport.probe.bind(transport), transport.start.bind(transport)];
    const addresses: (string | undefined)[] = [];
    transport.probe = (self) => {
      addresses.push(self.address);
      return probe(self);
    };
    transport.start = (self, handlers) => {
      addresses.push(self.address);
      start(self, handlers);
    };
    const store = await openStoreOn(env, config);
    cleanup.push(() => store.close());
    return addresses;
  }

  async #open(options: object): Promise<Store> {
    const store = await openStore({ ...options, ...times });
    cleanup.push(() => store.close());
    return store;
  }
}

test('away while all others were replaced by members in their first life -> they find it, and it answers them', async () => {
  const group = await Group.make();
  const [n1, n2, n3] = await Promise.all([group.found(1), group.found(2), group.found(3)]);
  await n1.put('a', '1');
  await n3.close();
  const n4 = await group.add(4, n1, 1);
  const n5 = await group.add(5, n4, 4);
  await n4.members.remove('n1');
  await group.add(6, n5, 5);
  await n5.members.remove('n2');
  await Promise.all([n1.close(), n2.close()]);
  await n4.put('a', '2');
  const back = await group.found(3);
  expect((await back.get('a'))?.text()).toBe('2');
}, 120_000);

test('the leader is in its first life -> it can be joined by another all the same', async () => {
  const group = await Group.make();
  const [n1] = await Promise.all([group.found(1), group.found(2), group.found(3)]);
  const n4 = await group.add(4, n1, 1);
  await n1.transferLeadership('n4');
  const n5 = await group.add(5, n4, 1);
  await n4.put('a', '1');
  expect((await n5.get('a'))?.text()).toBe('1');
  expect(n5.status().leader).toBe('n4');
}, 120_000);

// Over TLS, a follower that has not heard of it yet would find its certificate good for nothing.
test('one that joins -> says where it is from the first question on', async () => {
  const group = await Group.make();
  const [n1] = await Promise.all([group.found(1), group.found(2), group.found(3)]);
  expect(await group.presented(4, n1)).toEqual([group.address(4), group.address(4)]);
}, 120_000);
