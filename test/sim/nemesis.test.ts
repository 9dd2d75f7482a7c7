// Random faults under load: power loss and process kills of any number of members, isolation, lost
// and repeated messages, failing syncs. Then everything heals, and the history must be right.
import { afterAll, describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { randomInt } from '../../src/base/prng.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { Simulator } from '../../src/testing/simulator.js';
import { type Name, names, SimCluster } from './cluster.js';
import { checkHistory } from './history-check.js';
import { startLoad } from './load.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
let hashesCompared = 0;

class Nemesis {
  readonly #cluster: SimCluster;
  readonly #random: SimRandom;
  readonly #down = new Set<Name>();

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = new SimRandom({ seed: cluster.sim.seed, stream: 'nemesis', entity: [] });
  }

  async act(): Promise<void> {
    const { sim } = this.#cluster;
    const name = names[randomInt(this.#random, 3)] as Name;
    switch (randomInt(this.#random, 6)) {
      case 0:
      case 1:
        await this.#toggle(name);
        break;
      case 2:
        sim.network.isolate(name);
        break;
      case 3:
        sim.network.heal();
        break;
      case 4:
        sim.network.configure({ dropRate: randomInt(this.#random, 4) / 20 });
        break;
      default:
        sim.network.configure({ duplicateRate: randomInt(this.#random, 4) / 10 });
    }
  }

  async heal(): Promise<void> {
    const { sim } = this.#cluster;
    sim.network.heal();
    sim.network.configure({ dropRate: 0, duplicateRate: 0 });
    for (const name of [...this.#down]) await this.#toggle(name);
  }

  async #toggle(name: Name): Promise<void> {
    if (!this.#down.delete(name)) {
      this.#cluster.crash(name, randomInt(this.#random, 2) === 0 ? 'power' : 'process');
      this.#down.add(name);
      return;
    }
    try {
      await this.#cluster.sim.complete(this.#cluster.open(name), 10_000);
    } catch (error) {
      // Nothing in this test may damage a disk, so nothing may be refused.
      const { sim } = this.#cluster;
      throw isKontikiError(error)
        ? new Error(`${error.code} ${error.message} ${sim.describe()}`)
        : error;
    }
  }
}

async function play(seed: number): Promise<void> {
  const sim = new Simulator({ seed });
  const cluster = new SimCluster(sim);
  await cluster.openAll();
  const load = startLoad(cluster, 4);
  const nemesis = new Nemesis(cluster);
  const random = new SimRandom({ seed, stream: 'schedule', entity: [] });
  for (let round = 0; round < 12; round += 1) {
    await sim.run(300 + randomInt(random, 2_500));
    await nemesis.act();
  }
  await nemesis.heal();
  await sim.run(6_000);
  load.stop();
  await sim.run(8_000);
  await sim.runUntil(() => cluster.settled(), 30_000);
  const { acknowledged, hashes } = await checkHistory(cluster, load);
  hashesCompared += hashes;
  expect(acknowledged).toBeGreaterThan(20);
}

describe('random faults', () => {
  afterAll(() => {
    expect(hashesCompared, 'runs are long enough to record state hashes').toBeGreaterThan(0);
  });

  const seeds = Array.from({ length: Math.max(1, Math.round(12 * depth)) }, (_, i) => 1_000 + i);
  test.each(seeds)(
    'seed %i -> equal members, nothing acknowledged lost, nothing rejected there',
    async (seed) => {
      await play(seed);
    },
    60_000,
  );
});
