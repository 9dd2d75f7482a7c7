// A backup taken while writes go on is the store at one revision, the newest one or later when it was
// asked for; and what can happen to one that is under way.
import { describe, expect, test } from 'vitest';
import { readBackup, verifyBackup } from '../../src/backup/backup-file.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import { MemoryEngine, StateLoader, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import type { Store } from '../../src/store/store.js';
import { ImageFiles } from '../storage/snapshot-files/image-files.js';
import { VirtualStores } from '../store/virtual-store.js';
import { bytesOf } from './backed-up.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const path = 'store.backup';

/** What a backup holds at each revision, as `key=value` of every pair. */
async function statesIn(bytes: Uint8Array, stores: VirtualStores) {
  const file = { fs: new ImageFiles(new Map([[path, bytes]])), path };
  const { audit, info } = await verifyBackup(file);
  const engine = new MemoryEngine();
  const loader = await StateLoader.begin(engine);
  await readBackup(file, (records) => loader.add(records));
  await loader.finish(info.appliedIndex);
  const backend = await WriteBehindBackend.open({ engine, timers: stores.time });
  const machine = new StoreStateMachine(backend);
  await machine.open();
  expect(machine.keyspace.stateHash).toBe(audit.stateHash);
  const states = new Map<number, string[]>();
  for (let revision = audit.meta.compactRevision; revision <= info.revision; revision += 1) {
    if (revision === 0) continue;
    let query = machine.keyspace.rangeQuery({ op: 'range', keys: { gte: '' }, revision });
    while (!query.done) query = query.next(await backend.read(query.plan));
    const pairs = query.result.kvs.map((kv) => `${kv.key}=${Buffer.from(kv.value).toString()}`);
    states.set(revision, pairs);
  }
  await machine.close();
  return { info, states };
}

/** Random writes, some at once, and what each revision made of the store: a model that is a map. */
class Load {
  readonly #store: Store;
  readonly #random: Prng;
  readonly #after = new Map<number, [string, string | undefined]>();
  acknowledged = 1;

  constructor(store: Store, random: Prng) {
    this.#store = store;
    this.#random = random;
  }

