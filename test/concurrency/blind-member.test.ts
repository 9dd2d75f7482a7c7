// Users of locks on a member whose leases are renewed by the leader, but which applies nothing.
import { expect, test, vi } from 'vitest';
import { Mutex, openSession } from '../../src/concurrency/index.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

async function group() {
  const store = { timeoutMs: 3_000 };
  const cluster = storeCluster({ seed: 7, members: 3, store, tuning: { segmentBytes: 65_536 } });
  const { sim } = cluster;
  await cluster.startAll();
  await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  const leader = cluster.leader() as string;
  const [blind, other] = cluster.names.filter((name) => name !== leader) as [string, string];
  const timers = {
    after: (ms: number, call: () => void) => sim.scheduler.after(Math.ceil(ms * 1_000), call),
    soon: (call: () => void) => sim.scheduler.after(1, call),
  };
  const session = (name: string) =>
    sim.complete(openSession(cluster.service(name), { ttlSeconds: 5, timers }), 10_000);
  /** The log of a follower has no space: it waits, and applies nothing any more. */
  const fill = async () => {
    const { disk } = cluster.machine(blind);
    disk.byteBudget = disk.usedBytes;
    const value = new Uint8Array(8_192);
    for (let at = 0; cluster.service(blind).status().hasSpace || at < 20; at += 1) {
      await sim.complete(cluster.service(leader).put('filler', value), 10_000);
    }
    await sim.run(1_000);
  };
  return { cluster, sim, leader, blind, other, session, fill };
}

test('a waiter whose member has no disk space -> somebody gets the lock', async () => {
  const { sim, leader, blind, other, session, fill } = await group();
  const held = await sim.complete(new Mutex(await session(leader), 'job').lock(), 10_000);
  const stuck = { state: 'open' };
  new Mutex(await session(blind), 'job').lock().then(
    () => Object.assign(stuck, { state: 'held' }),
    () => Object.assign(stuck, { state: 'failed' }),
  );
  await sim.run(1_000);
  await fill();
  const next = new Mutex(await session(other), 'job').lock();
  const got = { isHeld: false };
  next.then(
    () => Object.assign(got, { isHeld: true }),
    () => undefined,
  );
  await sim.run(1_000);
  await sim.complete(held.unlock(), 10_000);
  await sim.run(120_000);
  // Either of them, but somebody: all keys in the line are renewed by the leader for ever.
  expect(stuck.state === 'held' || got.isHeld, `${stuck.state}`).toBe(true);
});

test('a holder whose member has no disk space, its key deleted -> it hears of it within a TTL', async () => {
  const { sim, leader, blind, session, fill, cluster } = await group();
  const held = await sim.complete(new Mutex(await session(blind), 'job').lock(), 10_000);
  await fill();
  await sim.complete(cluster.service(leader).delete(held.key), 10_000);
  const next = await sim.complete(new Mutex(await session(leader), 'job').lock(), 10_000);
  await sim.run(120_000);
  expect([held.lost.aborted, next.lost.aborted]).toEqual([true, false]);
});

test('who comes to the line on a member without disk space -> somebody gets the lock', async () => {
  const { sim, blind, other, session, fill } = await group();
  const [mine, others] = [await session(blind), await session(other)];
  await fill();
  const seen = { mine: 'open', others: 'open' };
  const watch = (name: keyof typeof seen, lock: Promise<unknown>) =>
    lock.then(
      () => Object.assign(seen, { [name]: 'held' }),
      () => Object.assign(seen, { [name]: 'failed' }),
    );
  void watch('mine', new Mutex(mine, 'job').lock());
  await sim.run(1_000);
  void watch('others', new Mutex(others, 'job').lock());
  await sim.run(120_000);
  expect(Object.values(seen)).toContain('held');
});

test('waiters for many TTLs -> each looks at the one key before it, and not at the whole line again', async () => {
  const { cluster, sim, leader, session } = await group();
  const range = vi.spyOn(cluster.service(leader), 'range');
  await sim.complete(new Mutex(await session(leader), 'job').lock(), 10_000);
  for (let nth = 0; nth < 5; nth += 1) {
    void new Mutex(await session(leader), 'job').lock().catch(() => undefined);
    await sim.run(100);
  }
  const { length } = range.mock.calls;
  await sim.run(60_000);
  expect(length).toBeGreaterThan(0);
  expect(range.mock.calls.length).toBe(length);
});
