// Locks while members fail: nobody is held up by a key that nobody wants, and nobody holds it twice.
import { beforeEach, describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { Mutex, Session } from '../../src/concurrency/index.js';
import type { KvClient } from '../../src/store/kv-client.js';
import type { Txn } from '../../src/store/txn.js';
import { LockWorld } from './lock-world.js';

let world: LockWorld;

beforeEach(async () => {
  world = await LockWorld.started(3);
});

type Fate = 'carried out' | 'never' | 'later' | 'a second later';

/** A store that leaves the first transactions without an answer, whatever became of them. */
function silentStore(session: Session, fates: Fate[]): Session {
  const commit = (txn: Txn): Txn['commit'] => {
    return async (...options) => {
      const fate = fates.shift();
      if (fate === undefined) return txn.commit(...options);
      if (fate === 'carried out') await txn.commit();
      if (fate === 'later') void txn.commit();
      if (fate === 'a second later') world.timers.after(1_000, () => void txn.commit());
      throw kontikiError('TIMEOUT', 'a test', { outcome: 'unknown' });
    };
  };
  const silent = (txn: Txn): Txn =>
    new Proxy(txn, {
      get(target, name) {
        if (name === 'commit') return commit(target);
        if (name !== 'if' && name !== 'do') return undefined;
        return (...steps: never[]) => silent(target[name](...steps));
      },
    });
  const { kv: store } = session;
  const kv = new Proxy(store, {
    get(target, name) {
      if (name === 'txn') return () => silent(target.txn());
      return (target[name as keyof KvClient] as () => unknown).bind(target);
    },
  });
  return new Session({ kv, lease: session.lease, timers: session.timers });
}

describe('no answer to the put', () => {
  const fates: Fate[] = ['carried out', 'never', 'later'];
  test.each(fates)('%s, lock -> held by one key in the end', async (fate) => {
    const session = silentStore(await world.session(), [fate, fate]);
    const held = await world.done(new Mutex(session, 'job').lock());
    await world.run(1_000);
    expect(await world.line('job/')).toEqual([held.key]);
    expect(held.lost.aborted).toBe(false);
    expect((await world.done(world.store().get(held.key)))?.createRevision).toBe(held.token);
    await world.done(held.unlock());
    expect(await world.line('job/')).toEqual([]);
  });

  test.each(fates)('%s, tryLock -> unknown, and its key holds nobody up', async (fate) => {
    const session = silentStore(await world.session(), [fate]);
    await expect(world.done(new Mutex(session, 'job').tryLock())).rejects.toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
    });
    const next = new Mutex(await world.session('n2'), 'job').lock();
    const held = await world.done(next, 2_000);
    expect(await world.line('job/')).toEqual([held.key]);
  });

  test.each(fates)('%s, unlock -> done again until it is answered', async (fate) => {
    const answers: Fate[] = [];
    const session = silentStore(await world.session(), answers);
    const mutex = new Mutex(session, 'job');
    const held = await world.done(mutex.lock());
    answers.push(fate, fate);
    await world.done(held.unlock());
    expect(await world.line('job/')).toEqual([]);
    const again = await world.done(mutex.lock());
    await world.run(1_000);
    expect(again.lost.aborted).toBe(false);
  });
});

test('an unlock arrives when the lock is held anew -> it takes nothing from the new holder', async () => {
  const answers: Fate[] = [];
  const session = silentStore(await world.session(), answers);
  const mutex = new Mutex(session, 'job');
  const held = await world.done(mutex.lock());
  answers.push('a second later');
  await world.done(held.unlock());
  const again = await world.done(mutex.lock());
  await world.run(3_000);
  expect(again.lost.aborted).toBe(false);
  expect(await world.line('job/')).toEqual([again.key]);
});

describe('members that fail', () => {
  test('the leader crashes while somebody waits -> the wait goes on, and gets the lock', async () => {
    const leader = world.cluster.leader() as string;
    const [one, two] = world.cluster.names.filter((name) => name !== leader) as [string, string];
    const held = await world.done(new Mutex(await world.session(one, 10), 'job').lock());
    const waiting = world.watched(new Mutex(await world.session(two, 10), 'job').lock());
    await world.run(500);
    world.cluster.crash(leader, 'power');
    await world.run(5_000);
    expect([held.lost.aborted, waiting.state]).toEqual([false, 'open']);
    await world.done(held.unlock());
    await world.until(() => waiting.state === 'ok');
    expect(waiting.value?.token).toBeGreaterThan(held.token);
  });

  test('lock while there is no leader -> it waits for one', async () => {
    const sessions = [await world.session('n1', 30), await world.session('n2', 30)];
    const leader = world.cluster.leader() as string;
    world.cluster.sim.network.isolate(leader);
    const locks = sessions.map((session, at) =>
      world.watched(new Mutex(session, `job${at}`).lock()),
    );
    await world.run(4_000);
    world.cluster.sim.network.heal();
    await world.until(() => locks.every(({ state }) => state === 'ok'));
  });

  test("the holder's machine loses power -> the next one holds it after the TTL", async () => {
    const name = world.follower;
    const [a, b] = [await world.session(name, 3), await world.session(world.cluster.leader(), 5)];
    const held = await world.done(new Mutex(a, 'job').lock());
    const next = new Mutex(b, 'job').lock();
    await world.run(100);
    const before = world.nowMs;
    world.cluster.crash(name, 'power');
    expect((await world.done(next)).token).toBeGreaterThan(held.token);
    expect(world.nowMs - before).toBeGreaterThan(1_500);
    expect(world.nowMs - before).toBeLessThan(4_000);
  });
});

describe('a holder whose look at its key fails', () => {
  /** A session whose watches and reads fail as long as `isSick`. */
  async function sickSession(ttlSeconds: number) {
    const { kv: store, lease } = await world.session('n1', ttlSeconds);
    const sick = { isSick: true, session: undefined as unknown as Session };
    const failure = () => kontikiError('STORAGE_IO', 'cannot read: too many open files');
    const kv = new Proxy(store, {
      get(target, name) {
        const method = (target[name as keyof KvClient] as () => unknown).bind(target);
        if (!sick.isSick) return method;
        if (name === 'getWithRevision') return () => Promise.reject(failure());
        if (name !== 'watch') return method;
        const next = () => Promise.reject(failure());
        return () => ({ [Symbol.asyncIterator]: () => ({ next }) });
      },
    });
    sick.session = new Session({ kv, lease, timers: world.timers });
    return sick;
  }

  test('for a while, with what does not pass -> it hears of its end all the same', async () => {
    const sick = await sickSession(60);
    const held = await world.done(new Mutex(sick.session, 'job').tryLock());
    await world.run(5_000);
    expect(held.lost.aborted).toBe(false);
    sick.isSick = false;
    await world.done(world.store('n2').delete(held.key));
    await world.until(() => held.lost.aborted);
    expect(held.lost.reason).toMatchObject({ code: 'OWNERSHIP_LOST' });
  });

  test('for longer than the TTL -> lost, and given back', async () => {
    const { session } = await sickSession(5);
    const held = await world.done(new Mutex(session, 'job').tryLock());
    await world.run(10_000);
    expect(session.lost.aborted).toBe(false);
    expect(held.lost.reason).toMatchObject({ code: 'OWNERSHIP_LOST' });
    expect(await world.line('job/')).toEqual([]);
  });
});
