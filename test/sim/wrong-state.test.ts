// A record of one member that is wrong under a right checksum, while members die and are cut off: once all
// is well and the next hash is recorded, that member and no other is alarmed, and it answers nobody.
import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../src/base/bytes.js';
import { randomInt } from '../../src/base/prng.js';
import { decodeCurrent, encodeChange } from '../../src/mvcc/record.js';
import { currentKey } from '../../src/mvcc/record-keys.js';
import { stateHashInterval } from '../../src/store/state-hashes.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';
import { SimRandom } from '../../src/testing/sim-random.js';

const firstSeed = Number(process.env.KONTIKI_SEED ?? 1);
const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const keys = ['a', 'b', 'c'];

class World {
  readonly random: SimRandom;
  readonly cluster;
  readonly machines = new Map<string, StoreStateMachine>();
  #values = 0;
  served = 0;
  refused = 0;
  isOver = false;

  constructor(seed: number, members: number) {
    this.random = new SimRandom({ seed, stream: 'wrong-state', entity: [] });
    const [store, tuning] = [{ tickMs: 20, timeoutMs: 1_000 }, { flushIntervalMs: 20 }];
    this.cluster = storeCluster({ seed, members, store, tuning });
    this.cluster.onMachine((machine) => {
      const { observer } = machine;
      machine.observer = {
        ...observer,
        opened: (node) => {
          if (node.machine instanceof StoreStateMachine) {
            this.machines.set(machine.name, node.machine);
          }
          observer.opened(node);
        },
      };
    });
  }

  draw<T>(from: readonly T[]): T {
    return from[randomInt(this.random, from.length)] as T;
  }

  run(ms: number): Promise<void> {
    return this.cluster.sim.run(ms);
  }

  /** Puts in one go, wherever they get; what fails is made again by the next one. */
  async write(count: number): Promise<void> {
    const via = this.cluster.service(this.draw(this.cluster.running));
    const puts = Array.from({ length: count }, () => {
      this.#values += 1;
      return via.put(this.draw(keys), `${this.#values}`);
    });
    await this.cluster.sim.complete(Promise.allSettled(puts), 5_000);
  }

