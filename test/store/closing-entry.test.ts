// A store that is closed while it applies an entry that takes long.
import { expect, test } from 'vitest';
import { op } from '../../src/store/operations.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

test('closed in the middle of a large entry -> at once, and it is applied after the next open', async () => {
  const cluster = storeCluster({ seed: 3, members: 1 });
  await cluster.startAll();
  const { sim } = cluster;
  const { engineDisk } = cluster.machine('n1');
  const store = cluster.service('n1');
  for (let from = 0; from < 4_000; from += 100) {
    const puts = Array.from({ length: 100 }, (_, at) => op.put(`k${from + at}`, 'v'));
    await sim.complete(
      store
        .txn()
        .do(...puts)
        .commit(),
      10_000,
    );
  }
  await sim.run(1_000);
  // Some 16 slices, each of which reads the engine.
  engineDisk.slowByUs = 500_000;
  const removal = store.delete({ prefix: 'k' }, { timeoutMs: 60_000 });
  const outcome = removal.then(
    () => 'done',
    ({ code, outcome }) => [code, outcome],
  );
  await sim.run(1_200);
  expect(store.status().pendingWrites).toBe(1);
  const fromMs = sim.nowMs;
  await sim.complete(cluster.stop('n1'), 60_000);
  expect(sim.nowMs - fromMs).toBeLessThan(3_000);
  expect(await outcome).toEqual(['CLOSED', 'unknown']);
  engineDisk.slowByUs = 0;
  await cluster.startAll();
  const { count } = await sim.complete(
    cluster.service('n1').range({ prefix: 'k', countOnly: true }),
    20_000,
  );
  expect(count).toBe(0);
});
