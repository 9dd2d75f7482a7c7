// Three members, one of them on a disk that damages what lies on it: that one refuses to open, or is
// right, and the two others go on without losing anything that was acknowledged.
import { describe, expect, test } from 'vitest';
import { randomInt } from '../../src/base/prng.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { Simulator } from '../../src/testing/simulator.js';
import { type Name, names } from './cluster.js';
import { checkHistory } from './history-check.js';
import { startLoad } from './load.js';
import { ShortLogs } from './short-logs.js';
import { damageEngine, flipOneBit, loseName, misdirectSector, refusalOf } from './store-damage.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const dir = 'data/store';

class Run {
  readonly cluster: ShortLogs;
  readonly #random: SimRandom;
  readonly #victim: Name;
  /** Code with which the damaged member refused, or stopped. */
  refused: string | undefined;
  what = '';

  constructor(seed: number) {
    this.cluster = new ShortLogs(new Simulator({ seed, traceLines: 30 }));
    this.#random = new SimRandom({ seed, stream: 'damaged-member', entity: [] });
    this.#victim = names[randomInt(this.#random, 3)] as Name;
  }

  async play(): Promise<void> {
    const { cluster } = this;
    const { sim } = cluster;
    await cluster.openAll();
    const load = startLoad(cluster, 4);
    await sim.run(500 + this.#int(2_500));
    cluster.crash(this.#victim, this.#int(2) === 0 ? 'power' : 'process');
    await sim.run(this.#int(3_000));
    this.#damage();
    await this.#reopen();
    await sim.run(1_000);
    // Whoever is left recovers without the damaged one.
    const others = names.filter((name) => name !== this.#victim);
    const next = others[this.#int(2)] as Name;
    cluster.crash(next);
    await sim.run(this.#int(500));
    await sim.complete(cluster.open(next), 10_000);
    const before = load.writes.length;
    await sim.run(5_000);
    this.#noteStop();
    load.stop();
    await sim.run(8_000);
    await sim.runUntil(() => cluster.settled(), 60_000);
    expect(load.writes.slice(before).some(({ outcome }) => outcome === 'ok')).toBe(true);
    await this.#readVictim();
    await checkHistory(cluster, load, others);
  }

  #damage(): void {
    const { disk, engineDisk } = this.cluster.sim.machine(this.#victim);
    const folder = disk.names.children(dir).findLast((name) => /^state(-|$)/.test(name));
    const kind = [flipOneBit, misdirectSector, loseName, undefined][this.#int(4)];
    const damage =
      kind === undefined
        ? damageEngine(engineDisk, `${dir}/${folder}`, this.#random)
        : kind(disk, dir, this.#random);
    this.what = damage.what;
  }

  async #reopen(): Promise<void> {
    const { cluster } = this;
    try {
      await cluster.sim.complete(cluster.open(this.#victim), 10_000);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** What is damaged may come to light only when it is needed. */
  #noteStop(): void {
    const failure = this.cluster.stores.get(this.#victim)?.status().failure;
    if (failure !== undefined) this.#refuse(failure);
  }

  #refuse(error: unknown): void {
    this.refused = refusalOf(error);
    this.cluster.crash(this.#victim, 'process');
  }

  /** If it still runs it has what the others have, or says that it has not. */
  async #readVictim(): Promise<void> {
    const { sim, stores } = this.cluster;
    const victim = stores.get(this.#victim);
    if (victim === undefined) return;
    const [other] = [...stores].filter(([name]) => name !== this.#victim);
    const dump = async (store: typeof victim | undefined) => {
      const { kvs = [] } = (await store?.range({ prefix: '' })) ?? {};
      return kvs.map((kv) => `${kv.keyText()}=${kv.text()}@${kv.modRevision}`);
    };
    const expected = await sim.complete(dump(other?.[1]), 10_000);
    const found = await sim.complete(dump(victim), 10_000).catch((error: unknown) => {
      this.#refuse(error);
      return undefined;
    });
    if (found !== undefined) expect(found).toEqual(expected);
  }

  #int(below: number): number {
    return randomInt(this.#random, below);
  }
}

describe('one damaged member of three', () => {
  const count = Math.max(1, Math.round(4 * depth));
  test(
    `${count} seeds -> it refuses or is right, the others lose nothing`,
    async () => {
      const endings: Record<string, number> = {};
      for (let seed = 1; seed <= count; seed += 1) {
        const run = new Run(seed);
        try {
          await run.play();
        } catch (error) {
          const { stack } = error as Error;
          throw new Error(`seed ${seed}, ${run.what}: ${stack}\n${run.cluster.sim.describe()}`, {
            cause: error,
          });
        }
        const ending = run.refused ?? 'right';
        endings[ending] = (endings[ending] ?? 0) + 1;
      }
      expect(Object.keys(endings).length, JSON.stringify(endings)).toBeGreaterThan(1);
      if (depth > 1) console.log(count, endings);
    },
    60_000 * Math.max(1, depth),
  );
});