  /** Reads on every member for as long as the run goes: who knows its alarm answers nobody. */
  async read(name: string): Promise<void> {
    while (!this.isOver) {
      const store = this.cluster.find(name);
      const wasAlarmed = store?.status().alarms.some((alarm) => alarm.member === name) === true;
      try {
        const asked = store?.get(this.draw(keys), { serializable: this.draw([true, false]) });
        // A call in a process that dies never settles.
        if ((await Promise.race([asked, this.#later(3_000)])) === 'later') continue;
        if (wasAlarmed) throw new Error(`${name} answered in spite of its alarm`);
        this.served += 1;
      } catch (error) {
        if (wasAlarmed) expect(error).toMatchObject({ code: 'CORRUPT' });
        this.refused += wasAlarmed ? 1 : 0;
      }
      await this.#later(20);
    }
  }

  #later(ms: number): Promise<'later'> {
    const { scheduler } = this.cluster.sim;
    return new Promise((resolve) => scheduler.after(ms * 1_000, () => resolve('later')));
  }

  /** The wrong record goes to the disk with the next flush. */
  async falsify(name: string): Promise<void> {
    const { backend, appliedIndex } = this.machines.get(name) as StoreStateMachine;
    const recordKey = currentKey('a');
    const reading = Promise.resolve(backend.read({ keys: [recordKey], ranges: [] }));
    const { records } = await this.cluster.sim.complete(reading, 1_000);
    const change = decodeCurrent(recordKey, records[0] as Uint8Array);
    const version = { ...change.version, value: utf8Bytes('wrong') };
    backend.apply([[recordKey, encodeChange({ ...change, version })]], appliedIndex);
    await this.run(200);
  }

  async fault(): Promise<void> {
    const { cluster } = this;
    const name = this.draw(cluster.names);
    if (randomInt(this.random, 2) === 0) {
      cluster.crash(name, this.draw(['power', 'process'] as const));
      await this.run(randomInt(this.random, 300));
      await cluster.startAll();
    } else {
      cluster.sim.network.isolate(name);
      await this.run(randomInt(this.random, 1_000));
      cluster.sim.network.heal();
    }
  }

  /** Members whose state is not that of most, once all stand at one entry. */
  async different(): Promise<string[]> {
    await this.cluster.sim.runUntil(() => this.cluster.isSettled(), 20_000);
    const hashes = new Map(
      [...this.machines].map(([name, { keyspace }]) => [name, keyspace.stateHash]),
    );
    const all = [...hashes.values()];
    const most = all.find((hash) => 2 * all.filter((it) => it === hash).length > all.length);
    return [...hashes].filter(([, hash]) => hash !== most).map(([name]) => name);
  }
}

describe('one wrong record', () => {
  const seeds = Array.from({ length: 3 * depth }, (_, nth) => firstSeed + nth);

  test('any member, any faults -> alarmed within ten seconds, and nobody else', async () => {
    let alarmedRuns = 0;
    for (const seed of seeds) {
      const world = new World(seed, seed % 3 === 0 ? 5 : 3);
      const { cluster } = world;
      await cluster.startAll();
      await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
      for (const key of keys)
        await cluster.sim.complete(cluster.service('n1').put(key, '0'), 5_000);
      await cluster.sim.runUntil(() => cluster.isSettled(), 10_000);
      const wrong = world.draw(cluster.names);
      for (const name of cluster.names) void world.read(name);
      await world.falsify(wrong);
      for (let nth = 0; nth < 4; nth += 1) {
        await world.write(100);
        await world.fault();
      }
      const names = () =>
        cluster.names.map((name) =>
          cluster
            .service(name)
            .status()
            .alarms.map(({ member }) => member),
        );
      const different = await world.different();
      expect([[], [wrong]], `seed ${seed}`).toContainEqual(different);
      const { lastIndex } = cluster.service('n1').status();
      const mark = Math.ceil((lastIndex + 1) / stateHashInterval) * stateHashInterval;
      while (cluster.service('n1').status().lastIndex <= mark) await world.write(200);
      await world.run(10_000);
      for (const alarms of names()) expect(alarms, `seed ${seed}`).toEqual(different);
      alarmedRuns += different.length;
      await world.run(500);
      world.isOver = true;
      await world.run(1_000);
      expect(world.served).toBeGreaterThan(0);
      if (different.length > 0) expect(world.refused).toBeGreaterThan(0);
    }
    expect(alarmedRuns).toBeGreaterThan(seeds.length / 2);
  }, 60_000);
});

test('all are suspended before the one that could say has told -> still only the wrong one', async () => {
  const world = new World(1, 3);
  const { cluster } = world;
  const { sim } = cluster;
  await cluster.startAll();
  await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  const leader = cluster.leader() as string;
  for (const key of keys) await sim.complete(cluster.service(leader).put(key, '0'), 5_000);
  await sim.runUntil(() => cluster.isSettled(), 10_000);
  const [wrong, late] = cluster.names.filter((name) => name !== leader) as [string, string];
  await world.falsify(wrong);
  const put = async (count: number) => {
    const puts = Array.from({ length: count }, (_, at) =>
      cluster.service(leader).put('a', `${at}`),
    );
    await sim.complete(Promise.allSettled(puts), 5_000);
  };
  await put(stateHashInterval - (cluster.service(leader).status().lastIndex % 1_024) - 5);
  sim.network.isolate(late);
  await put(20);
  // The leader has compared two of three.
  await world.run(2_500);
  sim.network.heal();
  for (const name of cluster.names) cluster.machine(name).pause();
  await world.run(60_000);
  for (const name of cluster.names) cluster.machine(name).resume();
  const alarms = () => cluster.service(late).status().alarms;
  await sim.runUntil(() => alarms().length > 0, 10_000);
  await world.run(1_000);
  expect(alarms().map(({ member }) => member)).toEqual([wrong]);
}, 60_000);