  write(): Promise<void> {
    const key = `k${randomInt(this.#random, 9)}`;
    const isDelete = randomInt(this.#random, 5) === 0;
    const value = 'x'.repeat(randomInt(this.#random, 400)) + randomInt(this.#random, 99);
    const write = isDelete ? this.#store.delete(key) : this.#store.put(key, value);
    return write.then(({ revision, ...rest }) => {
      this.acknowledged = Math.max(this.acknowledged, revision);
      if ('deleted' in rest && rest.deleted === 0) return;
      this.#after.set(revision, [key, isDelete ? undefined : value]);
    });
  }

  stateAt(revision: number): string[] {
    const pairs = new Map<string, string>();
    for (const [at, [key, value]] of [...this.#after].sort(([a], [b]) => a - b)) {
      if (at > revision) break;
      if (value === undefined) pairs.delete(key);
      else pairs.set(key, value);
    }
    return [...pairs].map(([key, value]) => `${key}=${value}`).sort();
  }
}

describe('a backup', () => {
  const seeds = Array.from({ length: Math.max(1, Math.round(8 * depth)) }, (_, i) => 500 + i);
  test.each(seeds)(
    'seed %i: of any member under load -> the model at its revision',
    async (seed) => {
      const random = new Prng(seed);
      const stores = await VirtualStores.opened(1 + 2 * randomInt(random, 2));
      const member = stores.store(1 + randomInt(random, stores.ids.length));
      const load = new Load(stores.store(1), random);
      const writing: Promise<void>[] = [];
      const write = (count: number) => {
        for (let n = 0; n < count; n += 1) writing.push(load.write());
      };
      write(randomInt(random, 300));
      if (randomInt(random, 2) === 0) await stores.settle(Promise.all(writing));
      const asked = load.acknowledged;
      const backup = member.backup();
      const chunks: Uint8Array[] = [];
      const taking = (async () => {
        for await (const chunk of backup) {
          chunks.push(chunk);
          write(randomInt(random, 30));
          if (randomInt(random, 20) === 0) void stores.member(1).machine.flush();
        }
      })();
      await stores.settle(taking);
      await stores.settle(Promise.all(writing));
      const { info, states } = await statesIn(Buffer.concat(chunks), stores);
      expect(info).toEqual(backup.info);
      expect(info.revision).toBeGreaterThanOrEqual(asked);
      for (const [revision, pairs] of states) {
        expect(pairs, `seed ${seed}, revision ${revision}`).toEqual(load.stateAt(revision));
      }
      expect(states.has(info.revision)).toBe(true);
      await stores.close();
    },
  );

  test('nobody leads -> refused, but for what is here', async () => {
    const stores = await VirtualStores.opened(3);
    await stores.settle(stores.store(1).put('k', '1'));
    await stores.time.until(() => stores.store(3).status().revision === 2);
    await stores.settle(stores.store(1).close());
    await stores.settle(stores.store(2).close());
    await stores.time.until(() => stores.store(3).status().leader === undefined);
    const refused = bytesOf(stores.store(3).backup({ timeoutMs: 500 }));
    await expect(stores.settle(refused)).rejects.toMatchObject({ code: 'TIMEOUT' });
    const bytes = await stores.settle(bytesOf(stores.store(3).backup({ serializable: true })));
    const { states } = await statesIn(bytes, stores);
    expect(states.get(2)).toEqual(['k=1']);
    await stores.close();
  });

  test('iterated twice, left early, aborted, the store closes -> settled, nothing is held', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    await stores.settle(store.put('k', 'x'.repeat(1_000)));
    const twice = store.backup();
    await stores.settle(bytesOf(twice));
    expect(() => twice[Symbol.asyncIterator]()).toThrow(
      expect.objectContaining({ code: 'ITERATOR_BUSY' }),
    );
    const left = store.backup()[Symbol.asyncIterator]();
    await stores.settle(left.next());
    await stores.settle(left.return?.() as Promise<unknown>);
    expect((await left.next()).done).toBe(true);
    const abort = new AbortController();
    const aborted = store.backup({ signal: abort.signal })[Symbol.asyncIterator]();
    await stores.settle(aborted.next());
    abort.abort(new Error('enough'));
    await expect(stores.settle(aborted.next())).rejects.toThrow('enough');
    const cut = store.backup()[Symbol.asyncIterator]();
    await stores.settle(cut.next());
    await stores.settle(cut.next());
    await stores.close();
    await expect(cut.next()).rejects.toMatchObject({ code: 'CLOSED' });
    expect((await cut.next()).done).toBe(true);
    await expect(store.backup()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'CLOSED',
    });
  });

  test('the member gets a snapshot meanwhile -> OVERTAKEN, not half of two states', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    await stores.settle(store.put('k', '1'));
    const backup = store.backup()[Symbol.asyncIterator]();
    await stores.settle(backup.next());
    // Behind the header and the beginning come records, which are read.
    await stores.settle(backup.next());
    const { machine } = stores.member(1);
    const engine = new MemoryEngine();
    const other = await WriteBehindBackend.open({ engine, timers: stores.time });
    await machine.backend.close();
    Object.defineProperty(machine, 'backend', { get: () => other });
    await expect(backup.next()).rejects.toMatchObject({ code: 'OVERTAKEN' });
  });

  test('unknown or wrong options -> refused at once', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const invalid = expect.objectContaining({ code: 'ARGUMENT_INVALID' });
    expect(() => store.backup({ serialisable: true } as never)).toThrow(invalid);
    expect(() => store.backup({ serializable: 1 } as never)).toThrow(invalid);
    await stores.close();
  });
});
