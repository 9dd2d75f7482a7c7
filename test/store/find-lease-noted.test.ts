// A lease whose renewal is not in the log yet: whoever finds it counts on no more than the next leader knows.
import { expect, test } from 'vitest';
import { VirtualStores } from './virtual-store.js';

test('found while the reset of its checkpoint is under way, then another leader -> lost before its keys go', async () => {
  const stores = await VirtualStores.opened(3, { leaseCheckpointMs: 10_000 });
  const leader = stores.ids.find(
    (id) => stores.member(id).node.status.raft.role === 'leader',
  ) as number;
  const [other] = stores.others(leader) as [number];
  await stores.settle(stores.store(leader).setLeaseReads(true));
  const lease = await stores.settle(stores.store(leader).lease(60, { id: 7n }));
  await stores.settle(stores.store(leader).put('a', '1', { lease: 7n }));
  await stores.time.run(45_000);
  expect(stores.member(other).machine.keyspace.lease(7n)).toMatchObject({ remainingMs: 20_000 });
  const { log } = stores.member(leader);
  const before = log.lastIndex();
  const kept = lease.keepAlive({ timeoutMs: 500 }).catch((error) => error.code);
  // The quorum confirmed the leader, and the reset is in its log: nobody else has it.
  await stores.time.until(() => log.lastIndex() > before);
  stores.isolate(leader);
  const found = await stores.settle(stores.store(leader).findLease(7n));
  const leftMs = found?._leftMs;
  expect(await stores.settle(kept)).toBe('TIMEOUT');
  await stores.time.until(() => !stores.member(other).machine.keyspace.hasLease(7n), 120_000);
  expect({ isLost: found?.lost.aborted, leftMs, stillMs: found?._leftMs }).toMatchObject({
    isLost: true,
  });
  await stores.close();
});
