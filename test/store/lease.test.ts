// Leases through the store, in virtual time: what is granted, kept alive, lost, and when keys go.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KontikiError } from '../../src/base/errors.js';
import type { Lease } from '../../src/store/index.js';
import { VirtualStores } from './virtual-store.js';

let stores: VirtualStores;
const failsWith = async (call: Promise<unknown>, code: string): Promise<void> => {
  await expect(stores.settle(call)).rejects.toMatchObject({ code });
};
const grant = (id: number, ttl: number, options = {}): Promise<Lease> =>
  stores.settle(stores.store(id).lease(ttl, options));
const now = (): number => stores.time.monotonicMs();
/** Monotonic time at which the lease is revoked on a member. */
const goneAt = async (lease: Lease, member: number, maxMs = 60_000): Promise<number> => {
  const { keyspace } = stores.member(member).machine;
  await stores.time.until(() => !keyspace.hasLease(lease.id), maxMs);
  return now();
};

describe('one member', () => {
  beforeEach(async () => {
    stores = await VirtualStores.opened(1);
  });
  afterEach(async () => {
    await stores.close();
    // The turn that was scheduled last.
    await stores.time.run(1);
    expect(stores.time.pending).toBe(0);
    expect(stores.time.uncaught).toEqual([]);
  });

  test('no keep-alive: its keys go in one revision, after the TTL and soon after', async () => {
    const store = stores.store(1);
    const before = now();
    const lease = await grant(1, 5);
    for (const key of ['b', 'a', 'c'])
      await stores.settle(store.put(key, key, { lease: lease.id }));
    const { revision } = await stores.settle(store.put('other', 'x'));
    const gone = await goneAt(lease, 1);
    expect(gone - before).toBeGreaterThanOrEqual(5_000);
    expect(gone - before).toBeLessThan(5_200);
    const left = await stores.settle(store.range({ prefix: '' }));
    expect(left.kvs.map((kv) => kv.keyText())).toEqual(['other']);
    expect(left.revision).toBe(revision + 1);
    expect(lease.lost.reason).toMatchObject({ code: 'LEASE_EXPIRED' });
  });

  test('lost fires a TTL after the send of the last keep-alive that succeeded', async () => {
    const granted = now();
    const lease = await grant(1, 5);
    let lostAt = 0;
    lease.lost.addEventListener('abort', () => {
      lostAt = now();
    });
    await stores.time.run(3_000);
    const sent = now();
    await stores.settle(lease.keepAlive());
    await stores.time.run(4_999);
    expect(lease.lost.aborted).toBe(false);
    await stores.time.run(10);
    expect(lostAt).toBeGreaterThanOrEqual(sent + 5_000);
    expect(lostAt).toBeLessThanOrEqual(sent + 5_001);
    expect(lostAt).toBeGreaterThan(granted + 7_999);
    await failsWith(lease.keepAlive(), 'LEASE_EXPIRED');
  });

  test('keepAlive option: lives as long as the store, then is lost as CLOSED', async () => {
    const lease = await grant(1, 3, { keepAlive: true });
    await stores.settle(stores.store(1).put('a', '1', { lease: lease.id }));
    await stores.time.run(60_000);
    expect(lease.lost.aborted).toBe(false);
    expect((await stores.settle(stores.store(1).get('a')))?.lease).toBe(lease.id);
    await stores.settle(stores.store(1).close());
    expect(lease.lost.reason).toMatchObject({ code: 'CLOSED' });
  });

  test('stopKeepAlive: it runs out, and is lost a TTL after the last keep-alive', async () => {
    const lease = await grant(1, 3, { keepAlive: true });
    await stores.time.run(10_000);
    lease.stopKeepAlive();
    const stopped = now();
    await stores.time.until(() => lease.lost.aborted);
    expect(now() - stopped).toBeGreaterThan(1_900);
    expect(now() - stopped).toBeLessThanOrEqual(3_000);
    await goneAt(lease, 1);
  });

  test('revoke: deletes its keys, loses it, and a second one says so', async () => {
    const store = stores.store(1);
    const lease = await grant(1, 60);
    await stores.settle(store.put('a', '1', { lease: lease.id }));
    const { revision } = await stores.settle(store.put('b', '1', { lease: lease.id }));
    expect(await stores.settle(lease.revoke())).toEqual({ revision: revision + 1, deleted: 2 });
    expect(lease.lost.reason).toMatchObject({ code: 'LEASE_NOT_FOUND' });
    await failsWith(lease.revoke(), 'LEASE_NOT_FOUND');
    await failsWith(lease.keepAlive(), 'LEASE_NOT_FOUND');
    expect(await stores.settle(lease.timeToLive())).toBeUndefined();
  });

  test('revoke: lost from the call on, whatever comes of it, and a second one is sent', async () => {
    const lease = await grant(1, 60);
    const abort = new AbortController();
    const revoking = lease.revoke({ signal: abort.signal });
    expect(lease.lost.reason).toMatchObject({ code: 'LEASE_NOT_FOUND' });
    abort.abort(new Error('enough'));
    await expect(stores.settle(revoking)).rejects.toThrow();
    await failsWith(lease.keepAlive(), 'LEASE_NOT_FOUND');
    const before = stores.store(1).status().appliedIndex;
    await stores.settle(lease.revoke().catch(() => undefined));
    expect(stores.store(1).status().appliedIndex).toBeGreaterThan(before);
    expect(await stores.settle(stores.store(1).leases())).toEqual([]);
  });

  test('revoke, refused before anything is sent: it lives on', async () => {
    const lease = await grant(1, 60);
    await failsWith(lease.revoke({ timeoutMs: -1 }), 'ARGUMENT_INVALID');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(lease.revoke({ signal })).rejects.toThrow('enough');
    expect(lease.lost.aborted).toBe(false);
  });

  describe('a lease that ran out, and another one of its id', () => {
    let first: Lease;
    beforeEach(async () => {
      const store = stores.store(1);
      first = await grant(1, 2, { id: 7n });
      await goneAt(first, 1);
      await grant(1, 60, { id: 7n });
      await stores.settle(store.put('mine', '1', { lease: 7n }));
    });

    test('revoke of the first -> LEASE_NOT_FOUND, and the keys of the other stay', async () => {
      await failsWith(first.revoke(), 'LEASE_NOT_FOUND');
      expect((await stores.settle(stores.store(1).get('mine')))?.lease).toBe(7n);
    });

    test('timeToLive of the first -> undefined, with keys and without', async () => {
      expect(await stores.settle(first.timeToLive())).toBeUndefined();
      expect(await stores.settle(first.timeToLive({ keys: true }))).toBeUndefined();
    });
  });

  test('timeToLive: what is left, and the keys in order when asked for', async () => {
    const store = stores.store(1);
    const lease = await grant(1, 60);
    for (const key of ['b', 'a\0', 'a']) {
      await stores.settle(store.put(key, '', { lease: lease.id }));
    }
    await stores.settle(store.put('b', '', {}));
    await stores.time.run(10_000);
    const status = await stores.settle(lease.timeToLive({ keys: true }));
    expect(status?.ttlSeconds).toBe(60);
    expect(status?.remainingMs).toBeGreaterThan(49_000);
    expect(status?.remainingMs).toBeLessThanOrEqual(50_001);
    expect(status?.keys?.map((key) => Buffer.from(key).toString('latin1'))).toEqual(['a', 'a\0']);
    expect(await stores.settle(lease.timeToLive())).not.toHaveProperty('keys');
  });

  test('leases: all of them, by id; any int64 but 0 will do', async () => {
    const least = -(2n ** 63n);
    for (const id of [5n, 2n ** 63n - 1n, least]) await grant(1, 60, { id });
    const drawn = await grant(1, 60);
    expect(drawn.id).toBeGreaterThan(0n);
    const ids = (await stores.settle(stores.store(1).leases())).map(({ id }) => id);
    expect(ids).toEqual([least, 5n, drawn.id, 2n ** 63n - 1n].sort((a, b) => (a < b ? -1 : 1)));
    await failsWith(stores.store(1).lease(60, { id: 5n }), 'LEASE_EXISTS');
  });

  test('a put to a lease that is not there: LEASE_NOT_FOUND, and nothing is written', async () => {
    const store = stores.store(1);
    await failsWith(store.put('a', '1', { lease: 7n }), 'LEASE_NOT_FOUND');
    expect(await stores.settle(store.get('a'))).toBeUndefined();
    await stores.settle(store.put('a', '1', { lease: 0n }));
  });

  test('a TTL below the least: raised to one and a half election timeouts', async () => {
    expect((await grant(1, 1)).ttlSeconds).toBe(2);
    expect((await grant(1, 2)).ttlSeconds).toBe(2);
    expect((await grant(1, 3)).ttlSeconds).toBe(3);
  });

  test('the longest TTL is granted, and its timers do not fire early', async () => {
    const lease = await grant(1, 9_000_000_000);
    await stores.time.run(10_000);
    expect(lease.lost.aborted).toBe(false);
    await stores.settle(lease.revoke());
  });

  const bad: readonly (readonly [string, unknown, object])[] = [
    ['no TTL', undefined, {}],
    ['a TTL of 0', 0, {}],
    ['a TTL below 0', -1, {}],
    ['half a second', 0.5, {}],
    ['NaN', Number.NaN, {}],
    ['a bigint TTL', 5n, {}],
    ['a TTL above the limit', 9_000_000_001, {}],
    ['an endless TTL', Infinity, {}],
    ['id 0', 5, { id: 0n }],
    ['a number as id', 5, { id: 5 }],
    ['null as id', 5, { id: null }],
    ['an id beyond int64', 5, { id: 2n ** 63n }],
    ['an unknown option', 5, { ttl: 5 }],
    ['a keepAlive that is no boolean', 5, { keepAlive: 'yes' }],
    ['a timeout of 0', 5, { timeoutMs: 0 }],
  ];
  test.each(bad)('%s -> ARGUMENT_INVALID', async (_, ttl, options) => {
    const call = stores.store(1).lease(ttl as number, options);
    await expect(stores.settle(call)).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      outcome: 'rejected',
    });
  });

  test('an aborted keep-alive rejects with the reason', async () => {
    const lease = await grant(1, 5);
    const aborting = new AbortController();
    const call = lease.keepAlive({ signal: aborting.signal });
    aborting.abort(new Error('enough'));
    await expect(stores.settle(call)).rejects.toThrow('enough');
    await expect(lease.timeToLive({ signal: aborting.signal })).rejects.toThrow('enough');
  });
});

