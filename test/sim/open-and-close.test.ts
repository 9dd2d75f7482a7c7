// Members that are opened and closed again and again, at any moment and under calls of every kind: each
// call settles, with an answer or a typed error, and nothing of a life is left.
import { getEventListeners, setMaxListeners } from 'node:events';
import { expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import type { Timer, Timers } from '../../src/base/clock.js';
import { isKontikiError } from '../../src/base/errors.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { Store } from '../../src/store/store.js';
import { SimCluster } from '../../src/testing/cluster/sim-cluster.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

/** Timers, of which those can be counted that were set and neither fired nor cancelled. */
class CountedTimers implements Timers {
  readonly #timers: Timers;
  readonly #live = new Set<object>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get live(): number {
    return this.#live.size;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#counted((fire) => this.#timers.after(delayMs, fire), callback);
  }

  soon(callback: () => void): Timer {
    return this.#counted((fire) => this.#timers.soon(fire), callback);
  }

  #counted(set: (fire: () => void) => Timer, callback: () => void): Timer {
    const key = {};
    this.#live.add(key);
    const timer = set(() => {
      this.#live.delete(key);
      callback();
    });
    return {
      cancel: () => {
        this.#live.delete(key);
        timer.cancel();
      },
    };
  }
}

/** One call of each kind that waits for something. */
function callsOf(store: Store, signal: AbortSignal): Promise<unknown>[] {
  const watch = store.watch({ prefix: '' });
  const leaderships = store.leadership();
  const scan = store.scan({ prefix: '' });
  return [
    store.put('a', 'x', { signal, timeoutMs: 60_000 }),
    store.get('a', { signal, timeoutMs: 60_000 }),
    store.range({ prefix: 'a', signal, timeoutMs: 60_000 }),
    store.delete({ prefix: 'b' }, { signal, timeoutMs: 60_000 }),
    store.lease(60, { keepAlive: true, signal, timeoutMs: 60_000 }),
    store.setLeaseReads(true),
    store.compact(1),
    (async () => {
      for await (const _ of watch);
    })(),
    (async () => {
      for await (const _ of leaderships);
    })(),
    (async () => {
      for await (const _ of scan);
    })(),
    (async () => {
      for await (const _ of store.backup());
    })(),
  ];
}

test.each(Array.from({ length: 3 * depth }, (_, at) => 700 + at))(
  'seed %i, members opened and closed 10 times -> every call settles, nothing is left',
  async (seed) => {
    const random = new Prng(seed);
    const timers = new Map<string, CountedTimers>();
    const cluster = new SimCluster<Store>({
      seed,
      members: seed % 3 === 0 ? 1 : 3,
      open: (env, place) => {
        const counted = new CountedTimers(env.timers);
        timers.set(place.name, counted);
        return openStoreOn({ ...env, timers: counted }, storeConfig({ ...place, tickMs: 20 }));
      },
    });
    const { sim } = cluster;
    const { signal } = new AbortController();
    // One for all calls: as many listen as wait.
    setMaxListeners(0, signal);
    const untyped: unknown[] = [];
    let answered = 0;
    for (let cycle = 0; cycle < 10; cycle += 1) {
      await cluster.startAll(60_000);
      await sim.run(randomInt(random, 600));
      const stores = cluster.names.map((name) => cluster.service(name));
      const calls = stores
        .flatMap((store) => callsOf(store, signal))
        .map((call) =>
          call.then(
            () => {
              answered += 1;
            },
            (error: unknown) => {
              if (!isKontikiError(error)) untyped.push(error);
            },
          ),
        );
      await sim.run(randomInt(random, 2) === 0 ? randomInt(random, 10) : randomInt(random, 400));
      await sim.complete(Promise.all(stores.map((store) => store.close())), 60_000);
      // Those that were begun are over with their member: nothing more has to happen.
      await sim.complete(Promise.all(calls), 1_000);
      for (const name of cluster.names) {
        const { disk } = cluster.machine(name);
        const left = [timers.get(name)?.live, disk.openFiles, disk.locks.size];
        expect([cycle, name, ...left]).toEqual([cycle, name, 0, 0, 0]);
        cluster.crash(name, 'process');
      }
      expect(getEventListeners(signal, 'abort').length).toBe(0);
    }
    expect(untyped).toEqual([]);
    expect(answered).toBeGreaterThan(10);
  },
  60_000,
);
