// Reads of many slices that are all in memory: others get to run in between. Turns are counted, not time.
import { afterEach, describe, expect, test } from 'vitest';
import { cmp, op } from '../../src/store/operations.js';
import { ReadTurns } from '../../src/store/read-turns.js';
import type { Store } from '../../src/store/store.js';
import { VirtualStores } from './virtual-store.js';

const transactions = 160;
const puts = 128;

describe('a store in memory', () => {
  let stores: VirtualStores;
  afterEach(() => stores.close());

  /** With 20,480 keys, all of them changed since revision `before`. */
  async function filled(): Promise<{ store: Store; before: number }> {
    stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    for (let nth = 0; nth < transactions; nth += 1) {
      const keys = Array.from({ length: puts }, (_, at) => `key/${nth}/${at}`);
      const filling = store.txn().do(...keys.map((key) => op.put(key, '1')));
      await stores.settle(filling.commit());
    }
    const { revision: before } = await stores.settle(store.put('key', '1'));
    for (let nth = 0; nth < transactions; nth += 1) await stores.settle(store.put('other', '1'));
    return { store, before };
  }

  /** Turns of the event loop that somebody else gets while `work` is done. */
  async function turnsOf(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) stores.time.soon(count);
    };
    stores.time.soon(count);
    await stores.settle(work());
    isOver = true;
    return turns;
  }

  test('a watch that catches up with much that it does not select -> in several turns', async () => {
    const { store } = await filled();
    const watch = store.watch('none', { fromRevision: 2 });
    watch.requestProgress();
    const turns = await turnsOf(() => watch[Symbol.asyncIterator]().next());
    expect(turns).toBeGreaterThan(3);
    await watch.close();
  });

  test('a range at an old revision -> in several turns', async () => {
    const { store, before: revision } = await filled();
    const turns = await turnsOf(() => store.range({ prefix: 'key', revision, limit: 1e6 }));
    expect(turns).toBeGreaterThan(3);
  });

  test('a scan at an old revision, page by page -> in several turns', async () => {
    const { store, before: revision } = await filled();
    const turns = await turnsOf(async () => {
      let pairs = 0;
      for await (const _ of store.scan({ prefix: 'key', revision })) pairs += 1;
      expect(pairs).toBe(transactions * puts + 1);
    });
    expect(turns).toBeGreaterThan(3);
  });

  test('a transaction that compares much and changes one key -> in several turns', async () => {
    const { store } = await filled();
    const txn = store
      .txn()
      .if(cmp.createRevision({ prefix: 'key' }).gt(0))
      .do(op.put('one', '1'));
    expect(await turnsOf(() => txn.commit())).toBeGreaterThan(3);
  });

  test('one key -> in the turn in which it is asked for', async () => {
    const { store, before: revision } = await filled();
    const get = () => store.get('key', { revision });
    // The first read of a range finds some 100,000 changes that nobody sorted yet: in pieces.
    expect(await turnsOf(get)).toBeGreaterThan(10);
    expect(await turnsOf(get)).toBeLessThan(3);
  });
});

describe('turns of reads', () => {
  const slice = (records: number) => ({ records: [], ranges: [Array(records).fill(['', 1])] });

  test('all that are read in the turn in which it is enough go on in the next one', async () => {
    const turns = new ReadTurns();
    const pauses: (() => void)[] = [];
    const pause = () => new Promise<void>((resolve) => pauses.push(resolve));
    const backend = { pause };
    expect(turns.took(slice(4_095), backend)).toBeUndefined();
    const first = turns.took({ records: [undefined], ranges: [] }, backend);
    expect(first).toBeInstanceOf(Promise);
    expect(turns.took(slice(1), backend)).toBe(first);
    expect(pauses).toHaveLength(1);
    pauses[0]?.();
    await first;
    expect(turns.took(slice(4_095), backend)).toBeUndefined();
    expect(turns.took(slice(1), backend)).toBeInstanceOf(Promise);
    expect(pauses).toHaveLength(2);
  });
});
