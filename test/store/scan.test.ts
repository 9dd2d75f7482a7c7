// Scans: any number of keys, page by page, all of one revision.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import type { RangeOperation, RangeResult } from '../../src/mvcc/types.js';
import { openStore } from '../../src/preset/open-store.js';
import { Scan } from '../../src/store/scan.js';
import type { Store } from '../../src/store/store.js';

let store: Store;
beforeEach(async () => {
  store = await openStore({});
});
afterEach(() => store.close());

const nameOf = (nth: number): string => `k${String(nth).padStart(5, '0')}`;
const fill = async (count: number): Promise<void> => {
  await Promise.all(Array.from({ length: count }, (_, nth) => store.put(nameOf(nth), `${nth}`)));
};
const code = (name: string) => expect.objectContaining({ code: name });

describe('scan', () => {
  test('many keys, changed and deleted meanwhile: each once, in order, of the first page’s revision', async () => {
    await fill(700);
    const scan = store.scan({ prefix: 'k' });
    expect(scan.revision).toBeUndefined();
    const seen: string[] = [];
    for await (const kv of scan) {
      expect(kv.text()).toBe(`${seen.length}`);
      seen.push(kv.keyText());
      if (seen.length === 1) {
        await store.delete({ from: nameOf(300), to: nameOf(500) });
        await store.put(nameOf(600), 'changed');
        await store.put('k', 'new, first');
        await store.put('kz', 'new, last');
      }
    }
    expect(seen).toEqual(Array.from({ length: 700 }, (_, nth) => nameOf(nth)));
    expect(scan.revision).toBe(701);
  });

  test.each([1, 2, 3, 4, 5, 6])(
    'pages of %i of five keys: whole pages, then the end',
    async (pageSize) => {
      await fill(5);
      const scan = store.scan({ prefix: '', pageSize });
      const sizes: number[] = [];
      for (let page = await scan.nextPage(); page !== undefined; page = await scan.nextPage()) {
        sizes.push(page.length);
      }
      const whole = new Array(Math.floor(5 / pageSize)).fill(pageSize);
      expect(sizes).toEqual(5 % pageSize === 0 ? whole : [...whole, 5 % pageSize]);
      expect(await scan.nextPage()).toBeUndefined();
    },
  );

  test('nothing selected: the end at once', async () => {
    await fill(2);
    expect(await store.scan({ prefix: 'x' }).next()).toEqual({ done: true, value: undefined });
    const empty = store.scan({ from: 'k2', to: 'k1' });
    expect(await empty.nextPage()).toBeUndefined();
  });

  test('at an old revision, keys alone', async () => {
    await fill(4);
    await store.delete({ prefix: '' });
    const scan = store.scan({ prefix: 'k', revision: 3, keysOnly: true, pageSize: 1 });
    const seen: string[] = [];
    for await (const kv of scan) seen.push(`${kv.keyText()}=${kv.text()}`);
    expect(seen).toEqual(['k00000=', 'k00001=']);
    expect(scan.revision).toBe(3);
  });

  test('a compaction overtakes it -> COMPACTED, with what can be read', async () => {
    await fill(4);
    const scan = store.scan({ prefix: 'k', pageSize: 2 });
    await scan.nextPage();
    const { revision } = await store.put('k', '1');
    await store.compact(revision);
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: revision });
    await expect(scan.nextPage()).rejects.toEqual(compacted);
  });

  test('calls that do not wait for each other: answered in their order', async () => {
    await fill(5);
    const scan = store.scan({ prefix: 'k', pageSize: 2 });
    const items = await Promise.all(Array.from({ length: 7 }, () => scan.next()));
    expect(items.map(({ value }) => value?.text())).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      undefined,
      undefined,
    ]);
  });

  test('left early: nothing more is read', async () => {
    await fill(5);
    const scan = store.scan({ prefix: 'k', pageSize: 2 });
    for await (const kv of scan) if (kv.text() === '2') break;
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    expect(await scan.nextPage()).toBeUndefined();
  });

  test('aborted: the reason', async () => {
    await fill(3);
    const aborter = new AbortController();
    const scan = store.scan({ prefix: 'k', pageSize: 1, signal: aborter.signal });
    await scan.next();
    aborter.abort(new Error('enough'));
    await expect(scan.next()).rejects.toThrow('enough');
  });

  test.each([1, limits.scanPairsMax - 1, limits.scanPairsMax])(
    'a page of %i pairs -> read in such pages',
    async (pageSize) => {
      await fill(3);
      const seen: string[] = [];
      for await (const kv of store.scan({ prefix: 'k', pageSize })) seen.push(kv.text());
      expect(seen).toEqual(['0', '1', '2']);
    },
  );

  test.each([
    ['no range', {}],
    ['a page of 0', { prefix: '', pageSize: 0 }],
    ['a page too large', { prefix: '', pageSize: limits.scanPairsMax + 1 }],
    ['an unknown option', { prefix: '', limit: 5 }],
    ['keysOnly that is no boolean', { prefix: '', keysOnly: 1 }],
    ['revision 0', { prefix: '', revision: 0 }],
  ])('%s -> ARGUMENT_INVALID, at once', (_name, options) => {
    expect(() => store.scan(options as never)).toThrow(code('ARGUMENT_INVALID'));
  });

  test('page sizes follow the bytes: they shrink for large values and grow for small ones', async () => {
    const asked: number[] = [];
    let valueBytes = 100_000;
    const read = async ({ limit = 0, keys }: RangeOperation): Promise<RangeResult> => {
      asked.push(limit);
      const value = new Uint8Array(valueBytes);
      const meta = { createRevision: 1, modRevision: 1, version: 1 };
      const kvs = Array.from({ length: limit }, () => ({ key: `${keys.gte}a`, value, ...meta }));
      return { op: 'range', revision: 7, kvs, more: asked.length < 12 };
    };
    const request = {
      keys: { gte: '' },
      revision: undefined,
      keysOnly: false,
      pageSize: undefined,
    };
    const scan = new Scan(read, request);
    for (let page = await scan.nextPage(); page !== undefined; page = await scan.nextPage()) {
      if (asked.length === 6) valueBytes = 1;
    }
    expect(asked).toEqual([100, 50, 25, 12, 12 >> 1, 6, 6, 12, 24, 48, 96, 192]);
  });
});
