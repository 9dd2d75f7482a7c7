// Watches of a whole store over compaction: at the compacted revision, one below and one above.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import type { Store } from '../../src/store/store.js';
import type { Watch } from '../../src/store/watch.js';
import { VirtualStores } from './virtual-store.js';

/** Revisions 2 to 7: two keys, one of them deleted at 5 and put again. */
async function withHistory(stores: VirtualStores): Promise<Store> {
  const store = stores.store(1);
  const settle = <T>(promise: Promise<T>) => stores.settle(promise);
  for (const value of ['1', '2', '3']) await settle(store.put('a', value));
  await settle(store.delete('a'));
  await settle(store.put('b', '1'));
  await settle(store.put('a', '4'));
  return store;
}

/** What a watch has up to now, in short, with the version before: `put a 7`, `delete a 5 (4)`. */
async function story(stores: VirtualStores, watch: Watch): Promise<string[]> {
  const iterator = watch[Symbol.asyncIterator]();
  watch.requestProgress();
  const lines: string[] = [];
  for (;;) {
    const { value } = await stores.settle(iterator.next());
    if (value!.events.length === 0) return lines;
    for (const { type, kv, previous } of value!.events) {
      const before = previous === undefined ? '' : ` (${previous.modRevision})`;
      lines.push(`${type} ${kv.keyText()} ${kv.modRevision}${before}`);
    }
  }
}

describe('watch and compaction', () => {
  test.each([
    [4, ['put a 4', 'delete a 5 (4)', 'put b 6', 'put a 7']],
    [5, ['delete a 5', 'put b 6', 'put a 7']],
    [6, ['put b 6', 'put a 7']],
  ])(
    'compacted at %i: from there all, from one below COMPACTED, from one above all',
    async (to, all) => {
      const stores = await VirtualStores.opened(1);
      const store = await withHistory(stores);
      await stores.settle(store.compact(to));
      const at = (fromRevision: number) => store.watch({ prefix: '' }, { fromRevision });
      expect(await story(stores, at(to))).toEqual(all);
      expect(await story(stores, at(to + 1))).toHaveLength(all.length - 1);
      const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: to });
      await expect(at(to - 1).startRevision).rejects.toEqual(compacted);
      await stores.close();
    },
  );

  test('a consumer too slow for its queue and then for history: COMPACTED, and it can go on there', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const watch = store.watch('a');
    const puts = limits.watcherEventsMax + 1;
    await stores.settle(Promise.all(Array.from({ length: puts }, () => store.put('a', ''))));
    const { revision } = await stores.settle(store.put('a', 'last'));
    await stores.settle(store.compact(revision));
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: revision });
    const iterator = watch[Symbol.asyncIterator]();
    await expect(stores.settle(iterator.next())).rejects.toEqual(compacted);
    const resumed = store.watch('a', { fromRevision: revision });
    expect(await story(stores, resumed)).toEqual([`put a ${revision}`]);
    await stores.close();
  });

  test('a consumer as slow whose history is kept: every event once, in order', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const watch = store.watch('a');
    const puts = limits.watcherEventsMax + 1;
    await stores.settle(Promise.all(Array.from({ length: puts }, () => store.put('a', ''))));
    await stores.settle(store.compact(2));
    const got = await story(stores, watch);
    const before = (revision: number) => (revision === 2 ? '' : ` (${revision - 1})`);
    const expected = Array.from({ length: puts }, (_, nth) => `put a ${nth + 2}${before(nth + 2)}`);
    expect(got).toEqual(expected);
    await stores.close();
  });
});
