// Locks of a session, on members in virtual time: who gets them, in which order, and what is left behind.
import { beforeEach, describe, expect, test } from 'vitest';
import { type KontikiError, kontikiError } from '../../src/base/errors.js';
import { type HeldLock, lock, Mutex, Session, tryLock } from '../../src/concurrency/index.js';
import type { KvClient } from '../../src/store/kv-client.js';
import { op } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';
import { LockWorld } from './lock-world.js';

let world: LockWorld;
const options = () => ({ ttlSeconds: 5, timers: world.timers });
const keyOf = (name: string, { lease }: Session) => `${name}/${lease.id.toString(16)}`;

const compacted = kontikiError('COMPACTED', 'a test', { compactRevision: 1 });

/** A store whose watches fail after 50 ms: history is compacted, or whatever else. */
function forgetfulStore(
  store: Store,
  error = compacted as KontikiError,
): { readonly kv: KvClient; readonly count: number } {
  const seen = { kv: store as KvClient, count: 0 };
  seen.kv = new Proxy(store, {
    get(target, name) {
      if (name !== 'watch') return (target[name as keyof Store] as () => unknown).bind(target);
      return (...args: Parameters<Store['watch']>) => {
        const watch = store.watch(...args);
        seen.count += 1;
        world.timers.after(50, () => watch.fail(error));
        return watch;
      };
    },
  });
  return seen;
}

beforeEach(async () => {
  world = await LockWorld.started(1);
});

