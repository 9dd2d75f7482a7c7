// Goal: a map whose old versions stay, against a copy of a plain map for each version.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedMap } from '../../../src/testing/checkers/sorted-map.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

const text = fc.string({ unit: 'binary-ascii', maxLength: 2 });
const number = fc.integer({ min: -4, max: 20 });
const bigint = fc.constantFrom(0n, 1n, 7n, -(2n ** 63n), 2n ** 63n - 1n);

function inOrder<K extends bigint | number | string>(
  twin: ReadonlyMap<K, number>,
  gte?: K,
  lt?: K,
) {
  return [...twin]
    .filter(([key]) => (gte === undefined || key >= gte) && (lt === undefined || key < lt))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value);
}

function property<K extends bigint | number | string>(keys: fc.Arbitrary<K>) {
  const change = fc.record({ key: keys, isDelete: fc.boolean() });
  const bound = fc.option(keys, { nil: undefined });
  return fc.property(fc.array(change, { maxLength: 60 }), bound, bound, (changes, gte, lt) => {
    let map = SortedMap.empty<K, number>();
    let twin = new Map<K, number>();
    const versions: [typeof map, typeof twin][] = [];
    for (const [at, { key, isDelete }] of changes.entries()) {
      const before = map;
      twin = new Map(twin);
      map = isDelete ? map.delete(key) : map.set(key, at);
      if (isDelete && !twin.has(key)) expect(map).toBe(before);
      if (isDelete) twin.delete(key);
      else twin.set(key, at);
      versions.push([map, twin]);
    }
    for (const [one, other] of versions) {
      expect(one.range()).toEqual(inOrder(other));
      expect(one.range(gte, lt)).toEqual(inOrder(other, gte, lt));
      for (const { key } of changes) expect(one.get(key)).toBe(other.get(key));
    }
  });
}

test.each([
  ['texts', property(text)],
  ['numbers', property(number)],
  ['bigints', property(bigint)],
] as const)(
  '%s as keys -> every version is what a plain map was',
  (_, checked) => {
    fc.assert(checked as fc.IProperty<unknown>, { numRuns: 100 * depth });
  },
  60_000 * depth,
);

test('20,000 keys in ascending order -> no deep recursion, and the order holds', () => {
  let map = SortedMap.empty<number, number>();
  for (let key = 0; key < 20_000; key += 1) map = map.set(key, key);
  expect(map.range(19_990)).toEqual(Array.from({ length: 10 }, (_, at) => 19_990 + at));
  for (let key = 0; key < 20_000; key += 2) map = map.delete(key);
  expect(map.range(0, 10)).toEqual([1, 3, 5, 7, 9]);
});
