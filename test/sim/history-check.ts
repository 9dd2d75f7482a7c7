// What must hold once a cluster has settled, whatever happened to it before.
import { expect } from 'vitest';
import { type Name, names, type SimCluster } from './cluster.js';
import type { Load } from './load.js';

/**
 * At every index whose state hash two members have recorded, theirs are equal.
 *
 * @returns how many comparisons that were
 */
export function checkStateHashes(cluster: SimCluster): number {
  const seen = new Map<number, string>();
  let compared = 0;
  for (const [name, store] of cluster.stores) {
    for (const { index, hash } of store.stateHashes()) {
      const other = seen.get(index);
      if (other === undefined) seen.set(index, hash);
      else {
        compared += 1;
        expect(hash, `state hash of ${name} at ${index}`).toBe(other);
      }
    }
  }
  return compared;
}

/** Every member holds the same; every acknowledged write is in history, no rejected one is. */
export async function checkHistory(
  cluster: SimCluster,
  load: Load,
  members: readonly Name[] = names,
) {
  const hashes = checkStateHashes(cluster);
  const dumps: (readonly string[])[] = [];
  const histories: (readonly string[])[] = [];
  for (const name of members) {
    const store = cluster.stores.get(name);
    expect(store, `${name} runs`).toBeDefined();
    if (store === undefined) continue;
    const { kvs } = await cluster.sim.complete(store.range({ prefix: '' }), 10_000);
    const counting = store.range({ prefix: '', limit: 1, count: true });
    expect((await cluster.sim.complete(counting, 10_000)).count).toBe(kvs.length);
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
  for (const dump of dumps) expect(dump).toEqual(dumps[0]);
  for (const history of histories) expect(history).toEqual(histories[0]);
  const history = new Set(histories[0]);
  const values = new Set(histories[0]?.map((line) => line.replace(/@.*/, '')));
  expect(history.size).toBe(histories[0]?.length);
  for (const { key, value, outcome, revision } of load.writes) {
    if (outcome === 'ok') expect(history).toContain(`${key}=${value}@${revision}`);
    if (outcome === 'rejected') expect(values).not.toContain(`${key}=${value}`);
  }
  const acknowledged = load.writes.filter((write) => write.outcome === 'ok').length;
  return { acknowledged, hashes, dump: dumps[0] ?? [] };
}
