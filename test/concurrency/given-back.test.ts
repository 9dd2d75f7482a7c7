// What is not held any more is given back, whoever ended it: the next attempt of the same session takes it.
import { expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { Election, lock, Mutex, Session } from '../../src/concurrency/index.js';
import type { KvClient } from '../../src/store/kv-client.js';
import { LockWorld } from './lock-world.js';

test('a lock whose key was deleted -> the same session stands in line again', async () => {
  const world = await LockWorld.started(1);
  const session = await world.session();
  const mutex = new Mutex(session, 'job');
  const held = await world.done(mutex.lock());
  await world.done(world.store('n2').delete(held.key));
  await world.until(() => held.lost.aborted);
  expect(session.lost.aborted).toBe(false);
  expect((await world.done(mutex.lock())).token).toBeGreaterThan(held.token);
});

test('a leadership whose key was deleted -> the same session campaigns again', async () => {
  const world = await LockWorld.started(1);
  const session = await world.session();
  const election = new Election(world.store(), 'e', { timers: world.timers });
  const led = await world.done(election.campaign(session, 'x'));
  await world.done(world.store('n2').delete(led.key));
  await world.until(() => led.lost.aborted);
  await world.done(election.campaign(session, 'x'));
});

test('lock(): the key deleted, time after time -> no lease is left', async () => {
  const world = await LockWorld.started(1);
  for (let n = 0; n < 5; n += 1) {
    const options = { ttlSeconds: 5, timers: world.timers };
    const held = await world.done(lock(world.store(), 'job', options));
    await world.done(world.store('n2').delete(held.key));
    await world.until(() => held.lost.aborted);
  }
  await world.run(600_000);
  expect(await world.done(world.store().leases())).toEqual([]);
});

test('an attempt that timed out, at once again -> it waits once more, it is not told that it holds', async () => {
  const world = await LockWorld.started(1);
  const [a, b] = [await world.session(), await world.session('n2')];
  await world.done(new Mutex(a, 'job').lock());
  const mutex = new Mutex(b, 'job');
  const attempts = async () => {
    const codes: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      await mutex.lock({ timeoutMs: 300 }).catch(({ code }) => codes.push(code));
    }
    return codes;
  };
  expect(await world.done(attempts())).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT', 'TIMEOUT']);
});

/** A store whose next transactions are carried out by nobody, and answered as behind a snapshot. */
class ForgetfulStore {
  fails = 0;
  readonly kv: KvClient;

  constructor(store: KvClient) {
    this.kv = new Proxy(store, {
      get: (target, name) => {
        if (name === 'txn' && this.fails > 0) {
          this.fails -= 1;
          return () => this.#failing();
        }
        const member = target[name as keyof typeof target] as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  #failing() {
    const txn = {
      if: () => txn,
      do: () => txn,
      commit: async () => {
        throw kontikiError('SESSION_EXPIRED', 'a test', { outcome: 'unknown' });
      },
    };
    return txn;
  }
}

test('the delete of a place is told SESSION_EXPIRED -> done again, nobody is held up', async () => {
  const world = await LockWorld.started(1);
  const [a, b, c] = [
    await world.session('n1'),
    await world.session('n2'),
    await world.session('n3'),
  ];
  const store = new ForgetfulStore(world.store('n2'));
  const second = new Session({ kv: store.kv, lease: b.lease, timers: world.timers });
  const held = await world.done(new Mutex(a, 'job').lock());
  const abort = new AbortController();
  const waiting = world.watched(new Mutex(second, 'job').lock({ signal: abort.signal }));
  await world.run(500);
  store.fails = 1;
  abort.abort(new Error('enough'));
  await world.run(3_000);
  expect([waiting.state, store.fails]).toEqual(['failed', 0]);
  const third = world.watched(new Mutex(c, 'job').lock());
  await world.run(300);
  await world.done(held.unlock());
  await world.run(60_000);
  expect([third.state, b.lost.aborted]).toEqual(['ok', false]);
});

test.each([
  ['a signal that is none', { timeoutMs: 8_000, signal: {} as never }],
  ['a time in words', { timeoutMs: '50' as never }],
])('%s -> ARGUMENT_INVALID, and no timer is left', async (_, options) => {
  const world = await LockWorld.started(1);
  const session = await world.session();
  let timers = 0;
  const counting = {
    ...world.timers,
    after: (...args: Parameters<typeof world.timers.after>) => {
      timers += 1;
      return world.timers.after(...args);
    },
  };
  const own = new Session({ kv: session.kv, lease: session.lease, timers: counting });
  const invalid = { code: 'ARGUMENT_INVALID' };
  await expect(new Mutex(own, 'job').lock(options)).rejects.toMatchObject(invalid);
  await expect(own.close(options)).rejects.toMatchObject(invalid);
  expect(timers).toBe(0);
  await world.run(120_000);
  expect(session.lost.aborted).toBe(false);
});
