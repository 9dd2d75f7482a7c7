// Lease reads as a setting of the whole group: switched on by one member, a leader then answers
// without asking, and never with less than what was acknowledged anywhere.
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { Store } from '../../src/store/store.js';
import { Simulator } from '../../src/testing/simulator.js';
import { type Name, names, SimCluster } from './cluster.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

async function leading(seed: number, leaseReads: boolean) {
  const sim = new Simulator({ seed });
  const cluster = new SimCluster(sim);
  await cluster.openAll();
  await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  const leader = cluster.leader() as Name;
  const store = cluster.stores.get(leader) as Store;
  await sim.complete(store.put('a', '1'), 10_000);
  if (leaseReads) await sim.complete(store.setLeaseReads(true), 10_000);
  // Until every member has flushed the setting and taken it up.
  await sim.run(3_000);
  return { sim, cluster, leader, store };
}

/** How long a read took that was answered; undefined when it was not within `withinMs`. */
async function timedRead(sim: Simulator, store: Store, withinMs: number) {
  const from = sim.nowMs;
  let took: number | undefined;
  store.get('a').then(
    () => {
      took = sim.nowMs - from;
    },
    () => undefined,
  );
  await sim.runUntil(() => took !== undefined, withinMs).catch(() => undefined);
  return took;
}

describe('lease reads', () => {
  test('off: a leader that was cut off answers no read', async () => {
    const { sim, leader, store } = await leading(1, false);
    sim.network.isolate(leader);
    expect(await timedRead(sim, store, 300)).toBeUndefined();
  });

  test('on: a leader that was just cut off still answers, and soon not any more', async () => {
    const { sim, leader, store } = await leading(1, true);
    sim.network.isolate(leader);
    expect(await timedRead(sim, store, 300)).toBeLessThan(5);
    await sim.run(1_000);
    expect(await timedRead(sim, store, 300)).toBeUndefined();
  });

  test('switched off again: a round for every read', async () => {
    const { sim, leader, store } = await leading(1, true);
    await sim.complete(store.setLeaseReads(false), 10_000);
    await sim.run(3_000);
    sim.network.isolate(leader);
    expect(await timedRead(sim, store, 300)).toBeUndefined();
  });

  test('on, the leader process is killed -> no fast failover: the pledge is kept', async () => {
    const { sim, cluster, leader } = await leading(1, true);
    cluster.crash(leader, 'process');
    const from = sim.nowMs;
    await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
    expect(sim.nowMs - from).toBeGreaterThan(500);
  });

  const seeds = Array.from({ length: 6 * depth }, (_, i) => 900 + i);
  test.each(seeds)(
    'seed %i: leaders cut off and killed -> no read misses a write',
    async (seed) => {
      const { sim, cluster } = await leading(seed, true);
      const random = new Prng(seed);
      let acknowledged = 0;
      let answered = 0;
      let next = 1;
      const stale: string[] = [];
      const someStore = () => cluster.stores.get(names[randomInt(random, 3)] as Name);
      const write = () => {
        const value = next;
        next += 1;
        someStore()
          ?.put('a', String(value))
          .then(({ revision }) => {
            acknowledged = Math.max(acknowledged, revision);
          })
          .catch(() => undefined);
      };
      const read = () => {
        const floor = acknowledged;
        someStore()
          ?.get('a')
          .then((found) => {
            answered += 1;
            const seen = found?.modRevision ?? 0;
            if (seen < floor) stale.push(`read ${seen}, acknowledged ${floor} at ${sim.nowMs}`);
          })
          .catch(() => undefined);
      };
      for (let round = 0; round < 60; round += 1) {
        await fault(cluster, random);
        for (let step = 0; step < 10; step += 1) {
          write();
          read();
          read();
          await sim.run(20 + randomInt(random, 60));
        }
      }
      expect(stale).toEqual([]);
      expect(answered).toBeGreaterThan(100);
    },
  );
});

/** Cuts the leader off or suspends it, heals, kills or restarts somebody, or nothing. */
async function fault(cluster: SimCluster, random: Prng): Promise<void> {
  const { sim } = cluster;
  const leader = cluster.leader();
  for (const name of names) {
    if (!cluster.stores.has(name)) await sim.complete(cluster.open(name), 20_000);
  }
  switch (randomInt(random, 7)) {
    case 5:
      if (leader !== undefined) sim.machine(leader).pause();
      break;
    case 6:
      for (const name of names) sim.machine(name).resume();
      break;
    case 0:
      if (leader !== undefined) sim.network.isolate(leader);
      break;
    case 1:
      cluster.crash(names[randomInt(random, 3)] as Name, 'process');
      break;
    case 2:
      cluster.crash(names[randomInt(random, 3)] as Name, 'power');
      break;
    default:
      sim.network.heal();
  }
}