describe('three members', () => {
  let leader: number;
  let follower: number;

  const open = async (options = {}): Promise<void> => {
    stores = await VirtualStores.opened(3, options);
    leader = leaderOf();
    follower = stores.ids.find((id) => id !== leader)!;
  };
  const leaderOf = (): number =>
    stores.ids.find((id) => stores.member(id).node.leadTerm > 0 && !isClosed(id))!;
  const isClosed = (id: number): boolean => stores.member(id).node.status.lifecycle !== 'open';
  const isolate = (id: number): void => {
    for (const other of stores.ids) if (other !== id) stores.hub.disconnect(id, other);
  };
  const heal = (): void => {
    for (const a of stores.ids) for (const b of stores.ids) if (a < b) stores.hub.connect(a, b);
  };
  afterEach(async () => {
    await stores.close();
    expect(stores.time.uncaught).toEqual([]);
  });

  test('granted and kept alive through a follower; expires on all members alike', async () => {
    await open();
    const lease = await grant(follower, 4);
    await stores.settle(stores.store(follower).put('a', '1', { lease: lease.id }));
    for (let nth = 0; nth < 5; nth += 1) {
      await stores.time.run(3_000);
      await stores.settle(lease.keepAlive());
    }
    const sent = now();
    expect(await goneAt(lease, follower)).toBeGreaterThanOrEqual(sent + 3_990);
    expect(now()).toBeLessThan(sent + 4_300);
    await stores.time.run(500);
    const hashes = stores.ids.map((id) => stores.member(id).machine.keyspace.stateHash);
    expect(new Set(hashes).size).toBe(1);
  });

  test('many keep-alives in one breath: one question, every answer its own', async () => {
    await open();
    const leases = await stores.settle(
      Promise.all(Array.from({ length: 50 }, () => stores.store(follower).lease(4))),
    );
    await stores.settle(leases[7]!.revoke());
    await stores.time.run(2_000);
    const kept = leases.filter((_, nth) => nth !== 7);
    await stores.settle(Promise.all(kept.map((lease) => lease.keepAlive())));
    await stores.time.run(3_900);
    expect(kept.filter((lease) => lease.lost.aborted)).toEqual([]);
  });

  test('the leader dies: the lease is not shortened, and ends within TTL and failover', async () => {
    await open();
    const lease = await grant(follower, 5);
    await stores.time.run(4_000);
    const sent = now();
    await stores.settle(lease.keepAlive());
    await stores.time.run(1_000);
    await stores.settle(stores.store(leader).close());
    const died = now();
    const gone = await goneAt(lease, follower);
    expect(gone).toBeGreaterThanOrEqual(sent + 5_000);
    expect(gone).toBeLessThan(died + 5_000 + 2_500);
  });

  test('13508 TTL starts anew on failover: a checkpoint bounds what is added', async () => {
    await open({ leaseCheckpointMs: 2_000 });
    const lease = await grant(follower, 30);
    await stores.time.run(21_000);
    await stores.settle(stores.store(leader).close());
    const died = now();
    const gone = await goneAt(lease, follower);
    expect(gone - died).toBeGreaterThanOrEqual(8_900);
    expect(gone - died).toBeLessThan(9_000 + 2_000 + 2_500);
  });

  test('a keep-alive after a checkpoint: the reset is applied before the answer', async () => {
    await open({ leaseCheckpointMs: 2_000 });
    const lease = await grant(follower, 30);
    await stores.time.run(21_000);
    const stored = () => stores.member(leader).machine.keyspace.lease(lease.id)?.remainingMs;
    expect(stored()).toBeGreaterThan(0);
    const sent = now();
    await stores.settle(lease.keepAlive());
    expect(stored()).toBe(0);
    await stores.settle(stores.store(leader).close());
    expect(await goneAt(lease, follower)).toBeGreaterThanOrEqual(sent + 30_000);
  });

  test('12528, 15247, 16822 a leader cut off: what it thinks expired lives on with the others', async () => {
    await open();
    const lease = await grant(follower, 3, { keepAlive: true });
    await stores.settle(stores.store(follower).put('a', '1', { lease: lease.id }));
    isolate(leader);
    await stores.time.run(20_000);
    heal();
    await stores.time.run(20_000);
    expect(lease.lost.aborted).toBe(false);
    for (const id of stores.ids) {
      expect(stores.member(id).machine.keyspace.hasLease(lease.id)).toBe(true);
    }
  });

  test('20616 keep-alive of a revoked lease: not there, through every member', async () => {
    await open();
    const lease = await grant(follower, 60);
    const [other] = await stores.settle(
      Promise.all(stores.ids.map((id) => stores.store(id).leases())),
    );
    expect(other?.map(({ id }) => id)).toEqual([lease.id]);
    const twin = await grant(leader, 60, { id: 9n });
    await stores.settle(twin.revoke());
    await stores.settle(stores.store(leader).put('x', '1'));
    const again = await grant(leader, 60, { id: 9n });
    // A lease of the same id is another lease.
    await expect(stores.settle(twin.keepAlive())).rejects.toMatchObject({
      code: 'LEASE_NOT_FOUND',
    });
    await stores.settle(again.keepAlive());
  });

  test('timeToLive with keys while it is revoked: alive with its keys, or gone', async () => {
    await open();
    const holder = stores.store(follower);
    const seen = new Set<string>();
    for (let afterMs = 0; afterMs < 20; afterMs += 0.5) {
      const lease = await grant(follower, 60, { id: 7n });
      await stores.settle(holder.put('a', '1', { lease: 7n }));
      const asked = lease.timeToLive({ keys: true });
      await stores.time.run(afterMs);
      await stores.settle(lease.revoke());
      const status = await stores.settle(asked);
      seen.add(status === undefined ? 'gone' : `alive with ${status.keys?.length}`);
    }
    expect([...seen].sort()).toEqual(['alive with 1', 'gone']);
  });

  test('nobody leads: a keep-alive times out, and the lease is lost in time', async () => {
    await open();
    const lease = await grant(follower, 5);
    for (const id of stores.ids) isolate(id);
    await stores.time.run(1_500);
    const call = lease.keepAlive({ timeoutMs: 1_000 });
    await expect(stores.settle(call)).rejects.toMatchObject({ code: 'TIMEOUT' });
    await stores.time.run(3_000);
    expect((lease.lost.reason as KontikiError).code).toBe('LEASE_EXPIRED');
    heal();
    await stores.time.run(15_000);
    expect(stores.member(follower).machine.keyspace.hasLease(lease.id)).toBe(false);
  });
});
