// Who is found to differ, and when nobody can say.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { type ComparedGroup, HashComparison } from '../../src/store/hash-comparison.js';

const group = (voters: number[], others: Partial<ComparedGroup> = {}): ComparedGroup => ({
  quorums: [voters],
  members: voters,
  alarmed: new Set(),
  ...others,
});

/** What members held: a letter per index 1, 2, ..., a dot where nothing was told. */
function compared(told: Readonly<Record<number, string>>): HashComparison {
  const comparison = new HashComparison();
  for (const [member, letters] of Object.entries(told)) {
    const hashes = [...letters].map((hash, at) => ({ index: at + 1, hash }));
    comparison.take(
      Number(member),
      hashes.filter(({ hash }) => hash !== '.'),
    );
  }
  return comparison;
}

const three = [1, 2, 3];
const cases: readonly (readonly [string, Record<number, string>, ComparedGroup, number[]])[] = [
  ['all agree', { 1: 'ab', 2: 'ab', 3: 'ab' }, group(three), []],
  ['nobody has anything in common', { 1: 'a', 2: '.b', 3: '..c' }, group(three), []],
  ['one of three differs', { 1: 'a', 2: 'a', 3: 'b' }, group(three), [3]],
  ['the one that differs came back later', { 1: 'aa', 2: 'aa', 3: '.b' }, group(three), [3]],
  ['two of three, the third silent', { 1: 'a', 2: 'b' }, group(three), []],
  ['open before, explained after', { 1: 'aa', 2: 'bb', 3: '.a' }, group(three), [2]],
  ['each holds something else', { 1: 'a', 2: 'b', 3: 'c' }, group(three), [0]],
  ['two voters that differ', { 1: 'a', 2: 'b' }, group([1, 2]), [0]],
  [
    'two of five differ',
    { 1: 'a', 2: 'b', 3: 'a', 4: 'c', 5: 'a' },
    group([1, 2, 3, 4, 5]),
    [2, 4],
  ],
  [
    'two against two, the fifth silent',
    { 1: 'a', 2: 'b', 3: 'a', 4: 'b' },
    group([1, 2, 3, 4, 5]),
    [],
  ],
  ['a learner beside one voter', { 1: 'a', 9: 'b' }, group([1], { members: [1, 9] }), [9]],
  [
    'learners do not decide',
    { 1: 'a', 2: 'b', 8: 'b', 9: 'b' },
    group([1, 2], { members: [1, 2, 8, 9] }),
    [0],
  ],
  [
    'a majority of one half of a joint membership',
    { 1: 'a', 2: 'a', 3: 'b', 4: 'b' },
    group(three, { quorums: [three, [1, 3, 4]], members: [1, 2, 3, 4] }),
    [0],
  ],
  [
    'of both halves',
    { 1: 'a', 2: 'a', 3: 'b', 4: 'a' },
    group(three, { quorums: [three, [1, 3, 4]], members: [1, 2, 3, 4] }),
    [3],
  ],
  ['one that was removed', { 1: 'a', 2: 'a', 3: 'b' }, group([1, 2]), []],
  ['one that is known', { 1: 'a', 2: 'a', 3: 'b' }, group(three, { alarmed: new Set([3]) }), []],
  [
    'two that differ beside one that is known',
    { 1: 'a', 2: 'b', 3: 'b' },
    group(three, { alarmed: new Set([3]) }),
    [0],
  ],
];

describe('hash comparison', () => {
  test.each(cases)('%s', (_, told, those, wrong) => {
    expect(compared(told).judge(those, 0)).toEqual(wrong);
  });

  test('two that differ -> the third has five seconds to say who is right', () => {
    const comparison = compared({ 1: 'a', 2: 'b' });
    expect(comparison.judge(group(three), 1_000)).toEqual([]);
    expect(comparison.judge(group(three), 5_999)).toEqual([]);
    expect(comparison.judge(group(three), 6_000)).toEqual([0]);
    comparison.take(3, [{ index: 1, hash: 'b' }]);
    expect(comparison.judge(group(three), 7_000)).toEqual([1]);
  });

  test('the newest hashes of a member are kept', () => {
    const comparison = new HashComparison();
    const count = limits.stateHashesMax + 1;
    const hashes = Array.from({ length: count }, (_, at) => ({ index: at + 1, hash: 'a' }));
    comparison.take(1, hashes);
    comparison.take(2, [{ index: 1, hash: 'b' }]);
    expect(comparison.judge(group([1, 2]), 0)).toEqual([]);
    comparison.take(2, [{ index: 2, hash: 'b' }]);
    expect(comparison.judge(group([1, 2]), 0)).toEqual([0]);
  });

  test('a majority that agrees, any others, any order, any losses: only those that differ are named', () => {
    const member = fc.record({
      isWrong: fc.boolean(),
      isLearner: fc.boolean(),
      told: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    });
    let named = 0;
    fc.assert(
      fc.property(
        fc.array(member, { minLength: 1, maxLength: 7 }),
        fc.nat(9_000),
        (all, laterMs) => {
          const ids = all.map((_, at) => at + 1);
          const voters = ids.filter((id) => all[id - 1]?.isLearner === false);
          const right = voters.filter((id) => all[id - 1]?.isWrong === false);
          fc.pre(2 * right.length > voters.length);
          const comparison = new HashComparison();
          all.forEach(({ isWrong, told }, at) => {
            // Wrong ones are all of one mind, which is the hardest case.
            const hashes = told.flatMap((isTold, nth) =>
              isTold ? [{ index: nth + 1, hash: isWrong ? 'wrong' : 'right' }] : [],
            );
            comparison.take(at + 1, hashes);
          });
          const those = group(voters, { members: ids });
          comparison.judge(those, 0);
          const found = comparison.judge(those, laterMs);
          /** The definition: an index at which a majority of voters held one thing, and it another. */
          const twin = ids.filter((id) =>
            [0, 1, 2].some((nth) => {
              const holders = right.filter((each) => all[each - 1]?.told[nth]);
              const isDecided = 2 * holders.length > voters.length;
              return isDecided && all[id - 1]?.isWrong && all[id - 1]?.told[nth];
            }),
          );
          named += twin.length;
          if (twin.length > 0) expect(found).toEqual(twin);
          else expect(found.every((each) => each === 0)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    expect(named).toBeGreaterThan(20);
  });
});