describe('mutex', () => {
  test('nobody holds it -> held at once, by a key that etcd clients know, on the session', async () => {
    const session = await world.session();
    const held = await world.done(new Mutex(session, 'job').lock());
    expect(held.key).toBe(keyOf('job', session));
    const kv = await world.done(world.store('n2').get(held.key));
    expect(kv?.createRevision).toBe(held.token);
    expect([kv?.lease, kv?.text()]).toEqual([session.lease.id, '']);
    expect(held.lost.aborted).toBe(false);
  });

  test('several wait -> each gets it in the order of their keys, woken by the one before', async () => {
    const order: number[] = [];
    const tokens: number[] = [];
    const holders = [];
    const first = await world.done(new Mutex(await world.session(), 'job').lock());
    for (let at = 0; at < 5; at += 1) {
      const session = await world.session(`n${1 + (at % 3)}`, 30);
      const waiting = new Mutex(session, 'job').lock().then(async (held) => {
        order.push(at);
        tokens.push(held.token);
        await held.unlock();
      });
      holders.push(waiting);
      await world.run(300);
    }
    expect(order).toEqual([]);
    await world.done(first.unlock());
    await world.done(Promise.all(holders));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    expect(await world.line('job/')).toEqual([]);
  });

  test('one in the middle gives up -> the one behind goes on waiting for the holder', async () => {
    const [a, b, c] = [await world.session(), await world.session(), await world.session('n2')];
    const first = await world.done(new Mutex(a, 'job').lock());
    const abort = new AbortController();
    const second = world.watched(new Mutex(b, 'job').lock({ signal: abort.signal }));
    await world.run(500);
    const third = world.watched(new Mutex(c, 'job').lock());
    await world.run(500);
    abort.abort(new Error('enough'));
    await world.run(2_000);
    expect(second).toMatchObject({ state: 'failed', error: { message: 'enough' } });
    expect(await world.line('job/')).toEqual([keyOf('job', a), keyOf('job', c)]);
    expect(third.state).toBe('open');
    await world.done(first.unlock());
    await world.until(() => third.state === 'ok');
    expect(third.value?.token).toBeGreaterThan(first.token);
  });

  test('timeoutMs -> TIMEOUT, no key is left, and it can be tried again', async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    const first = await world.done(new Mutex(a, 'job').lock());
    const mutex = new Mutex(b, 'job');
    const before = world.nowMs;
    await expect(world.done(mutex.lock({ timeoutMs: 700 }))).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    // Sums of microseconds are not whole.
    expect(Math.round(world.nowMs - before)).toBeGreaterThanOrEqual(700);
    expect(world.nowMs - before).toBeLessThan(800);
    await world.run(500);
    expect(await world.line('job/')).toEqual([first.key]);
    const again = mutex.lock();
    await world.done(first.unlock());
    expect((await world.done(again)).token).toBeGreaterThan(first.token);
  });

  test('tryLock, held -> LOCK_HELD and nothing written; free -> held', async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    const held = await world.done(new Mutex(a, 'job').tryLock());
    const { lastIndex, revision } = world.store().status();
    await expect(world.done(new Mutex(b, 'job').tryLock())).rejects.toMatchObject({
      code: 'LOCK_HELD',
      outcome: 'rejected',
    });
    await world.run(200);
    expect(world.store().status().revision).toBe(revision);
    // The attempt itself is an entry; nothing has to be cleaned up behind it.
    expect(world.store().status().lastIndex).toBeLessThanOrEqual(lastIndex + 1);
    await world.done(held.unlock());
    expect((await world.done(new Mutex(b, 'job').tryLock())).token).toBeGreaterThan(held.token);
  });

  test('a key of somebody else, such as an etcd client -> stood in line behind', async () => {
    const lease = await world.done(world.store().lease(60));
    await world.done(world.store().put('job/7bf', '', { lease: lease.id }));
    const session = await world.session();
    const waiting = world.watched(new Mutex(session, 'job').lock());
    await world.run(1_000);
    expect(waiting.state).toBe('open');
    await expect(world.done(tryLock(world.store(), 'job', options()))).rejects.toMatchObject({
      code: 'LOCK_HELD',
    });
    await world.done(world.store('n3').delete('job/7bf'));
    await world.until(() => waiting.state === 'ok');
  });

  test('names that begin alike -> different locks', async () => {
    const session = await world.session();
    const held = [];
    for (const name of ['job', 'job2', 'jo']) {
      held.push(await world.done(new Mutex(session, name).lock()));
    }
    expect(new Set(held.map(({ token }) => token)).size).toBe(3);
  });

  test('twice in one session -> LOCK_HELD: the key could not tell the two apart', async () => {
    const session = await world.session();
    const mutex = new Mutex(session, 'job');
    const held = await world.done(mutex.lock());
    const other = await world.done(new Mutex(session, 'other').lock());
    await world.done(other.unlock());
    for (const again of [mutex, new Mutex(session, 'job')]) {
      await expect(world.done(again.lock())).rejects.toMatchObject({ code: 'LOCK_HELD' });
    }
    await world.done(held.unlock());
    const next = await world.done(mutex.lock());
    expect(next.token).toBeGreaterThan(held.token);
    expect(held.lost.aborted).toBe(true);
    expect(next.lost.aborted).toBe(false);
  });

  test('unlock twice -> the second takes nothing from the next holder', async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    const held = await world.done(new Mutex(a, 'job').lock());
    await world.done(held.unlock());
    expect(held.lost.reason).toMatchObject({ code: 'OWNERSHIP_LOST' });
    const next = await world.done(new Mutex(b, 'job').lock());
    const own = await world.done(new Mutex(a, 'other').lock());
    await world.done(held.unlock());
    expect(await world.line()).toEqual([next.key, own.key]);
    expect([next.lost.aborted, own.lost.aborted]).toEqual([false, false]);
  });

  test('isOwner -> a transaction of the holder is carried out, one of who was it is not', async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    const write = ({ isOwner }: HeldLock) =>
      world.done(world.store().txn().if(isOwner).do(op.put('row', 'x')).commit());
    const held = await world.done(new Mutex(a, 'job').lock());
    expect((await write(held)).succeeded).toBe(true);
    await world.done(held.unlock());
    await world.done(new Mutex(b, 'job').lock());
    expect((await write(held)).succeeded).toBe(false);
  });

  test("the holder's key is deleted from outside -> lost fires, and the next one holds it", async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    const held = await world.done(new Mutex(a, 'job').lock());
    const next = new Mutex(b, 'job').lock();
    await world.run(500);
    await world.done(world.store('n3').delete({ prefix: 'job/' }));
    await world.until(() => held.lost.aborted);
    expect(held.lost.reason).toMatchObject({ code: 'OWNERSHIP_LOST' });
    expect(a.lost.aborted).toBe(false);
    // Its own key went with it.
    await expect(world.done(next)).rejects.toMatchObject({ code: 'OWNERSHIP_LOST' });
    await world.done(held.unlock());
    expect(await world.line('job/')).toEqual([]);
  });

  test('history is compacted under every watch -> looked up anew, and nothing else changes', async () => {
    const parts = { lease: (await world.session()).lease, timers: world.timers };
    const forgetful = forgetfulStore(world.store());
    const a = new Session({ ...parts, kv: forgetful.kv });
    const b = await world.session('n2');
    const held = await world.done(new Mutex(a, 'job').lock());
    await world.run(500);
    expect(forgetful.count).toBeGreaterThan(2);
    expect(held.lost.aborted).toBe(false);
    const next = world.watched(new Mutex(b, 'job').lock());
    await world.done(held.unlock());
    await world.until(() => next.state === 'ok');
    const again = world.watched(new Mutex(a, 'job').lock());
    await world.run(500);
    expect(again.state).toBe('open');
    await world.done(world.store('n2').delete(next.value?.key as string));
    await world.until(() => again.state === 'ok' && next.value?.lost.aborted === true);
    await world.done(world.store('n2').delete(again.value?.key as string));
    await world.until(() => again.value?.lost.aborted === true);
  });

  test('the watch of the own key fails for a reason that passes -> it is looked at again', async () => {
    const session = await world.session();
    const { lease } = session;
    const failing = forgetfulStore(world.store(), kontikiError('STORAGE_IO', 'a test'));
    const parts = { kv: failing.kv, lease, timers: world.timers };
    const held = await world.done(new Mutex(new Session(parts), 'job').lock());
    await world.run(3_000);
    expect(failing.count).toBeGreaterThan(1);
    expect(held.lost.aborted).toBe(false);
    await world.done(world.store('n2').delete(held.key));
    await world.until(() => held.lost.aborted);
    expect(held.lost.reason).toMatchObject({ code: 'OWNERSHIP_LOST' });
  });

  test('a name that is none -> ARGUMENT_INVALID', async () => {
    const session = await world.session();
    // The last two would be one key: neither has bytes of its own.
    for (const name of ['', 7 as unknown as string, 'x\ud800', 'x\ud801']) {
      await expect(world.done(new Mutex(session, name).lock())).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      });
    }
    const wait = { timeoutMs: Number.NaN };
    await expect(world.done(new Mutex(session, 'a').lock(wait))).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    });
    // What was refused is not taken.
    await world.done(new Mutex(session, 'a').lock());
  });
});

