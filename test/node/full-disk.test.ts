// A leader without space for its log, in a group of simulated machines.
import { expect, test } from 'vitest';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

async function leading(seed: number) {
  const cluster = storeCluster({ seed, tuning: { segmentBytes: 65_536 } });
  await cluster.startAll();
  await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  const leader = cluster.leader() as string;
  await cluster.sim.complete(cluster.service(leader).put('a', '1'), 10_000);
  return { cluster, leader, sim: cluster.sim };
}

/** Lets a member's log grow until it wants space that is not there. */
async function fill({ cluster, leader, sim }: Awaited<ReturnType<typeof leading>>) {
  const { disk } = cluster.machine(leader);
  disk.byteBudget = disk.usedBytes;
  const value = new Uint8Array(8_192);
  for (let at = 0; at < 40 && cluster.leader() === leader; at += 1) {
    const put = cluster.service(leader).put('b', value, { timeoutMs: 3_000 });
    await sim.complete(
      put.catch(() => undefined),
      10_000,
    );
  }
}

test('full disk: the leader runs out of space for its log -> another one leads and takes writes', async () => {
  const group = await leading(5);
  const { cluster, leader, sim } = group;
  await fill(group);
  await sim.runUntil(() => {
    const now = cluster.leader();
    return now !== undefined && now !== leader;
  }, 10_000);
  const next = cluster.leader() as string;
  await sim.complete(cluster.service(next).put('c', '1'), 10_000);
  const { lifecycle, failure } = cluster.service(leader).status();
  expect({ lifecycle, failure }).toEqual({ lifecycle: 'open', failure: undefined });
});

test('full disks everywhere: nobody takes writes, reads go on, and space ends it', async () => {
  const group = await leading(6);
  const { cluster, leader, sim } = group;
  for (const name of cluster.names) {
    const { disk } = cluster.machine(name);
    disk.byteBudget = disk.usedBytes;
  }
  for (const name of cluster.names) await fill({ ...group, leader: name });
  await sim.run(5_000);
  const write = cluster.service(leader).put('d', '1', { timeoutMs: 3_000 });
  await expect(sim.complete(write, 10_000)).rejects.toMatchObject({ outcome: 'rejected' });
  const meanwhile = await sim.complete(cluster.service(leader).get('a'), 10_000);
  expect(meanwhile?.text()).toBe('1');
  for (const name of cluster.names) {
    cluster.machine(name).disk.byteBudget = Number.POSITIVE_INFINITY;
  }
  await sim.run(1_000);
  await sim.complete(cluster.service(leader).put('d', '2'), 20_000);
  const read = await sim.complete(cluster.service(leader).get('d'), 10_000);
  expect(read?.text()).toBe('2');
});

test.each([
  ['its log', true, false],
  ['its state', false, true],
  ['both', true, true],
])(
  'a follower that has no space for %s -> reads go on, a close waits for none, and it catches up',
  async (_what, log, state) => {
    const group = await leading(7);
    const { cluster, leader, sim } = group;
    const name = cluster.names.find((each) => each !== leader) as string;
    const machine = cluster.machine(name);
    const { disk, engineDisk } = machine;
    engineDisk.isFull = () => state;
    if (log) disk.byteBudget = disk.usedBytes;
    const value = new Uint8Array(8_192);
    for (let at = 0; at < 40; at += 1) {
      await sim.complete(cluster.service(leader).put(`b${at}`, value), 10_000);
    }
    await sim.run(3_000);
    const follower = cluster.service(name);
    const { durableIndex, failure, hasSpace, lifecycle } = follower.status();
    expect({ failure, hasSpace, lifecycle }).toEqual({ hasSpace: false, lifecycle: 'open' });
    expect(durableIndex).toBeLessThan(cluster.service(leader).status().appliedIndex);
    const read = await sim.complete(follower.get('a', { serializable: true }), 1_000);
    expect(read?.text()).toBe('1');
    await sim.complete(follower.close(), 2_000);
    machine.crash('power');
    disk.byteBudget = Number.POSITIVE_INFINITY;
    engineDisk.isFull = () => false;
    await sim.complete(cluster.start(name), 10_000);
    const again = cluster.service(name);
    const kv = await sim.complete(again.get('b39'), 10_000);
    expect(kv?.value.length).toBe(8_192);
  },
);
