// The production driver, log, write-behind, codec and store on virtual machines: 60 simulated
// seconds of load with one crash of the leader, twice from one seed. Also the first safety net for
// every later change: more seeds with KONTIKI_DEPTH.
import { describe, expect, test } from 'vitest';
import { Simulator } from '../../src/testing/simulator.js';
import { SimCluster } from './cluster.js';
import { checkHistory } from './history-check.js';
import { startLoad } from './load.js';

interface Outcome {
  readonly traceHash: string;
  readonly acknowledged: number;
  readonly dump: readonly string[];
}

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);

async function play(seed: number, seconds: number): Promise<Outcome> {
  const sim = new Simulator({ seed, network: { path: { dropRate: 0.01 } } });
  const cluster = new SimCluster(sim);
  await cluster.openAll();
  const load = startLoad(cluster, 4);
  await sim.run((seconds * 1000) / 3);
  const victim = cluster.leader() ?? 'n1';
  cluster.crash(victim, seed % 2 === 0 ? 'process' : 'power');
  await sim.run((seconds * 1000) / 3);
  await sim.complete(cluster.open(victim), 10_000);
  await sim.run((seconds * 1000) / 3);
  load.stop();
  await sim.run(8_000);
  await sim.runUntil(() => cluster.settled(), 20_000);
  const acknowledged = await checkHistory(cluster, load);
  return { traceHash: sim.traceHash, ...acknowledged };
}

describe('three members on virtual machines', () => {
  test('60 simulated seconds with one crash, twice from one seed -> equal trace hashes', async () => {
    const first = await play(1, 60);
    const second = await play(1, 60);
    expect(second).toEqual(first);
    expect(first.acknowledged).toBeGreaterThan(500);
  }, 120_000);

  const seeds = Array.from({ length: Math.max(1, Math.round(4 * depth)) }, (_, i) => 100 + i);
  test.each(seeds)(
    'seed %i, 12 simulated seconds -> nothing acknowledged is lost',
    async (seed) => {
      const { acknowledged } = await play(seed, 12);
      expect(acknowledged).toBeGreaterThan(20);
    },
    60_000,
  );
});
