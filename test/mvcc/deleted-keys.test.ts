// The set of what a transaction deleted, against one that asks every selection about every key.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeletedKeys } from '../../src/mvcc/deleted-keys.js';
import type { KeySelection } from '../../src/mvcc/index.js';
import { selects, singleKey } from '../../src/mvcc/selection.js';
import { keys, selections } from './command-arbitraries.js';
import { depth } from './depth.js';

/** Keys of the arbitraries, and their neighbours. */
const universe = [...keys, ...keys.map((key) => `${key}\0`), 'aa', 'c', '\xfe'].sort();
const selected = (all: readonly KeySelection[], key: string): boolean =>
  all.some((each) => selects(each, key));

test('any selections added -> has, gaps and ranges around a key are those of a list', () => {
  const property = fc.property(
    fc.array(selections, { maxLength: 12 }),
    selections,
    (added, asked) => {
      const set = new DeletedKeys();
      for (const each of added) set.add(each);
      const ranges = added.filter((each) => singleKey(each) === undefined);
      const gaps = [...set.gaps(asked)];
      for (const key of universe) {
        expect(set.has(key)).toBe(selected(added, key));
        expect(selected(gaps, key)).toBe(selects(asked, key) && !selected(ranges, key));
        const around = set.around(key);
        expect(around !== undefined).toBe(selected(ranges, key));
        if (around === undefined) continue;
        const inside = universe.filter((each) => selects(around, each));
        expect(inside).toContain(key);
        for (const each of inside) expect(selected(ranges, each)).toBe(true);
      }
      gaps.forEach(({ gte }, at) => {
        const before = gaps[at - 1];
        if (before !== undefined) expect(gte > (before.lt as string)).toBe(true);
      });
      const isEmpty = added.every(({ gte, lt }) => lt !== undefined && lt <= gte);
      expect(set.isEmpty).toBe(isEmpty);
    },
  );
  fc.assert(property, { numRuns: 200 * depth });
});

test('ranges that meet -> one, without a gap between them', () => {
  const set = new DeletedKeys();
  set.add({ gte: 'a', lt: 'c' });
  set.add({ gte: 'e', lt: 'g' });
  expect([...set.gaps({ gte: '' })]).toEqual([
    { gte: '', lt: 'a' },
    { gte: 'c', lt: 'e' },
    { gte: 'g', lt: undefined },
  ]);
  set.add({ gte: 'c', lt: 'e' });
  expect(set.around('d')).toEqual({ gte: 'a', lt: 'g' });
  expect([...set.gaps({ gte: 'b', lt: 'f' })]).toEqual([]);
});
