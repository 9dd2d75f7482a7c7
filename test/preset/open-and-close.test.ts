// Real members that are opened and closed again and again: no descriptor, timer, socket or listener is
// left, and every call settles.
import { getEventListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import type { Store } from '../../src/store/store.js';
import { Place } from './place.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

/** What this process holds that would keep it alive, and all that it has open. */
function held() {
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const listeners = process
    .eventNames()
    .reduce((sum, name) => sum + process.listenerCount(name), 0);
  const files = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
  return { timers: resources.Timeout ?? 0, sockets: socketsIn(resources), listeners, files };
}

function socketsIn(resources: Record<string, number>): number {
  return (resources.TCPSocketWrap ?? 0) + (resources.TCPServerWrap ?? 0);
}

function callsOf(store: Store, signal: AbortSignal): Promise<unknown>[] {
  const watch = store.watch({ prefix: '' });
  return [
    store.put('a', 'x', { signal }),
    store.get('a', { signal }),
    store.lease(60, { keepAlive: true, signal }),
    (async () => {
      for await (const _ of watch);
    })(),
    (async () => {
      for await (const _ of store.leadership());
    })(),
  ];
}

/** Opens three members, calls all of them, and closes them in the middle of it. */
async function live(cluster: Record<string, string>, signal: AbortSignal, puts: number) {
  const names = Object.keys(cluster);
  const stores = await Promise.all(
    names.map((name) => place.open({ name, dir: place.dir(name), cluster })),
  );
  for (let at = 0; at < puts; at += 1) await stores[0]?.put(`k${at}`, 'v');
  const calls = stores.flatMap((store) => callsOf(store, signal));
  const settled = Promise.allSettled(calls);
  await Promise.all(stores.map((store) => store.close()));
  return (await settled).flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
}

test('three members, 8 times -> as many descriptors, timers, sockets and listeners as before', async () => {
  const cluster = await place.cluster('a', 'b', 'c');
  const { signal } = new AbortController();
  // The thread of the disk, and whatever else is made once.
  await live(cluster, signal, 1);
  await setImmediate();
  const before = held();
  for (let cycle = 0; cycle < 8; cycle += 1) {
    const errors = await live(cluster, signal, cycle % 2);
    expect(errors.filter((error) => !isKontikiError(error))).toEqual([]);
  }
  await setImmediate();
  expect(held()).toEqual(before);
  expect(getEventListeners(signal, 'abort').length).toBe(0);
}, 60_000);
