// What must hold once a cluster has settled, whatever happened to it before.
import { expect } from 'vitest';
import { names, type SimCluster } from './cluster.js';
import type { Load } from './load.js';

/** Every member holds the same; every acknowledged write is in history, no rejected one is. */
export async function checkHistory(cluster: SimCluster, load: Load) {
  const dumps: (readonly string[])[] = [];
  const histories: (readonly string[])[] = [];
  for (const name of names) {
    const store = cluster.stores.get(name);
    expect(store, `${name} runs`).toBeDefined();
    if (store === undefined) continue;
    const { kvs } = await cluster.sim.complete(store.range({ prefix: '' }), 10_000);
    dumps.push(kvs.map((kv) => `${kv.keyText()}=${kv.text()}@${kv.modRevision}`));
    const seen: string[] = [];
    const { revision } = store.status();
    const watch = store.watch({ prefix: '' }, { fromRevision: 2 })[Symbol.asyncIterator]();
    while (seen.length < revision - 1) {
      const { value } = await cluster.sim.complete(watch.next(), 10_000);
      for (const { kv } of value?.events ?? []) {
        seen.push(`${kv.keyText()}=${kv.text()}@${kv.modRevision}`);
      }
    }
    await watch.return?.();
    histories.push(seen);
  }
  expect(dumps[1]).toEqual(dumps[0]);
  expect(dumps[2]).toEqual(dumps[0]);
  expect(histories[1]).toEqual(histories[0]);
  expect(histories[2]).toEqual(histories[0]);
  const history = new Set(histories[0]);
  const values = new Set(histories[0]?.map((line) => line.replace(/@.*/, '')));
  expect(history.size).toBe(histories[0]?.length);
  for (const { key, value, outcome, revision } of load.writes) {
    if (outcome === 'ok') expect(history).toContain(`${key}=${value}@${revision}`);
    if (outcome === 'rejected') expect(values).not.toContain(`${key}=${value}`);
  }
  const acknowledged = load.writes.filter((write) => write.outcome === 'ok').length;
  return { acknowledged, dump: dumps[0] ?? [] };
}
