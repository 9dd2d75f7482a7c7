// Sessions: how they end, by themselves and by their owner's will, and what that does to what they hold.
import { beforeEach, describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { lock, Mutex, openSession, type Session, tryLock } from '../../src/concurrency/index.js';
import type { KvClient } from '../../src/store/kv-client.js';
import { LockWorld } from './lock-world.js';

let world: LockWorld;

beforeEach(async () => {
  world = await LockWorld.started(2);
});

describe('session', () => {
  test('left alone -> lives as long as its store, and is lost when that closes', async () => {
    const session = await world.session('n1', 3);
    const held = await world.done(new Mutex(session, 'job').lock());
    await world.run(60_000);
    expect([session.lost.aborted, held.lost.aborted]).toEqual([false, false]);
    await world.done(world.store().close());
    expect(held.lost.reason).toMatchObject({ code: 'CLOSED' });
    // Its key ends with the lease.
    const next = world.watched(lock(world.store('n2'), 'job', { timers: world.timers }));
    await world.until(() => next.state === 'ok');
  });

  test('many locks, held and waited for, in one session -> no warning of a leak', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const [a, b] = [await world.session(), await world.session('n2')];
    const names = Array.from({ length: 30 }, (_, at) => `job${at}`);
    const lockAll = (session: Session) => names.map((name) => new Mutex(session, name).lock());
    const held = await world.done(Promise.all(lockAll(a)));
    const waiting = Promise.all(lockAll(b));
    await world.run(500);
    await world.done(Promise.all(held.map((each) => each.unlock())));
    await world.done(waiting);
    await world.done(b.close());
    // Warnings come in a turn of their own.
    await new Promise<void>((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  test('close -> all its keys go in one revision, and its locks are lost', async () => {
    const session = await world.session();
    const held = [];
    for (const name of ['a', 'b']) held.push(await world.done(new Mutex(session, name).lock()));
    const { revision } = world.store().status();
    await world.done(session.close());
    await world.done(session.close());
    expect(held.map(({ lost }) => lost.aborted)).toEqual([true, true]);
    expect(await world.line()).toEqual([]);
    expect(world.store().status().revision).toBe(revision + 1);
    await expect(world.done(new Mutex(session, 'a').lock())).rejects.toMatchObject({
      code: 'LEASE_NOT_FOUND',
    });
  });

  test('close, the answer is lost -> its locks are told before the next one holds them', async () => {
    const name = world.follower;
    const session = await world.session(name, 60);
    const held = await world.done(new Mutex(session, 'job').lock());
    const other = await world.session(world.cluster.leader(), 60);
    const waiting = world.watched(new Mutex(other, 'job').lock());
    await world.run(500);
    let toldMs = Infinity;
    held.lost.addEventListener('abort', () => {
      toldMs = world.nowMs;
    });
    const before = world.nowMs;
    session.close().catch(() => undefined);
    expect([held.lost.aborted, session.lost.aborted, toldMs]).toEqual([true, true, before]);
    expect(held.lost.reason).toMatchObject({ code: 'OWNERSHIP_LOST' });
    expect(session.lost.reason).toMatchObject({ code: 'LEASE_NOT_FOUND' });
    // The revoke gets through, and nothing comes back.
    await world.run(1.2);
    world.cluster.sim.network.isolate(name);
    await world.until(() => waiting.state === 'ok');
    expect(toldMs).toBeLessThan(world.nowMs);
  });

  test('close, the answer is lost -> it asks again, and resolves once the lease is gone', async () => {
    const name = world.follower;
    const session = await world.session(name, 60);
    const { lost } = await world.done(new Mutex(session, 'job').lock());
    world.cluster.sim.network.isolate(name);
    const closing = world.watched(session.close());
    await world.run(5_000);
    expect([closing.state, lost.aborted]).toEqual(['open', true]);
    world.cluster.sim.network.heal();
    await world.until(() => closing.state === 'ok', 10_000);
    expect(await world.done(world.store().leases())).toEqual([]);
  });

  test('close in vain, and once more -> the second ends the lease', async () => {
    const name = world.follower;
    const session = await world.session(name, 60);
    await world.done(new Mutex(session, 'job').lock());
    world.cluster.sim.network.isolate(name);
    await expect(world.done(session.close({ timeoutMs: 500 }))).rejects.toThrow();
    world.cluster.sim.network.heal();
    await world.done(session.close(), 10_000);
    expect(await world.done(world.store().leases())).toEqual([]);
  });

  test.each(['close', 'revoke'] as const)(
    '%s in vain, then an unlock -> it resolves when the key is gone, for the lease lives on',
    async (how) => {
      const name = world.follower;
      const session = await world.session(name, 60);
      const held = await world.done(new Mutex(session, 'job').lock());
      const end = () =>
        how === 'close' ? session.close({ timeoutMs: 500 }) : session.lease.revoke();
      world.cluster.sim.network.isolate(name);
      await expect(world.done<unknown>(end(), 30_000)).rejects.toThrow();
      world.cluster.sim.network.heal();
      expect(await world.line()).toHaveLength(1);
      await world.done(held.unlock(), 10_000);
      expect(await world.line()).toEqual([]);
    },
  );

  test('the store closes while a session does -> both end well', async () => {
    const name = world.follower;
    const session = await world.session(name, 60);
    world.cluster.sim.network.isolate(name);
    const closing = session.close();
    await world.run(100);
    await world.done(world.store(name).close());
    await world.done(closing);
    await world.done(session.close());
  });

  test('close, no quorum -> it says so, and the lease ends all the same when there is one', async () => {
    const session = await world.session('n1', 3);
    await world.done(new Mutex(session, 'job').lock());
    world.cluster.sim.network.isolate('n1');
    await expect(world.done(session.close({ timeoutMs: 500 }))).rejects.toMatchObject({
      code: expect.stringMatching(/TIMEOUT|NO_LEADER/),
    });
    world.cluster.sim.network.heal();
    await world.run(8_000);
    expect(await world.line()).toEqual([]);
    expect(session.lost.aborted).toBe(true);
  });

  test('close, aborted before anything was sent -> nobody renews the lease all the same', async () => {
    const session = await world.session('n1', 3);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(world.done(session.close({ signal }))).rejects.toThrow('enough');
    expect(session.lost.aborted).toBe(false);
    await world.run(5_000);
    expect(session.lost.reason).toMatchObject({ code: 'LEASE_EXPIRED' });
    expect(await world.done(world.store().leases())).toEqual([]);
  });

  test('close, no quorum and no timeout -> it is over when the time of the lease is', async () => {
    const session = await world.session('n1', 3);
    world.cluster.sim.network.isolate('n1');
    const before = world.nowMs;
    await world.done(session.close());
    expect(world.nowMs - before).toBeGreaterThan(1_500);
    expect(world.nowMs - before).toBeLessThanOrEqual(3_000);
    expect(session.lost.reason).toMatchObject({ code: 'LEASE_NOT_FOUND' });
  });

  test('close while the leader changes -> done again with the next one', async () => {
    const name = world.follower;
    const held = await world.done(lock(world.store(name), 'job', { timers: world.timers }));
    world.cluster.crash(world.cluster.leader() as string, 'power');
    await world.done(held.unlock());
    expect(await world.line('job/')).toEqual([]);
  });

  test('orphan -> keys stay until its time is over, then lost fires', async () => {
    const session = await world.session('n1', 5);
    const held = await world.done(new Mutex(session, 'job').lock());
    await world.run(10_000);
    session.orphan();
    const before = world.nowMs;
    await world.run(3_000);
    expect(held.lost.aborted).toBe(false);
    await world.until(() => held.lost.aborted);
    expect(held.lost.reason).toMatchObject({ code: 'LEASE_EXPIRED' });
    expect(world.nowMs - before).toBeLessThanOrEqual(5_000);
    await world.run(3_000);
    expect(await world.line()).toEqual([]);
  });

  test('aborted while it opens -> rejects, and no lease outlives its time', async () => {
    const abort = new AbortController();
    const opening = openSession(world.store(), { ttlSeconds: 2, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(world.done(opening)).rejects.toThrow();
    await world.run(6_000);
    expect(await world.done(world.store().leases())).toEqual([]);
  });

  test('lost while its lock waits -> the wait ends with the reason, and its key is gone', async () => {
    const holder = await world.session('n2', 60);
    const held = await world.done(new Mutex(holder, 'job').lock());
    const session = await world.session('n1', 3);
    const waiting = world.watched(new Mutex(session, 'job').lock());
    await world.run(1_000);
    world.cluster.sim.network.isolate('n1');
    await world.until(() => waiting.state === 'failed');
    expect(waiting.error).toMatchObject({ code: 'LEASE_EXPIRED' });
    world.cluster.sim.network.heal();
    await world.run(6_000);
    expect(await world.line('job/')).toEqual([held.key]);
  });
});

describe('an outage longer than the TTL, while a session opens', () => {
  const cutOff = async (ms: number) => {
    for (const name of world.cluster.names) world.cluster.sim.network.isolate(name);
    await world.run(ms);
    world.cluster.sim.network.heal();
  };
  const options = () => ({ ttlSeconds: 2, timers: world.timers });
  /** A store whose grants are heard of when their time is over. */
  const lateStore = (store: KvClient) => {
    const lease: KvClient['lease'] = async (ttlSeconds) => {
      const granted = await store.lease(ttlSeconds);
      await new Promise<void>((resolve) => world.timers.after(2_500, resolve));
      return granted;
    };
    return new Proxy(store, { get: (_, name) => name === 'lease' && lease });
  };

  test('openSession -> the lease that came too late is given back, and another one opened', async () => {
    const opening = world.watched(openSession(world.store(), options()));
    await cutOff(2_200);
    await world.until(() => opening.state !== 'open');
    expect(opening.value?.lost.aborted).toBe(false);
    await world.run(5_000);
    expect(opening.value?.lost.aborted).toBe(false);
    expect((await world.done(world.store().leases())).map(({ id }) => id)).toEqual([
      opening.value?.lease.id,
    ]);
  });

  test('openSession, its timeout over by then -> it fails, and no lease is left', async () => {
    const own = { ...options(), timeoutMs: 2_000 };
    const opening = world.watched(openSession(lateStore(world.store()), own));
    await world.until(() => opening.state !== 'open');
    expect(opening.error).toMatchObject({ code: 'TIMEOUT' });
    await world.run(10_000);
    expect(await world.done(world.store().leases())).toEqual([]);
  });

  test('openSession, its timeout over before anybody took the first grant -> as every write', async () => {
    for (const name of world.cluster.names) world.cluster.sim.network.isolate(name);
    await world.run(5_000);
    const own = { ttlSeconds: 60, timers: world.timers, timeoutMs: 400 };
    const opening = world.watched(openSession(world.store(), own));
    await world.until(() => opening.state !== 'open');
    expect(opening.error).toMatchObject({ code: 'NO_LEADER', outcome: 'rejected' });
    world.cluster.sim.network.heal();
  });

  test('openSession, its timeout over in the middle of a second grant -> TIMEOUT, not ABORTED', async () => {
    let grants = 0;
    const store = world.store();
    const lease: KvClient['lease'] = async (ttlSeconds, { signal } = {}) => {
      grants += 1;
      if (grants === 1) return lateStore(store).lease(ttlSeconds);
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
      throw kontikiError('ABORTED', 'it may still be made', { outcome: 'unknown' });
    };
    const slow = new Proxy(store, { get: (_, name) => name === 'lease' && lease });
    const opening = world.watched(openSession(slow, { ...options(), timeoutMs: 3_000 }));
    await world.until(() => opening.state !== 'open');
    expect([grants, opening.error]).toMatchObject([2, { code: 'TIMEOUT', outcome: 'unknown' }]);
  });

  test('openSession, grants that come too late time after time -> TIMEOUT', async () => {
    const opening = world.watched(openSession(lateStore(world.store()), options()));
    await world.until(() => opening.state !== 'open');
    expect(opening.error).toMatchObject({ code: 'TIMEOUT' });
  });

  test.each([['lock', lock] as const, ['tryLock', tryLock] as const])(
    '%s -> it holds the lock afterwards',
    async (_, take) => {
      const locking = world.watched(take(world.store(), 'job', options()));
      await cutOff(2_200);
      await world.until(() => locking.state !== 'open');
      expect([locking.error, locking.value?.lost.aborted]).toEqual([undefined, false]);
    },
  );

  test('a lease that came late, but in time -> it is renewed before its time is over', async () => {
    const name = world.follower;
    world.cluster.sim.network.isolate(name);
    const opening = world.watched(openSession(world.store(name), options()));
    const before = world.nowMs;
    await world.run(1_350);
    world.cluster.sim.network.heal();
    await world.until(() => opening.state === 'ok');
    expect(world.nowMs - before).toBeLessThan(2_000);
    await world.run(5_000);
    expect(opening.value?.lost.aborted).toBe(false);
  });
});

describe('lost by the local clock while the leader keeps the lease', () => {
  /** A new leader counts a whole TTL from when it leads: its holder, which is cut off, does not know. */
  const outlived = async (session: Session, holder: string) => {
    const leader = world.cluster.leader() as string;
    const { network } = world.cluster.sim;
    network.isolate(holder);
    await world.run(5_000);
    const next = world.cluster.names.find((name) => name !== leader && name !== holder) as string;
    const { memberId } = world.store(next).status();
    await world.done(world.store(leader).transferLeadership(memberId));
    await world.until(() => session.lost.aborted);
    expect(session.lost.reason).toMatchObject({ code: 'LEASE_EXPIRED' });
    network.heal();
    await world.run(500);
  };

  test.each(['unlock', 'close'] as const)(
    '%s -> one attempt, and the next holds it',
    async (way) => {
      const holder = world.follower;
      const session = await world.session(holder, 10);
      const held = await world.done(new Mutex(session, 'job').lock());
      await outlived(session, holder);
      expect(await world.line('job/')).toEqual([held.key]);
      await world.done(way === 'unlock' ? held.unlock() : session.close());
      expect(await world.line('job/')).toEqual([]);
    },
  );

  test.each(['unlock', 'close'] as const)('%s, no quorum -> it resolves', async (way) => {
    const session = await world.session('n1', 3);
    const held = await world.done(new Mutex(session, 'job').lock());
    for (const name of world.cluster.names) world.cluster.sim.network.isolate(name);
    await world.until(() => session.lost.aborted);
    await world.done(way === 'unlock' ? held.unlock() : session.close(), 5_000);
    await world.done(session.close({ timeoutMs: 500 }), 1_000);
  });
});

describe('lost', () => {
  test('the process was stopped for longer than the TTL -> it knows before its timers run', async () => {
    const name = world.follower;
    const session = await world.session(name, 3);
    const held = await world.done(new Mutex(session, 'job').lock());
    const other = world.cluster.names.find((each) => each !== name) as string;
    const waiting = lock(world.store(other), 'job', { ttlSeconds: 5, timers: world.timers });
    await world.run(500);
    const { lost } = held;
    world.cluster.machine(name).pause();
    const next = await world.done(waiting);
    // No timer of the stopped process has run, and nothing was received: only the clock can tell.
    expect(lost.aborted).toBe(false);
    expect(held.lost.aborted).toBe(true);
    expect(held.lost.reason).toMatchObject({ code: 'LEASE_EXPIRED' });
    expect(next.token).toBeGreaterThan(held.token);
    world.cluster.machine(name).resume();
    await world.run(1_000);
    await world.done(held.unlock());
    expect(next.lost.aborted).toBe(false);
  });

  test('cut off with the lock -> lost fires before anybody else holds it', async () => {
    for (const isLeader of [true, false]) {
      const name = isLeader ? (world.cluster.leader() as string) : world.follower;
      const session = await world.session(name, 3);
      const held = await world.done(new Mutex(session, 'job').lock());
      const other = world.cluster.names.find((each) => each !== name) as string;
      let lostMs = Infinity;
      held.lost.addEventListener('abort', () => {
        lostMs = world.nowMs;
      });
      world.cluster.sim.network.isolate(name);
      const waiting = lock(world.store(other), 'job', { ttlSeconds: 5, timers: world.timers });
      const next = await world.done(waiting, 60_000);
      expect(lostMs).toBeLessThan(world.nowMs);
      world.cluster.sim.network.heal();
      await world.done(next.unlock());
      await world.until(() => world.cluster.isSettled());
    }
  });
});
