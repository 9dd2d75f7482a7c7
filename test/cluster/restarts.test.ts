// Three members in this process over real TCP and real files. Each in turn is killed and restarted
// under load; afterwards every acknowledged write is there, and each member's watcher has seen every
// revision exactly once and in order.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { isKontikiError } from '../../src/base/errors.js';
import type { Store } from '../../src/store/store.js';
import { KillableEnv } from './killable-env.js';

const names = ['n1', 'n2', 'n3'];

/** One member, its watcher, and what the watcher saw over all its lives. */
class Member {
  readonly seen: number[] = [];
  readonly watchErrors: unknown[] = [];
  store: Store | undefined;
  #env: KillableEnv | undefined;

  constructor(
    readonly name: string,
    readonly options: { readonly dir: string; readonly cluster: Record<string, string> },
  ) {}

  async open(): Promise<void> {
    const config = storeConfig({ name: this.name, ...this.options, tickMs: 20, timeoutMs: 3_000 });
    this.#env = await KillableEnv.create(config);
    this.store = await openStoreOn(this.#env.env, config);
    void this.#watch(this.store).catch((error: unknown) => {
      if (!isKontikiError(error, 'CLOSED')) this.watchErrors.push(error);
    });
  }

  async kill(): Promise<void> {
    this.store = undefined;
    await this.#env?.kill();
  }

  async #watch(store: Store): Promise<void> {
    const fromRevision = (this.seen.at(-1) ?? 1) + 1;
    for await (const { events } of store.watch({ prefix: '' }, { fromRevision })) {
      if (this.store !== store) return;
      for (const { kv } of events) this.seen.push(kv.modRevision);
    }
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function openCluster(): Promise<Member[]> {
  const root = await mkdtemp(join(tmpdir(), 'kontiki-'));
  cleanup.push(() => rm(root, { recursive: true, force: true }));
  const cluster: Record<string, string> = {};
  for (const name of names) cluster[name] = `127.0.0.1:${await freePort()}`;
  const members = names.map((name) => new Member(name, { dir: join(root, name), cluster }));
  await Promise.all(members.map((member) => member.open()));
  cleanup.push(async () => {
    await Promise.all(members.map((member) => member.store?.close().catch(() => undefined)));
  });
  return members;
}

/** Puts unique values through whichever members are up, until told to stop. */
function startLoad(members: readonly Member[]) {
  const acknowledged = new Map<string, number>();
  const rejected = new Set<string>();
  let stopped = false;
  const client = async (id: number): Promise<void> => {
    for (let round = 0; !stopped; round += 1) {
      const store = members[(id + round) % members.length]?.store;
      const key = `c${id}/${round}`;
      // A dead member's calls never settle, and a client has better things to do than wait.
      const put = store?.put(key, `value of ${key}`).then(
        ({ revision }) => acknowledged.set(key, revision),
        (error: unknown) => {
          if (isKontikiError(error) && error.outcome === 'rejected') rejected.add(key);
        },
      );
      await Promise.race([put, new Promise((resolve) => setTimeout(resolve, 300))]);
    }
  };
  const clients = Array.from({ length: 6 }, (_, id) => client(id));
  return {
    acknowledged,
    rejected,
    stop: async () => {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 10 });

describe('three members over TCP and files', () => {
  test('each killed and restarted in turn under load -> nothing lost, every revision seen once', async () => {
    const members = await openCluster();
    const load = startLoad(members);
    await until(() => load.acknowledged.size > 200);
    for (const member of members) {
      const before = load.acknowledged.size;
      await member.kill();
      await until(() => load.acknowledged.size > before + 100);
      await member.open();
      const afterRestart = load.acknowledged.size;
      await until(() => load.acknowledged.size > afterRestart + 100);
    }
    await load.stop();
    const [first] = members;
    await first?.store?.put('end', 'end');
    const last = first?.store?.status().revision ?? 0;
    await until(() => members.every((member) => member.seen.at(-1) === last));
    for (const { name, seen, store, watchErrors } of members) {
      expect(watchErrors, `watch of ${name}`).toEqual([]);
      expect(seen, `revisions seen on ${name}`).toEqual(
        Array.from({ length: last - 1 }, (_, at) => at + 2),
      );
      const { kvs } = (await store?.range({ prefix: '' })) ?? { kvs: [] };
      const found = new Map(kvs.map((kv) => [kv.keyText(), kv]));
      for (const [key, revision] of load.acknowledged) {
        expect(found.get(key)?.modRevision, `${key} on ${name}`).toBe(revision);
        expect(found.get(key)?.text()).toBe(`value of ${key}`);
      }
      for (const key of load.rejected) expect(found.has(key), `${key} was rejected`).toBe(false);
    }
  }, 90_000);
});
