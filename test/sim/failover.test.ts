// How long a cluster is without a leader, in virtual time: a process that dies resets its
// connections, a machine that loses power does not.
import { describe, expect, test } from 'vitest';
import { Simulator } from '../../src/testing/simulator.js';
import { SimCluster } from './cluster.js';

async function failover(seed: number, kind: 'power' | 'process'): Promise<number> {
  const sim = new Simulator({ seed });
  const cluster = new SimCluster(sim);
  await cluster.openAll();
  await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  await sim.run(2_000);
  const leader = cluster.leader();
  if (leader === undefined) throw new Error('no leader');
  cluster.crash(leader, kind);
  const from = sim.nowMs;
  await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  return sim.nowMs - from;
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

describe('without a leader', () => {
  const seeds = Array.from({ length: 15 }, (_, i) => 50 + i);

  test('the leader process is killed -> another leads long before the election timeout', async () => {
    const times: number[] = [];
    for (const seed of seeds) times.push(await failover(seed, 'process'));
    expect(median(times)).toBeLessThan(100);
    expect(Math.max(...times)).toBeLessThan(2_000);
  }, 60_000);

  test('the leader machine goes silent -> the election timeout decides', async () => {
    const times: number[] = [];
    for (const seed of seeds.slice(0, 5)) times.push(await failover(seed, 'power'));
    expect(Math.min(...times)).toBeGreaterThan(500);
    expect(Math.max(...times)).toBeLessThan(4_000);
  }, 60_000);

  test('only the connection breaks -> the leader stays', async () => {
    const sim = new Simulator({ seed: 3 });
    const cluster = new SimCluster(sim);
    await cluster.openAll();
    await sim.run(3_000);
    const leader = cluster.leader();
    const term = cluster.stores.get(leader ?? 'n1')?.status().term;
    const other = leader === 'n1' ? 'n2' : 'n1';
    sim.network.block({ from: other, to: leader ?? 'n1' });
    await sim.run(3_000);
    sim.network.heal();
    await sim.run(3_000);
    expect(cluster.leader()).toBe(leader);
    expect(cluster.stores.get(leader ?? 'n1')?.status().term).toBe(term);
  });
});
