// Goal: what a store says of itself: gauges of its keyspace and watchers, its member's facts, its reads.
import { afterEach, expect, test, vi } from 'vitest';
import type { TraceChannel, Tracing } from '../../src/node/index.js';
import { VirtualStores } from './virtual-store.js';

let stores: VirtualStores;
afterEach(() => stores.close());

test('watchers, leases, revisions -> as they are now', async () => {
  stores = await VirtualStores.opened(1);
  const store = stores.store(1);
  expect(store.metrics()).toMatchObject({
    revision: 1,
    watchers: 0,
    leases: 0,
    watchLagRevisions: 0,
  });
  const slow = store.watch({ prefix: 'a' })[Symbol.asyncIterator]();
  const other = store.watch('b');
  await stores.settle(store.lease(60));
  for (let nth = 0; nth < 5; nth += 1) await stores.settle(store.put('a', `${nth}`));
  await stores.settle(store.compact(3));
  expect(store.metrics()).toMatchObject({
    ...{ revision: 6, compactRevision: 3, watchers: 2, leases: 1 },
    ...{ watchEventsHeld: 5, watchLagRevisions: 5 },
  });
  expect(store.metrics().watchBytesHeld).toBeGreaterThan(0);
  await stores.settle(slow.next());
  await other.close();
  expect(store.metrics()).toMatchObject({ watchers: 1, watchEventsHeld: 0, watchLagRevisions: 0 });
  expect(store.metrics().proposals).toBeGreaterThanOrEqual(7);
});

test('a watcher that reads history -> its lag counts from where it is', async () => {
  stores = await VirtualStores.opened(1);
  const store = stores.store(1);
  for (let nth = 0; nth < 9; nth += 1) await stores.settle(store.put('a', `${nth}`));
  store.watch('a', { fromRevision: 4 });
  expect(store.metrics().watchLagRevisions).toBe(7);
});

test('status -> the others as the leader sees them, by name', async () => {
  stores = await VirtualStores.opened(3);
  await stores.settle(stores.store(1).put('a', '1'));
  await stores.time.run(500);
  const all = stores.ids.map((id) => stores.store(id).status());
  const leader = all.find(({ role }) => role === 'leader');
  expect(leader?.peers).toHaveLength(2);
  for (const peer of leader?.peers ?? []) {
    expect(peer).toMatchObject({
      ...{ name: `n${peer.memberId}`, state: 'replicate', isActive: true, isLearner: false },
      matchIndex: leader?.lastIndex,
    });
  }
  for (const { role, peers } of all) expect(role === 'leader' || peers.length === 0).toBe(true);
});

test('leadership of a store -> the leader’s, with its term', async () => {
  stores = await VirtualStores.opened(3);
  const seen: [string, number][] = [];
  for (const id of stores.ids) {
    const store = stores.store(id);
    void store
      .leadership()
      .next()
      .then(({ value }) => value && seen.push([store.status().name, value.term]));
  }
  await stores.time.run(3_000);
  const { leader, term } = stores.store(1).status();
  expect(seen).toEqual([[leader, term]]);
});

test('reads: nobody listens -> nothing is wrapped; somebody does -> each read once', async () => {
  let hasSubscribers = false;
  const told: unknown[] = [];
  const channel: TraceChannel = {
    get hasSubscribers() {
      return hasSubscribers;
    },
    tracePromise: vi.fn((run, context) => {
      told.push(context);
      return run();
    }),
  };
  const tracing: Tracing = {
    ...{ propose: channel, read: channel, fsync: channel },
    ...{ apply: channel, snapshot: channel },
  };
  stores = await VirtualStores.opened(1, { tracing });
  const store = stores.store(1);
  await stores.settle(store.put('a', '1'));
  await stores.settle(store.get('a'));
  expect(channel.tracePromise).not.toHaveBeenCalled();
  hasSubscribers = true;
  expect((await stores.settle(store.get('a')))?.text()).toBe('1');
  await stores.settle(store.range({ prefix: 'a' }));
  expect(told).toEqual([
    { memberId: 1, op: 'range' },
    { memberId: 1, op: 'range' },
  ]);
});
