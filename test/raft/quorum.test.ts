import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { committedIndex, majority, voteResult } from '../../src/raft/index.js';

/** Counts, for every candidate index, who has it: slow and obviously right. */
function slowCommittedIndex(acknowledged: readonly number[]): number {
  let best = 0;
  for (const index of acknowledged) {
    const holders = acknowledged.filter((each) => each >= index).length;
    if (holders * 2 > acknowledged.length) best = Math.max(best, index);
  }
  return best;
}

const acks = fc.array(fc.nat(12), { minLength: 1, maxLength: 9 });
const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 1, maxLength: 9 });

describe('majority', () => {
  test('more than half', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(majority)).toEqual([1, 2, 2, 3, 3, 4, 4]);
  });
});

describe('committedIndex', () => {
  test('Q-1 any acknowledgements -> what a naive count gives', () => {
    fc.assert(
      fc.property(acks, (indexes) => {
        const voters = indexes.map((_, i) => i + 1);
        const got = committedIndex(voters, (id) => indexes[id - 1]);
        expect(got).toBe(slowCommittedIndex(indexes));
      }),
      { numRuns: 2_000 },
    );
  });

  test('Q-3 an acknowledgement below the result falls further -> same result', () => {
    fc.assert(
      fc.property(acks, fc.nat(8), (indexes, pick) => {
        const voters = indexes.map((_, i) => i + 1);
        const before = committedIndex(voters, (id) => indexes[id - 1]);
        const id = (pick % voters.length) + 1;
        if (indexes[id - 1]! >= before) return;
        expect(committedIndex(voters, (each) => (each === id ? 0 : indexes[each - 1]))).toBe(
          before,
        );
      }),
    );
  });

  test('nobody votes -> no bound, so an absent half of a joint configuration does not count', () => {
    expect(committedIndex([], () => 3)).toBe(Infinity);
  });

  test('a voter that never answered -> counts as 0', () => {
    expect(committedIndex([1, 2, 3], (id) => (id === 1 ? 9 : undefined))).toBe(0);
    expect(committedIndex([1, 2, 3], (id) => (id === 1 ? undefined : id))).toBe(2);
  });
});

describe('voteResult', () => {
  test('any votes -> won by a majority of yes, lost when that is out of reach', () => {
    fc.assert(
      fc.property(votes, (cast) => {
        const voters = cast.map((_, i) => i + 1);
        const given = new Map<number, boolean>();
        cast.forEach((vote, i) => {
          if (vote !== undefined) given.set(i + 1, vote);
        });
        const yes = cast.filter((vote) => vote === true).length;
        const open = cast.filter((vote) => vote === undefined).length;
        const half = cast.length / 2;
        const expected = yes > half ? 'won' : yes + open > half ? 'pending' : 'lost';
        expect(voteResult(voters, given)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test('votes of strangers -> not counted', () => {
    const strangers = new Map([
      [7, true],
      [8, true],
      [9, true],
    ]);
    expect(voteResult([1, 2, 3], strangers)).toBe('pending');
  });

  test('no voters -> won', () => {
    expect(voteResult([], new Map())).toBe('won');
  });
});
