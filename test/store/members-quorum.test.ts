// What a change of the membership may cost: the quorum, the writes beside it, the answer to who asked.
import { afterEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import type { SimCluster } from '../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

const small = {
  segmentBytes: 65_536,
  retention: { entriesMin: 20, bytesMin: 1_000, bytesMax: 20_000 },
};

let cluster: SimCluster<Store>;
afterEach(() => {
  for (const name of cluster.running) cluster.crash(name);
});

async function led(seed: number, members: number, tuning: object = {}): Promise<void> {
  const store = { timeoutMs: 10_000 };
  cluster = storeCluster({ seed, members, store, tuning: { ...small, ...tuning } });
  await cluster.startAll();
  await cluster.sim.runUntil(() => cluster.leader() !== undefined, 30_000);
}

const run = <T>(promise: Promise<T>) => cluster.sim.complete(promise, 60_000);
const leader = () => cluster.service(cluster.leader() as string);
const follower = () => cluster.running.find((name) => name !== cluster.leader()) as string;

async function join(name: string, options = {}): Promise<void> {
  await run(leader().members.add(name, `${name}:1`, options));
  cluster.addMachine(name);
  await run(cluster.start(name));
}

async function voters(): Promise<string[]> {
  const members = await run(leader().members.list());
  return members.filter(({ role }) => role === 'voter').map(({ name }) => name);
}

describe('a voter that was added and does not run yet', () => {
  // The core takes it for active at first; the group then had four voters, two of which nobody could vouch for.
  test('another one is added -> QUORUM_AT_RISK, as it does not count', async () => {
    await led(3, 2);
    await run(leader().members.add('n3', 'n3:1', { voter: true }));
    await cluster.sim.run(300);
    const second = leader().members.add('n4', 'n4:1', { voter: true });
    await expect(run(second)).rejects.toMatchObject({
      code: 'QUORUM_AT_RISK',
      outcome: 'rejected',
    });
    cluster.addMachine('n3');
    await run(cluster.start('n3'));
    await run(leader().put('a', '1'));
    expect((await voters()).sort()).toEqual(['n1', 'n2', 'n3']);
  });

  test('one that runs is removed -> QUORUM_AT_RISK', async () => {
    await led(4, 2);
    await run(leader().members.add('n3', 'n3:1', { voter: true }));
    await cluster.sim.run(300);
    const removal = leader().members.remove(follower());
    await expect(run(removal)).rejects.toMatchObject({ code: 'QUORUM_AT_RISK' });
  });

  test('is no active peer by the status', async () => {
    await led(5, 2);
    await run(leader().members.add('n3', 'n3:1', { voter: true }));
    const peers = leader().status().peers;
    expect(peers.find(({ name }) => name === 'n3')).toMatchObject({ isActive: false });
  });
});

test('leadership is to move to a voter that loads a snapshot -> writes go on', async () => {
  const snapshots = { snapshotBytesPerSecond: 20_000, snapshotChunkBytes: 4_096 };
  // The log is let go of once the state is flushed.
  await led(5, 3, { ...snapshots, flushIntervalMs: 50 });
  const behind = follower();
  const before = leader();
  cluster.crash(behind);
  for (let nth = 0; nth < 300; nth += 1) await run(before.put(`k${nth}`, 'x'.repeat(1_000)));
  await cluster.sim.run(1_000);
  await run(cluster.start(behind));
  const of = () => before.status().peers.find(({ name }) => name === behind);
  await cluster.sim.runUntil(() => of()?.state === 'snapshot' && of()?.isActive === true, 10_000);
  let isOver = false;
  const moving = before.transferLeadership(behind, { timeoutMs: 8_000 }).then(
    () => undefined,
    (error: unknown) => error,
  );
  void moving.then(() => {
    isOver = true;
  });
  let puts = 0;
  while (!isOver && of()?.state === 'snapshot') {
    await run(before.put('p', String(puts), { timeoutMs: 500 }));
    puts += 1;
    await cluster.sim.run(50);
  }
  expect(puts).toBeGreaterThan(50);
  await run(moving);
});

describe('replacement', () => {
  const learner = { autoPromote: false };

  test.each([11, 12, 13])(
    'of the leader by a learner that has caught up -> made, under its successor (seed %i)',
    async (seed) => {
      await led(seed, 3);
      const gone = cluster.leader() as string;
      await join('n4', learner);
      await cluster.sim.run(4_000);
      await run(cluster.service(follower()).members.replace(gone, 'n4'));
      expect(await voters()).toContain('n4');
      expect(await voters()).not.toContain(gone);
    },
  );

  test.each([21, 22, 23])('of itself -> resolves, for it is gone (seed %i)', async (seed) => {
    await led(seed, 3);
    const gone = follower();
    await join('n4', learner);
    await cluster.sim.run(4_000);
    await run(cluster.service(gone).members.replace(gone, 'n4'));
    await cluster.sim.run(2_000);
    expect(await voters()).not.toContain(gone);
  });

  test('of a learner by itself -> ARGUMENT_INVALID, and it stays a learner', async () => {
    await led(31, 3);
    await join('n4', learner);
    await cluster.sim.run(4_000);
    const { lastIndex } = leader().status();
    const replacement = leader().members.replace('n4', 'n4');
    await expect(run(replacement)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    await cluster.sim.run(1_000);
    expect(await voters()).not.toContain('n4');
    expect(leader().status().lastIndex).toBe(lastIndex);
  });
});
