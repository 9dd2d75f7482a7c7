import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import { SortedMap } from '../../src/base/sorted-map.js';

const all = { gte: '', lt: '\xff\xff' };
const value = Uint8Array.of(1);
const name = (n: number): string => `k${String(n).padStart(6, '0')}`;
const keysOf = (map: SortedMap, reverse = false): string[] =>
  map.collect(all, Number.POSITIVE_INFINITY, reverse).map(([key]) => key);

describe('sorted map', () => {
  test('20,000 random inserts, then deletes of most -> always sorted, both ways', () => {
    const random = new Prng(7);
    const map = new SortedMap();
    const model = new Set<string>();
    for (let step = 0; step < 20_000; step += 1) {
      const key = name(randomInt(random, 100_000));
      map.set(key, value);
      model.add(key);
    }
    expect(keysOf(map)).toEqual([...model].sort());
    for (const key of [...model]) {
      if (randomInt(random, 20) === 0) continue;
      map.delete(key);
      model.delete(key);
    }
    expect(keysOf(map)).toEqual([...model].sort());
    expect(keysOf(map, true)).toEqual([...model].sort().reverse());
    for (const key of [...model]) map.delete(key);
    expect(keysOf(map)).toEqual([]);
    map.set('again', value);
    expect(keysOf(map)).toEqual(['again']);
  });

  test('snapshots at random points -> each keeps its moment, ranges and counts are exact', () => {
    const step = fc.record({
      key: fc.nat({ max: 300 }),
      isDelete: fc.boolean(),
      keep: fc.nat({ max: 15 }),
    });
    const range = fc.record({
      lo: fc.nat({ max: 320 }),
      size: fc.nat({ max: 320 }),
      count: fc.nat({ max: 90 }),
      reverse: fc.boolean(),
    });
    const steps = fc.array(step, { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(steps, range, (changes, { lo, size, count, reverse }) => {
        const map = new SortedMap();
        const model = new Set<string>();
        const kept: { map: SortedMap; keys: string[] }[] = [];
        for (const { key, isDelete, keep } of changes) {
          if (isDelete) map.delete(name(key));
          else map.set(name(key), value);
          if (isDelete) model.delete(name(key));
          else model.add(name(key));
          if (keep === 0) kept.push({ map: map.snapshot(), keys: [...model].sort() });
        }
        kept.push({ map, keys: [...model].sort() });
        const bounds = { gte: name(lo), lt: name(lo + size) };
        for (const { map: view, keys } of kept) {
          expect(keysOf(view)).toEqual(keys);
          const inside = keys.filter((key) => key >= bounds.gte && key < bounds.lt);
          if (reverse) inside.reverse();
          const found = view.collect(bounds, count, reverse).map(([key]) => key);
          expect(found).toEqual(inside.slice(0, count));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a snapshot that is changed -> the original does not see it', () => {
    const map = new SortedMap();
    map.set('a', value);
    const copy = map.snapshot();
    copy.set('b', value);
    copy.set('a', Uint8Array.of(2));
    expect(keysOf(map)).toEqual(['a']);
    expect(map.get('a')).toEqual(value);
    expect(keysOf(copy)).toEqual(['a', 'b']);
  });
});
