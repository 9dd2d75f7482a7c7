// Stretches of keys that are known: one read over tens of thousands of them.
import { afterEach, expect, test, vi } from 'vitest';
import { RunCache } from '../../src/mvcc/run-cache.js';

const name = (nth: number): string => String(nth).padStart(6, '0');

afterEach(() => vi.restoreAllMocks());

test('a range over 10,000 short ones that were read before -> they are moved once, not once for each gap', () => {
  const cache = new RunCache(16 * 1024 * 1024);
  for (let nth = 0; nth < 10_000; nth += 1) cache.add(`${name(nth)}a`, `${name(nth)}b`, []);
  const splice = vi.spyOn(Array.prototype, 'splice');
  cache.add('', '\u0100', []);
  const { length } = splice.mock.calls;
  splice.mockRestore();
  expect(length).toBeLessThan(20);
  expect(cache.read('', '\u0100', 1)).toEqual([]);
});
