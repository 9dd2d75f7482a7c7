// Leases by their ids: whoever finds one has it as its holder has, and counts on it no longer than it lives.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Lease } from '../../src/store/index.js';
import { VirtualStores } from './virtual-store.js';

let stores: VirtualStores;
beforeEach(async () => {
  stores = await VirtualStores.opened(3);
});
afterEach(async () => {
  await stores.close();
  await stores.time.run(1);
  expect(stores.time.pending).toBe(0);
  expect(stores.time.uncaught).toEqual([]);
});

const grant = (ttlSeconds: number, options = {}): Promise<Lease> =>
  stores.settle(stores.store(1).lease(ttlSeconds, options));
const find = (id: bigint, options = {}): Promise<Lease | undefined> =>
  stores.settle(stores.store(2).findLease(id, options));
const found = async (id: bigint, options = {}): Promise<Lease> => {
  const lease = await find(id, options);
  if (lease === undefined) throw new Error('expected a lease');
  return lease;
};

test('found through another member -> its time, its keys, and its end', async () => {
  const { id } = await grant(60, { id: 7n });
  await stores.settle(stores.store(1).put('a', '1', { lease: id }));
  const lease = await found(7n);
  expect([lease.id, lease.ttlSeconds, lease.lost.aborted]).toEqual([7n, 60, false]);
  const status = await stores.settle(lease.timeToLive({ keys: true }));
  expect(status).toMatchObject({ ttlSeconds: 60, keys: [Uint8Array.of(97)] });
  expect(await stores.settle(lease.revoke())).toMatchObject({ deleted: 1 });
  expect(await find(7n)).toBeUndefined();
  expect(await stores.settle(stores.store(1).get('a'))).toBeUndefined();
});

test('found when some of its time is over -> lost when the rest is, and not before unless renewed', async () => {
  const { id } = await grant(30);
  await stores.time.run(20_000);
  const lease = await found(id);
  await stores.time.run(9_000);
  expect(lease.lost.aborted).toBe(false);
  await stores.time.run(1_100);
  expect(lease.lost.reason).toMatchObject({ code: 'LEASE_EXPIRED' });
  await stores.time.until(() => !stores.member(2).machine.keyspace.hasLease(id));
});

test('found and renewed -> lives a whole TTL from then on', async () => {
  const { id } = await grant(30);
  await stores.time.run(20_000);
  const lease = await found(id);
  await stores.settle(lease.keepAlive());
  await stores.time.run(29_000);
  expect(lease.lost.aborted).toBe(false);
  expect(stores.member(2).machine.keyspace.hasLease(id)).toBe(true);
});

test('found with keepAlive, late in its life -> renewed at once, and on', async () => {
  const { id } = await grant(9);
  await stores.time.run(8_000);
  const lease = await found(id, { keepAlive: true });
  await stores.time.run(60_000);
  expect(lease.lost.aborted).toBe(false);
  expect(stores.member(3).machine.keyspace.hasLease(id)).toBe(true);
});

test('another lease of the id since -> what was found is not that one', async () => {
  await grant(60, { id: 9n });
  const first = await found(9n);
  await stores.settle((await found(9n)).revoke());
  await grant(60, { id: 9n });
  await expect(stores.settle(first.keepAlive())).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' });
  expect(await find(9n)).toBeDefined();
});

test.each([undefined, 7, '7', 2n ** 63n])('id %s -> ARGUMENT_INVALID', async (id) => {
  const call = stores.settle(stores.store(2).findLease(id as bigint));
  await expect(call).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
});

test('an unknown option -> ARGUMENT_INVALID; no such lease -> undefined', async () => {
  await expect(find(7n, { ttl: 3 })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  expect(await find(7n)).toBeUndefined();
  expect(await find(0n)).toBeUndefined();
});
