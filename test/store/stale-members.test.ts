// Who belongs to the group, asked of members that lag and of leaders that were deposed: names are given
// again under other ids, and nobody may answer from a list that is over.
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import type { SimCluster } from '../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

async function led(seed: number, members: number) {
  const cluster = storeCluster({ seed, members, store: { timeoutMs: 10_000 } });
  await cluster.startAll();
  await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  const leader = cluster.leader() as string;
  const [follower = '', ...rest] = cluster.names.filter((name) => name !== leader);
  return { cluster, leader, follower, rest };
}

function run<T>({ sim }: SimCluster<Store>, promise: Promise<T>): Promise<T> {
  return sim.complete(promise, 30_000);
}

/** The id of `d`, which was removed and added again while `lagging` was away. */
async function replaced(
  cluster: SimCluster<Store>,
  { by, lagging }: { readonly by: string; readonly lagging: readonly string[] },
): Promise<number> {
  const { members } = cluster.service(by);
  await run(cluster, members.add('d', 'd:9', { autoPromote: false }));
  await cluster.sim.run(500);
  const rest = cluster.names.filter((name) => !lagging.includes(name));
  cluster.sim.network.partition(lagging, rest);
  await run(cluster, members.remove('d'));
  return run(cluster, members.add('d', 'd:1', { autoPromote: false }));
}

test('a member that lags is asked for a name -> the one that has it now', async () => {
  const { cluster, leader, follower } = await led(1, 3);
  await replaced(cluster, { by: leader, lagging: [follower] });
  const removed = cluster.service(follower).members.remove('d');
  removed.catch(() => undefined);
  cluster.sim.network.heal();
  await run(cluster, removed);
  const list = await run(cluster, cluster.service(leader).members.list());
  expect(list.map(({ name }) => name).sort()).toEqual(['n1', 'n2', 'n3']);
});

// Found by a review of the above: made sure by a quorum of all, nobody could ever be let in again.
test.each([1, 2, 3])(
  'seed %i: a founder starts for the first time as another one dies -> the leader lets it in, and leads on',
  async (seed) => {
    const cluster = storeCluster({ seed, members: 3, store: { timeoutMs: 20_000 } });
    const [a = '', b = '', late = ''] = cluster.names;
    const opened = Promise.all([a, b].map((name) => cluster.start(name)));
    await cluster.sim.complete(opened, 10_000);
    await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
    const leader = cluster.leader() as string;
    await run(cluster, cluster.service(leader).put('a', '1'));
    cluster.crash(leader === a ? b : a);
    const store = await run(cluster, cluster.start(late));
    await run(cluster, store.put('b', '2'));
  },
);

test('a deposed leader that has not heard of it -> says nothing of what it cannot know', async () => {
  const { cluster, leader, follower, rest } = await led(3, 5);
  await run(cluster, cluster.service(follower).put('a', '1'));
  cluster.sim.network.partition([leader, follower], rest);
  await cluster.sim.runUntil(() => rest.includes(cluster.leader() ?? ''), 10_000);
  const next = cluster.service(cluster.leader() as string);
  const id = await run(cluster, next.members.add('f', 'f:1', { autoPromote: false }));
  expect(cluster.service(leader).status().role, 'by then').toBe('leader');
  const promoted = cluster.service(follower).members.promote(id);
  promoted.catch(() => undefined);
  await cluster.sim.run(1_000);
  cluster.sim.network.heal();
  await expect(run(cluster, promoted)).rejects.toMatchObject({ code: 'LEARNER_NOT_READY' });
});
