// What is left is told in whole milliseconds: one that finds a lease counts on no part of one that is not there.
import { expect, test } from 'vitest';
import { VirtualStores } from './virtual-store.js';

test('found through the leader, a part of a millisecond into its life -> lost before its keys go', async () => {
  const stores = await VirtualStores.opened(1);
  const { store, machine } = stores.member(1);
  await stores.settle(store.lease(5, { id: 7n }));
  await stores.time.run(1_000.3);
  const found = await stores.settle(store.findLease(7n));
  await stores.time.until(() => !machine.keyspace.hasLease(7n));
  const left = found?._leftMs;
  expect(left).toBeLessThanOrEqual(0);
  await stores.close();
});
