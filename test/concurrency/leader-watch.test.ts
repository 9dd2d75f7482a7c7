// An observation against its slow twin, which sorts all candidates after every revision of the history.
import { describe, expect, test } from 'vitest';
import { binaryString } from '../../src/base/bytes.js';
import { randomInt } from '../../src/base/prng.js';
import { Election } from '../../src/concurrency/index.js';
import type { KeyValue } from '../../src/store/key-value.js';
import { op } from '../../src/store/operations.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { LockWorld } from './lock-world.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const firstSeed = Number(process.env.KONTIKI_SEED ?? 1);
const seeds = Array.from({ length: Math.max(1, Math.round(2 * depth)) }, (_, at) => firstSeed + at);
const changes = 150;

const name = (kv: KeyValue) => `${kv.createRevision}.${kv.modRevision}`;

/** Leaders by revision, each told when it, or what it says, is another one. */
async function leadersSlowly(world: LockWorld): Promise<string[]> {
  const last = world.store().status().revision;
  const candidates = new Map<string, KeyValue>();
  const told: string[] = [];
  for await (const { events, revision } of world
    .store()
    .watch({ prefix: 'e/' }, { fromRevision: 1 })) {
    for (let at = 1; at <= revision; at += 1) {
      for (const { type, kv } of events.filter(({ kv }) => kv.modRevision === at)) {
        if (type === 'put') candidates.set(binaryString(kv.key), kv);
        else candidates.delete(binaryString(kv.key));
      }
      const [leader] = [...candidates.values()].sort((a, b) => a.createRevision - b.createRevision);
      if (leader !== undefined && told.at(-1) !== name(leader)) told.push(name(leader));
    }
    if (revision >= last) break;
  }
  return told;
}

describe('observe', () => {
  test.each(seeds)('seed %i, random candidates -> as the slow twin says', async (seed) => {
    const random = new SimRandom({ seed, stream: 'candidates', entity: [] });
    const key = () => `e/${randomInt(random, 6)}`;
    const world = await LockWorld.started(seed, 1);
    const store = world.store();
    const told: string[] = [];
    const watch = new Election(store, 'e', { timers: world.timers }).observe();
    const observing = (async () => {
      for await (const kv of watch) {
        told.push(name(kv));
        // Now and then it lags, and gets many revisions at a time.
        await new Promise<void>((resolve) => world.timers.after(randomInt(random, 40), resolve));
      }
    })();
    await world.run(100);
    for (let at = 0; at < changes; at += 1) {
      const keys = new Set([key(), key(), key()].slice(randomInt(random, 3)));
      const steps = [...keys].map((each) =>
        randomInt(random, 5) < 3 ? op.put(each, '') : op.delete(each),
      );
      await world.done(
        store
          .txn()
          .do(...steps)
          .commit(),
      );
    }
    await world.done(store.put('e/last', ''));
    await world.run(10_000);
    const expected = await world.done(leadersSlowly(world));
    expect(told, `seed ${seed}`).toEqual(expected);
    expect(told.length).toBeGreaterThan(changes / 10);
    void watch.return();
    await world.done(observing);
  });
});

describe('return', () => {
  const observing = (world: LockWorld, signal?: AbortSignal) => {
    const looks = { count: 0 };
    const kv = new Proxy(world.store(), {
      get: (store, name) => {
        if (name === 'range') looks.count += 1;
        return (store[name as keyof typeof store] as () => unknown).bind(store);
      },
    });
    const watch = new Election(kv, 'e', { timers: world.timers }).observe({ signal });
    return { looks, watch };
  };
  const leaderless = async () => {
    const world = await LockWorld.started(4);
    for (const each of world.cluster.names) world.cluster.sim.network.isolate(each);
    await world.run(5_000);
    return world;
  };

  test('while there is no Raft leader -> the pending next() is done, and nobody looks any more', async () => {
    const world = await leaderless();
    const { looks, watch } = observing(world);
    const next = world.watched(watch.next());
    await world.run(100);
    await world.done(watch.return());
    await world.until(() => next.state !== 'open');
    expect([next.state, next.value]).toEqual(['ok', { done: true, value: undefined }]);
    const { count } = looks;
    await world.run(60_000);
    expect(looks.count).toBe(count);
    expect(await world.done(watch.next())).toEqual({ done: true, value: undefined });
  });

  test('while it waits for the next leader -> the pending next() is done', async () => {
    const world = await LockWorld.started(4);
    const { watch } = observing(world);
    const next = world.watched(watch.next());
    await world.run(1_000);
    await world.done(watch.return());
    await world.until(() => next.state !== 'open');
    expect([next.state, next.value]).toEqual(['ok', { done: true, value: undefined }]);
  });

  test("the caller's signal instead -> the pending next() fails with its reason", async () => {
    const world = await leaderless();
    const abort = new AbortController();
    const next = world.watched(observing(world, abort.signal).watch.next());
    await world.run(100);
    abort.abort(new Error('enough'));
    await world.until(() => next.state !== 'open');
    expect(next.error).toMatchObject({ message: 'enough' });
  });
});
