// Old copies of a data directory are found out by the others, whoever was there when they were made, and
// restarts are not taken for them.
import { expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.js';
import type { SimCluster } from '../../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../../src/testing/cluster/store-cluster.js';
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import { Simulation } from '../../../src/testing/run/simulation.js';
import { StoreWorkload } from '../../../src/testing/workload/store-workload.js';

const name = 'n3';

/** Three members; `n3` follows. */
class World {
  readonly cluster: SimCluster<Store>;

  private constructor(seed: number) {
    this.cluster = storeCluster({ seed });
  }

  static async make(seed: number): Promise<World> {
    const world = new World(seed);
    await world.cluster.startAll();
    await world.follows();
    return world;
  }

  get machine() {
    return this.cluster.machine(name);
  }

  async put(key: string): Promise<void> {
    const by = this.cluster.running.find((each) => each !== name) as string;
    await this.cluster.sim.complete(this.cluster.service(by).put(key, key), 20_000);
  }

  /** All have met, the leader is another one, and all have all of the log. */
  async follows(): Promise<void> {
    const { cluster } = this;
    const isReady = () => {
      const isMet = cluster.names.every((each) => cluster.machine(each).linkedTo.length === 2);
      return isMet && cluster.leader() !== undefined && cluster.isSettled();
    };
    await cluster.sim.runUntil(isReady, 20_000);
    if (cluster.leader() !== name) return;
    const { members } = cluster.service(name);
    await cluster.sim.complete(members.transferLeadership('n1'), 20_000);
    await this.follows();
  }

  async restart(): Promise<Store> {
    this.cluster.crash(name, 'process');
    return this.start();
  }

  start(): Promise<Store> {
    return this.cluster.sim.complete(this.cluster.start(name), 20_000);
  }

  /** It is refused, and never opens again. */
  async expectRefused(): Promise<void> {
    const { cluster } = this;
    const old = cluster.service(name);
    await cluster.sim.runUntil(() => old.status().lifecycle === 'closed', 20_000);
    expect(old.status().failure).toMatchObject({ code: 'MEMBER_ROLLED_BACK' });
    await expect(this.restart()).rejects.toMatchObject({ code: 'MEMBER_ROLLED_BACK' });
    await this.put('on');
  }
}

test.each([0, 1, 3])(
  'a copy of an earlier life, started unheard %i times before -> refused, opens no more',
  async (unheard) => {
    const world = await World.make(11 + unheard);
    world.cluster.crash(name, 'process');
    const copy = world.machine.copyDisks();
    await world.start();
    await world.follows();
    world.cluster.crash(name, 'process');
    world.machine.putBack(copy);
    const { network } = world.cluster.sim;
    network.isolate(name);
    for (let time = 0; time < unheard; time += 1) {
      await world.start();
      await world.cluster.sim.run(200);
      world.cluster.crash(name, 'process');
    }
    network.heal();
    await world.start();
    await world.expectRefused();
  },
);

test('a copy of the same life, made before it acknowledged more -> refused by the leader', async () => {
  const world = await World.make(21);
  const copy = world.machine.copyDisks();
  await world.put('after the copy');
  await world.follows();
  world.cluster.crash(name, 'power');
  world.machine.putBack(copy);
  await world.start();
  await world.expectRefused();
});

test('the same, and all have been restarted since -> refused by who led then', async () => {
  const world = await World.make(22);
  const { cluster } = world;
  const copy = world.machine.copyDisks();
  // Pledges are kept once a minute.
  for (let time = 0; time < 3; time += 1) {
    await world.put('after the copy');
    await cluster.sim.run(61_000);
  }
  for (const each of cluster.names) cluster.crash(each, 'power');
  world.machine.putBack(copy);
  await cluster.startAll(20_000);
  await world.expectRefused();
});

test('a copy of the same life, made after all that it acknowledged -> the member goes on', async () => {
  const world = await World.make(23);
  world.cluster.crash(name, 'process');
  const copy = world.machine.copyDisks();
  world.machine.putBack(copy);
  await world.start();
  await world.follows();
  await world.put('on');
});

test('restarts, some of them unheard, and of all at once -> nobody is refused', async () => {
  const world = await World.make(24);
  const { cluster } = world;
  for (let time = 0; time < 3; time += 1) {
    cluster.sim.network.isolate(name);
    for (let start = 0; start < 6; start += 1) await world.restart();
    cluster.sim.network.heal();
    for (const each of cluster.names) cluster.crash(each, time === 1 ? 'process' : 'power');
    await cluster.startAll(20_000);
    await world.put(`${time}`);
    await world.follows();
  }
  const failures = cluster.names.map((each) => cluster.service(each).status().failure);
  expect(failures).toEqual([undefined, undefined, undefined]);
});

test('a run with the fault -> the copy is refused, all that is owed holds', async () => {
  const drawn = drawScenario(5, { durationMs: 6_000, faults: [], focus: 'none', members: 3 });
  const fault = { kind: 'rolled-back', target: 'n2', afterMs: 1_500, unheard: 1 } as const;
  const scenario = { ...drawn, clients: 2, pauseMs: 60, faults: [{ atMs: 500, fault }] };
  const { seed, tickMs, tuning } = scenario;
  const cluster = storeCluster({ seed, tuning, store: { tickMs } });
  const report = await new Simulation(scenario, cluster, new StoreWorkload()).run();
  expect(report.violation).toBeUndefined();
  expect(cluster.machine('n2').wipes).toBe(1);
  await expect(cluster.sim.complete(cluster.start('n2'), 5_000)).rejects.toMatchObject({
    code: 'MEMBER_ROLLED_BACK',
  });
});
