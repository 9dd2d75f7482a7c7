// A count that learns of thousands of pages at once: the list of all pages is made anew once, not once for each.
import { afterEach, expect, test, vi } from 'vitest';
import { CountPages } from '../../src/storage/count-pages.js';
import type { KeyRange } from '../../src/storage/kv-engine.js';
import { countRange, type ReadPieces } from '../../src/storage/range-count.js';

const all: KeyRange = { gte: 'c', lt: 'd' };
const keyOf = (n: number): string => `c${String(n).padStart(6, '0')}`;
const noValue = new Uint8Array(0);

afterEach(() => vi.restoreAllMocks());

test('pages that have grown, between some that a large delete left unknown -> learned together', async () => {
  const pages = new CountPages(all, { pageKeys: 2 });
  let keys = Array.from({ length: 4_000 }, (_, n) => keyOf(n));
  const read: ReadPieces = async ({ gte, lt }, take) => {
    take(keys.filter((key) => key >= gte && key < lt).map((key) => [key, noValue] as const));
  };
  await countRange(pages, all, read);
  const grown = keys.filter((_, n) => n % 2 === 0).map((key) => `${key}x`);
  keys = [...keys, ...grown].sort((a, b) => (a < b ? -1 : 1));
  for (const key of grown) pages.changed(key, 1);
  // As five entries do that each delete more keys than a slice.
  for (const n of [0, 900, 1_800, 2_700, 3_600]) pages.forget(keyOf(n), keyOf(n + 2));
  const concat = vi.spyOn(Array.prototype, 'concat');
  expect(await countRange(pages, all, read)).toBe(keys.length);
  expect(concat.mock.calls.length).toBeLessThan(20);
});
