/** Quorums and changes of the configuration as properties, with plain twins: rows Q. */
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import {
  type ConfChangeSingle,
  type ConfState,
  classifyChange,
  committedIndex,
  enterJoint,
  isSameConfState,
  jointCommittedIndex,
  leaveJoint,
  type MemberId,
  restoreConfiguration,
  simpleChange,
  type VoterHalves,
} from '../../../src/raft/index.js';
import { bytes, entryOf } from './disk.js';
import { Solo } from './solo.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

/** Many cases from one seed, which a failure names. */
function cases(count: number, run: (int: (bound: number) => number) => void): void {
  for (let at = 0; at < count * depth; at += 1) {
    const random = new Prng(at);
    try {
      run((bound) => randomInt(random, bound));
    } catch (error) {
      throw new Error(`case ${at}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}

type Acks = ReadonlyMap<MemberId, number>;

function someVoters(int: (bound: number) => number, max: number): MemberId[] {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].filter(() => int(9) < max);
}

function someAcks(int: (bound: number) => number): Map<MemberId, number> {
  const acks = new Map<MemberId, number>();
  for (let id = 1; id <= 9; id += 1) if (int(4) > 0) acks.set(id, int(12));
  return acks;
}

/** Tries every index, and counts who has it. */
function naive(halves: readonly (readonly MemberId[])[], acks: Acks): number {
  const voting = halves.filter((half) => half.length > 0);
  if (voting.length === 0) return Infinity;
  let best = 0;
  for (let index = 1; index <= 12; index += 1) {
    const has = (id: MemberId) => (acks.get(id) ?? 0) >= index;
    if (voting.every((half) => 2 * half.filter(has).length > half.length)) best = index;
  }
  return best;
}

function committed(halves: VoterHalves, acks: Acks): number {
  return jointCommittedIndex(halves, (id) => acks.get(id));
}

describe('committed index', () => {
  test('Q-1: any voters and acknowledgements -> what a naive count gives', () => {
    cases(50_000, (int) => {
      const voters = someVoters(int, 5);
      const votersOutgoing = int(2) === 0 ? [] : someVoters(int, 5);
      const acks = someAcks(int);
      if (committedIndex(voters, (id) => acks.get(id)) !== naive([voters], acks)) {
        expect.fail(`${voters} with ${JSON.stringify([...acks])}`);
      }
      if (committed({ voters, votersOutgoing }, acks) !== naive([voters, votersOutgoing], acks)) {
        expect.fail(`${voters} and ${votersOutgoing} with ${JSON.stringify([...acks])}`);
      }
    });
  });

  test('Q-2: joint with itself or with nobody -> the same; halves can be swapped', () => {
    cases(5_000, (int) => {
      const voters = someVoters(int, 5);
      const other = someVoters(int, 5);
      const acks = someAcks(int);
      const alone = committedIndex(voters, (id) => acks.get(id));
      expect(committed({ voters, votersOutgoing: voters }, acks)).toBe(alone);
      expect(committed({ voters, votersOutgoing: [] }, acks)).toBe(alone);
      expect(committed({ voters: [], votersOutgoing: voters }, acks)).toBe(alone);
      expect(committed({ voters, votersOutgoing: other }, acks)).toBe(
        committed({ voters: other, votersOutgoing: voters }, acks),
      );
    });
  });

  test('Q-3: an acknowledgement below the result is lowered -> the same', () => {
    let lowered = 0;
    cases(5_000, (int) => {
      const halves = { voters: someVoters(int, 5), votersOutgoing: someVoters(int, 4) };
      const acks = someAcks(int);
      const before = committed(halves, acks);
      for (const [id, index] of acks) {
        if (index >= before || index === 0) continue;
        lowered += 1;
        const less = new Map(acks).set(id, int(index));
        expect(committed(halves, less)).toBe(before);
        expect(committed(halves, new Map(acks).set(id, 0))).toBe(before);
      }
    });
    expect(lowered).toBeGreaterThan(1_000);
  });
});

const types = ['add-voter', 'add-learner', 'remove', 'update'] as const;

describe('changes of the configuration', () => {
  // Member 1 stays, or the simple way might run out of voters on its way.
  test('Q-4: changes one by one -> the same as through the joint state', () => {
    cases(1_000, (int) => {
      const some = (bound: number) => Array.from({ length: 1 + int(bound) }, () => 2 + int(9));
      const start = restoreConfiguration({ voters: [1] });
      const initial = some(5).map((memberId) => ({ type: types[int(2)]!, memberId }));
      const changes = some(9).map((memberId): ConfChangeSingle => {
        return { type: types[int(4)]!, memberId };
      });
      const simply = (from: typeof start, list: readonly ConfChangeSingle[]) =>
        list.reduce((config, change) => simpleChange(config, [change]).configuration, from);
      const from = simply(start, initial);
      const expected = simply(from, changes);
      for (const autoLeave of [false, true]) {
        const joint = enterJoint(from, changes, { autoLeave }).configuration;
        expect(joint.autoLeave).toBe(autoLeave);
        expect(leaveJoint(joint).configuration).toEqual(expected);
      }
    });
  });

  test('Q-5: stored and restored -> the same, whatever the order of its lists', () => {
    cases(1_000, (int) => {
      const pick = (from: readonly MemberId[]) => from.filter(() => int(2) === 0);
      const shuffle = (ids: readonly MemberId[]) =>
        [...ids].sort((a, b) => ((a * 7) % 11) - ((b * 7) % 11));
      const rest = pick([2, 3, 4, 5, 6, 7, 8, 9]);
      const voters = [1, ...pick(rest)];
      const joint = int(2) === 0;
      const votersOutgoing = joint ? [10, ...pick([...voters, 11, 12])] : [];
      const learnersNext = pick(votersOutgoing.filter((id) => !voters.includes(id)));
      const taken = new Set([...voters, ...votersOutgoing]);
      const learners = pick([2, 3, 4, 5, 13, 14].filter((id) => !taken.has(id)));
      const autoLeave = joint && int(2) === 0;
      const state: ConfState = { voters, votersOutgoing, learners, learnersNext, autoLeave };
      const mixed = {
        voters: shuffle(voters),
        votersOutgoing: shuffle(votersOutgoing),
        learners: shuffle(learners),
        learnersNext: shuffle(learnersNext),
        autoLeave,
      };
      expect(isSameConfState(restoreConfiguration(mixed), state)).toBe(true);
      expect(restoreConfiguration(restoreConfiguration(mixed))).toEqual(
        restoreConfiguration(state),
      );
    });
  });

  const context = bytes('why');
  const one = [{ type: 'add-voter', memberId: 2 }] as const;
  test.each([
    { name: 'nothing at all', change: { transition: 'auto', changes: [] }, leaves: true },
    { name: 'a context', change: { transition: 'auto', changes: [], context }, leaves: true },
    { name: 'a change', change: { transition: 'auto', changes: one }, leaves: false },
    { name: 'implicit', change: { transition: 'joint-implicit', changes: [] }, leaves: false },
    { name: 'explicit', change: { transition: 'joint-explicit', changes: [] }, leaves: false },
    {
      name: 'explicit, context',
      change: { transition: 'joint-explicit', changes: [], context },
      leaves: false,
    },
    { name: 'V1', change: { type: 'add-voter', memberId: 2 }, leaves: false },
  ] as const)('Q-6: $name -> leaves the joint state: $leaves', ({ change, leaves }) => {
    expect(classifyChange(change).kind === 'leave-joint').toBe(leaves);
  });

  test('Q-7: lists in another order or absent -> the same; autoLeave or a member more -> not', () => {
    const full: ConfState = {
      voters: [4, 2, 3, 1],
      learners: [6, 5],
      votersOutgoing: [2, 9, 8],
      learnersNext: [9, 8],
      autoLeave: true,
    };
    const sorted: ConfState = {
      voters: [1, 2, 3, 4],
      learners: [5, 6],
      votersOutgoing: [2, 8, 9],
      learnersNext: [8, 9],
      autoLeave: true,
    };
    expect(isSameConfState(full, sorted)).toBe(true);
    expect(isSameConfState({}, { voters: [], learners: undefined, autoLeave: false })).toBe(true);
    expect(isSameConfState(full, { ...sorted, autoLeave: false })).toBe(false);
    expect(isSameConfState({ voters: [1] }, { voters: [1], autoLeave: true })).toBe(false);
    for (const list of ['voters', 'learners', 'votersOutgoing', 'learnersNext'] as const) {
      expect(isSameConfState(full, { ...sorted, [list]: [...sorted[list]!, 12] })).toBe(false);
    }
    expect(isSameConfState({ voters: [1, 2] }, { learners: [1, 2] })).toBe(false);
  });
});

describe('entries of an append', () => {
  const previous = { index: 5, term: 3 };

  test.each([
    { name: 'none', entries: [], valid: true },
    { name: 'terms as before', entries: [entryOf(3, 6), entryOf(3, 7)], valid: true },
    { name: 'terms that rise to its own', entries: [entryOf(3, 6), entryOf(9, 7)], valid: true },
    { name: 'a gap at the start', entries: [entryOf(3, 7)], valid: false },
    { name: 'a gap', entries: [entryOf(3, 6), entryOf(3, 8)], valid: false },
    { name: 'a repeat', entries: [entryOf(3, 6), entryOf(3, 6)], valid: false },
    { name: 'a term below the one before', entries: [entryOf(2, 6)], valid: false },
    { name: 'terms that fall', entries: [entryOf(4, 6), entryOf(3, 7)], valid: false },
    { name: 'a term above its own', entries: [entryOf(10, 6)], valid: false },
  ])('Q-8: $name -> valid: $valid', ({ entries, valid }) => {
    const solo = new Solo({ terms: [1, 1, 2, 3, 3], hardState: { term: 3, vote: 0, commit: 0 } });
    const step = () =>
      solo.step({ kind: 'append-request', from: 2, term: 9, previous, entries, commit: 0 });
    if (valid) {
      step();
      expect(solo.core.log.lastIndex).toBe(5 + entries.length);
    } else {
      expect(step).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }));
      expect(solo.status).toMatchObject({ term: 3, lastIndex: 5 });
    }
  });

  test('Q-8: a position before them of a term above its own -> no such position, rejected', () => {
    const solo = new Solo({ terms: [1, 2], hardState: { term: 2, vote: 0, commit: 0 } });
    const after = { index: 2, term: 3 };
    solo.step({ kind: 'append-request', from: 2, previous: after, entries: [], commit: 2 });
    const hint = { index: 2, term: 2 };
    expect(solo.flush()).toMatchObject([{ kind: 'append-response', index: 2, hint }]);
    expect(solo.status.commit).toBe(0);
  });
});
