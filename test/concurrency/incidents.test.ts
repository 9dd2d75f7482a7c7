// What went wrong with locks and what they stand on elsewhere (reliability §0, §2), one test each.
import { beforeEach, describe, expect, test } from 'vitest';
import { lock, Mutex } from '../../src/concurrency/index.js';
import { op } from '../../src/store/operations.js';
import { LockWorld } from './lock-world.js';

let world: LockWorld;

beforeEach(async () => {
  world = await LockWorld.started(5);
});

describe('incidents', () => {
  test('Jepsen etcd 3.4.3, a holder that was stopped writes late: refused by token and by isOwner', async () => {
    const name = world.follower;
    const other = world.cluster.leader() as string;
    let newest = 0;
    const resource = (token: number) => {
      if (token < newest) return 'refused';
      newest = token;
      return 'taken';
    };
    const held = await world.done(new Mutex(await world.session(name, 3), 'job').lock());
    expect(held.lost.aborted).toBe(false);
    // Between its check and its write: nothing on its own side can help it now.
    world.cluster.machine(name).pause();
    const next = await world.done(new Mutex(await world.session(other, 3), 'job').lock());
    expect(resource(next.token)).toBe('taken');
    world.cluster.machine(name).resume();
    expect(resource(held.token)).toBe('refused');
    const late = world.store(name).txn().if(held.isOwner).do(op.put('row', 'late'));
    expect((await world.done(late.commit())).succeeded).toBe(false);
    const own = world.store(other).txn().if(next.isOwner).do(op.put('row', 'own'));
    expect((await world.done(own.commit())).succeeded).toBe(true);
  });

  test('12528, 15247, 16822, a Raft leader that was stuck wakes: it ends no session that others renewed', async () => {
    const leader = world.cluster.leader() as string;
    const held = await world.done(new Mutex(await world.session(world.follower, 3), 'job').lock());
    for (const hinder of ['pause', 'isolate'] as const) {
      const { sim } = world.cluster;
      if (hinder === 'pause') world.cluster.machine(leader).pause();
      else sim.network.isolate(leader);
      await world.run(10_000);
      world.cluster.machine(leader).resume();
      sim.network.heal();
      await world.run(5_000);
    }
    expect(held.lost.aborted).toBe(false);
    expect(await world.line('job/')).toEqual([held.key]);
  });

  test('20616, the lease ended while the process was stopped: no renewal brings it or the key back', async () => {
    const name = world.follower;
    const other = world.cluster.leader() as string;
    const session = await world.session(name, 3);
    const held = await world.done(new Mutex(session, 'job').lock());
    world.cluster.machine(name).pause();
    await world.run(10_000);
    const renewing = world.watched(session.lease.keepAlive());
    world.cluster.machine(name).resume();
    await world.run(5_000);
    expect(renewing.state).toBe('failed');
    expect(held.lost.aborted).toBe(true);
    expect(await world.done(world.store(other).leases())).toEqual([]);
    const next = await world.done(new Mutex(await world.session(other), 'job').tryLock());
    expect(next.token).toBeGreaterThan(held.token);
  });

  test('13508, leaders change again and again: who holds goes on, who is dead does not for ever', async () => {
    const cut = world.follower;
    const dead = await world.done(new Mutex(await world.session(cut, 3), 'dead').lock());
    const others = world.cluster.names.filter((name) => name !== cut);
    const held = await world.done(new Mutex(await world.session(others[0], 3), 'job').lock());
    world.cluster.crash(cut, 'power');
    const diedMs = world.nowMs;
    const next = world.watched(
      lock(world.store(others[1]), 'dead', { ttlSeconds: 5, timers: world.timers }),
    );
    for (let at = 0; at < 2; at += 1) {
      // Without the leader there is no quorum for a while, and then a new term.
      const leader = world.cluster.leader() as string;
      world.cluster.sim.network.isolate(leader);
      await world.run(800);
      world.cluster.sim.network.heal();
      await world.until(() => world.cluster.leader() !== undefined);
    }
    await world.until(() => next.state === 'ok');
    expect(next.value?.token).toBeGreaterThan(dead.token);
    expect(world.nowMs - diedMs).toBeLessThan(15_000);
    expect(held.lost.aborted).toBe(false);
  });

  test('17529, 15271, who waits is on a member that lags behind a compaction: woken all the same', async () => {
    const name = world.follower;
    const other = world.cluster.leader() as string;
    const held = await world.done(new Mutex(await world.session(other, 60), 'job').lock());
    const waiting = world.watched(new Mutex(await world.session(name, 60), 'job').lock());
    await world.run(500);
    world.cluster.sim.network.isolate(name);
    await world.done(held.unlock());
    for (let at = 0; at < 20; at += 1) await world.done(world.store(other).put('noise', `${at}`));
    await world.done(world.store(other).compact(world.store(other).status().revision));
    await world.run(500);
    expect(waiting.state).toBe('open');
    world.cluster.sim.network.heal();
    await world.until(() => waiting.state === 'ok');
    expect(waiting.value?.token).toBeGreaterThan(held.token);
  });
});