describe('lock', () => {
  test('a session of its own: unlock ends it, and the key with it', async () => {
    const held = await world.done(lock(world.store(), 'job', options()));
    expect(await world.done(world.store().leases())).toHaveLength(1);
    await world.done(held.unlock());
    expect(await world.line('job/')).toEqual([]);
    expect(await world.done(world.store().leases())).toEqual([]);
  });

  test('await using -> unlocked at the end of the block', async () => {
    const use = async () => {
      await using held = await lock(world.store(), 'job', options());
      return held.token;
    };
    const first = await world.done(use());
    expect(await world.done(use())).toBeGreaterThan(first);
  });

  test('tryLock, held -> LOCK_HELD, and its session is gone', async () => {
    const held = await world.done(lock(world.store(), 'job', options()));
    await expect(world.done(tryLock(world.store('n2'), 'job', options()))).rejects.toMatchObject({
      code: 'LOCK_HELD',
    });
    await world.run(500);
    expect(await world.done(world.store().leases())).toHaveLength(1);
    await world.done(held.unlock());
  });

  test('aborted at any moment of its way -> the reason, and in the end neither key nor lease', async () => {
    const blocker = await world.done(
      lock(world.store('n2'), 'job', { ...options(), ttlSeconds: 60 }),
    );
    for (let afterMs = 0; afterMs < 20; afterMs += 0.5) {
      const abort = new AbortController();
      const waiting = world.watched(
        lock(world.store(), 'job', { ...options(), signal: abort.signal }),
      );
      await world.run(afterMs);
      abort.abort(new Error('enough'));
      await world.until(() => waiting.state !== 'open', 100);
      expect(waiting.error).toMatchObject({ message: 'enough' });
    }
    await world.until(() => world.store('n2').status().revision > 0);
    await world.run(8_000);
    expect(await world.line('job/')).toEqual([blocker.key]);
    expect(await world.done(world.store().leases())).toHaveLength(1);
  });
});
