// The index of ranges against a list that is asked one by one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeySelection, selects } from '../../src/mvcc/index.js';
import { IntervalIndex } from '../../src/mvcc/interval-index.js';
import { keys, selections } from './command-arbitraries.js';
import { depth } from './depth.js';

/** The slow twin. */
class RangeList {
  items: { keys: KeySelection; value: number }[] = [];

  find({ gte, lt }: KeySelection) {
    return this.items.find((it) => it.keys.gte === gte && it.keys.lt === lt);
  }

  set(range: KeySelection, value: number): void {
    this.delete(range);
    this.items.push({ keys: range, value });
  }

  delete(range: KeySelection): boolean {
    const found = this.find(range);
    this.items = this.items.filter((it) => it !== found);
    return found !== undefined;
  }

  at(key: string): number[] {
    const found = this.items.filter((it) => selects(it.keys, key));
    return found.sort(byRange).map(({ value }) => value);
  }
}

function byRange({ keys: a }: { keys: KeySelection }, { keys: b }: { keys: KeySelection }): number {
  if (a.gte !== b.gte) return a.gte < b.gte ? -1 : 1;
  if (a.lt === undefined) return 1;
  return b.lt === undefined || a.lt < b.lt ? -1 : 1;
}

function at(index: IntervalIndex<number>, key: string): number[] {
  const found: number[] = [];
  index.collect(key, found);
  return found;
}

const words = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 });
const range: fc.Arbitrary<KeySelection> = fc.oneof(
  selections,
  fc.record({ gte: words, lt: fc.option(words, { nil: undefined }) }),
);
const step = fc.record({ isSet: fc.boolean(), range });

describe('interval index', () => {
  test(
    'any sets and deletes: finds what a list finds, in the order of the ranges',
    () => {
      const probes = fc.array(fc.oneof(words, fc.constantFrom('', ...keys)), { minLength: 5 });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), probes, (steps, asked) => {
          const index = new IntervalIndex<number>();
          const list = new RangeList();
          for (const [value, it] of steps.entries()) {
            if (it.isSet) {
              index.set(it.range, value);
              list.set(it.range, value);
            } else expect(index.delete(it.range)).toBe(list.delete(it.range));
            expect(index.get(it.range)).toBe(list.find(it.range)?.value);
            expect(index.size).toBe(list.items.length);
          }
          for (const key of asked) expect(at(index, key)).toEqual(list.at(key));
          const all: number[] = [];
          index.forEach((value) => void all.push(value));
          expect(all).toEqual(list.items.sort(byRange).map(({ value }) => value));
        }),
        { numRuns: 200 * depth },
      );
    },
    30_000 * depth,
  );

  test.each([
    ['ascending', (nth: number) => nth],
    ['descending', (nth: number) => 9_999 - nth],
    ['scattered', (nth: number) => (nth * 7_919) % 10_000],
  ])('10,000 ranges set %s, half of them deleted: a search asks few of them', (_, order) => {
    const index = new IntervalIndex<number>();
    let asked = 0;
    /** A range that counts how often its begin is looked at. */
    const rangeOf = (nth: number): KeySelection => {
      const gte = `k${String(nth).padStart(5, '0')}`;
      return { gte, lt: `${gte}~` };
    };
    for (let nth = 0; nth < 10_000; nth += 1) index.set(rangeOf(order(nth)), order(nth));
    for (let nth = 0; nth < 10_000; nth += 2) index.delete(rangeOf(order(nth)));
    const kept = order(1);
    // A string object compares by its primitive, and so tells how many comparisons there were.
    const probe = Object.assign(Object(`${rangeOf(kept).gte}!`), {
      valueOf() {
        asked += 1;
        return `${rangeOf(kept).gte}!`;
      },
    }) as string;
    expect(at(index, probe)).toEqual([kept]);
    // 5,000 ranges in a tree of at most 1.44 log2(5,000) levels, two or three comparisons a level.
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(3 * 18 * 2);
  });

  test('ranges without an end, and of nothing but one key', () => {
    const index = new IntervalIndex<string>();
    index.set({ gte: '' }, 'all');
    index.set({ gte: 'b' }, 'from b');
    index.set({ gte: 'b', lt: 'b\0' }, 'only b');
    const found: string[] = [];
    index.collect('b', found);
    expect(found).toEqual(['all', 'only b', 'from b']);
    found.length = 0;
    index.collect('b\0', found);
    expect(found).toEqual(['all', 'from b']);
    expect(index.delete({ gte: 'c' })).toBe(false);
    expect(index.get({ gte: 'b' })).toBe('from b');
  });
});
