// A member that was down for longer than the others keep their logs: it catches up through a snapshot,
// under faults, on the production driver, log, write-behind, snapshot files and codec.
import { describe, expect, test } from 'vitest';
import { randomInt } from '../../src/base/prng.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { Simulator } from '../../src/testing/simulator.js';
import { type Name, names } from './cluster.js';
import { checkHistory } from './history-check.js';
import { startLoad } from './load.js';
import { ShortLogs } from './short-logs.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);

const firstSegments = (sim: Simulator, name: Name): readonly string[] =>
  sim
    .machine(name)
    .disk.names.children('data/store/wal')
    .filter((file) => file.endsWith('.wal'));

/** The record that holds the sums of the state hash, as it is on a member's disk. */
function stateSums(sim: Simulator, name: Name): string {
  const { disk, engineDisk } = sim.machine(name);
  const folder = disk.names
    .children('data/store')
    .find((file) => /^state(-[0-9a-f]+)?$/.test(file));
  return String(engineDisk.view(`data/store/${folder}`).get('m'));
}

async function play(seed: number): Promise<number> {
  const sim = new Simulator({ seed });
  const cluster = new ShortLogs(sim);
  await cluster.openAll();
  const load = startLoad(cluster, 6);
  await sim.run(2_000);
  const random = new SimRandom({ seed, stream: 'snapshots', entity: [] });
  const victim = names[randomInt(random, 3)] as Name;
  const before = cluster.stores.get(victim)?.status().lastIndex ?? 0;
  cluster.crash(victim, randomInt(random, 2) === 0 ? 'power' : 'process');
  await sim.run(6_000);
  // Nobody has the entries that it lacks.
  const others = names.filter((name) => name !== victim);
  for (const name of others) expect(firstSegments(sim, name)).not.toContain('0000000000000001.wal');
  sim.network.configure({ dropRate: randomInt(random, 4) / 20, duplicateRate: 0.05 });
  await sim.complete(cluster.open(victim), 10_000);
  // Crashes of it while it receives, installs, catches up.
  for (let round = 0; round < 3; round += 1) {
    await sim.run(1 + randomInt(random, 600));
    cluster.crash(victim, randomInt(random, 2) === 0 ? 'power' : 'process');
    await sim.run(randomInt(random, 500));
    await sim.complete(cluster.open(victim), 10_000);
  }
  sim.network.configure({ dropRate: 0, duplicateRate: 0 });
  await sim.run(3_000);
  load.stop();
  await sim.run(8_000);
  await sim.runUntil(() => cluster.settled(), 60_000);
  const files = sim.machine(victim).disk.names.children('data/store');
  expect(files, 'it took a snapshot').toContain('state.current');
  expect(before).toBeGreaterThan(0);
  expect(new Set(names.map((name) => stateSums(sim, name))).size).toBe(1);
  const { acknowledged } = await checkHistory(cluster, load);
  return acknowledged;
}

describe('a member beyond the log', () => {
  const seeds = Array.from({ length: Math.max(1, Math.round(3 * depth)) }, (_, i) => 7_000 + i);
  test.each(seeds)(
    'seed %i -> it takes a snapshot, and all members are equal',
    async (seed) => {
      expect(await play(seed)).toBeGreaterThan(20);
    },
    60_000,
  );

  test('calls of that member: a write in flight takes effect once, a watch misses nothing, reads go on', async () => {
    const sim = new Simulator({ seed: 11 });
    const cluster = new ShortLogs(sim);
    await cluster.openAll();
    await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
    await sim.run(1_000);
    const leader = cluster.leader() as Name;
    const behind = names.find((name) => name !== leader) as Name;
    const [there, here] = [cluster.stores.get(leader), cluster.stores.get(behind)];
    if (there === undefined || here === undefined) throw new Error('members run');
    await sim.complete(here.put('first', '1'), 5_000);
    const seen: string[] = [];
    const watch = here.watch({ prefix: 'k' });
    void (async () => {
      for await (const { events } of watch) for (const { kv } of events) seen.push(kv.text());
    })();
    // It still reaches the leader, and hears nothing any more.
    sim.network.block({ from: leader, to: behind });
    const other = names.find((name) => name !== leader && name !== behind) as Name;
    sim.network.block({ from: other, to: behind });
    const inFlight = here.put('in-flight', '1', { timeoutMs: 100_000 }).then(
      ({ revision }) => ({ revision, outcome: 'ok' }),
      (error) => ({ outcome: `${error.code} ${error.outcome}` }),
    );
    await sim.run(500);
    sim.network.isolate(behind);
    // It took effect: the entry is one of those that the snapshot stands for.
    const revision = (await sim.complete(there.get('in-flight'), 10_000))?.modRevision;
    expect(revision).toBeGreaterThan(0);
    const values: string[] = [];
    for (let n = 0; n < 400; n += 1) {
      values.push(`${n}`.padEnd(200, '.'));
      await sim.complete(there.put(`k${n % 20}`, values[n] as string), 20_000);
    }
    expect(firstSegments(sim, leader)).not.toContain('0000000000000001.wal');
    sim.network.heal();
    await sim.runUntil(() => cluster.settled(), 30_000);
    expect(sim.machine(behind).disk.names.children('data/store')).toContain('state.current');
    // Sent again, and answered from the session that came with the snapshot.
    expect(await sim.complete(inFlight, 10_000)).toEqual({ revision, outcome: 'ok' });
    const kept = await sim.complete(here.get('in-flight'), 10_000);
    expect([kept?.text(), kept?.version, kept?.modRevision]).toEqual(['1', 1, revision]);
    await sim.runUntil(() => seen.length >= values.length, 20_000);
    expect(seen).toEqual(values);
    await sim.complete(here.put('last', '1'), 10_000);
    await watch.close();
  }, 60_000);
});
