/**
 * Configurations and how one follows from another (semantics §12): a slow twin that works on plain
 * sets, what no sequence of changes may break, and each refusal.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyChange,
  type ConfChangeSingle,
  type ConfChangeType,
  type ConfChangeV2,
  type Configuration,
  emptyConfiguration,
  enterJoint,
  isJoint,
  isSameConfState,
  jointCommittedIndex,
  jointVoteResult,
  leaveJoint,
  type MemberId,
  memberIds,
  restoreConfiguration,
  simpleChange,
  validateChange,
} from '../../src/raft/index.js';

const types: readonly ConfChangeType[] = ['add-voter', 'add-learner', 'remove', 'update'];
const single: fc.Arbitrary<ConfChangeSingle> = fc.record({
  type: fc.constantFrom(...types),
  memberId: fc.integer({ min: 1, max: 5 }),
});
const change: fc.Arbitrary<ConfChangeV2> = fc.record({
  transition: fc.constantFrom(
    'auto' as const,
    'joint-implicit' as const,
    'joint-explicit' as const,
  ),
  changes: fc.array(single, { maxLength: 4 }),
});
const add = (...ids: readonly MemberId[]): ConfChangeSingle[] =>
  ids.map((memberId) => ({ type: 'add-voter', memberId }));
const start = (...ids: readonly MemberId[]): Configuration => restoreConfiguration({ voters: ids });
const reason = (why: string) =>
  expect.objectContaining({ code: 'CONFIGURATION_INVALID', reason: why, outcome: 'rejected' });

/** Subsets of `ids` that are a quorum of `c`, by trying all. */
function quorums(c: Configuration): Set<MemberId>[] {
  const ids = memberIds(c);
  const found: Set<MemberId>[] = [];
  for (let bits = 0; bits < 1 << ids.length; bits += 1) {
    const subset = new Set(ids.filter((_, at) => (bits >> at) & 1));
    const enough = (half: readonly MemberId[]) =>
      half.length === 0 || 2 * half.filter((id) => subset.has(id)).length > half.length;
    if (enough(c.voters) && enough(c.votersOutgoing)) found.push(subset);
  }
  return found;
}

/** What the members are after `changes`, in the plainest words; `undefined`: nobody would vote. */
function target(c: Configuration, changes: readonly ConfChangeSingle[]) {
  const role = new Map<MemberId, 'voter' | 'learner'>();
  for (const id of c.voters) role.set(id, 'voter');
  for (const id of c.learners) role.set(id, 'learner');
  for (const { type, memberId } of changes) {
    if (type === 'add-voter') role.set(memberId, 'voter');
    if (type === 'add-learner') role.set(memberId, 'learner');
    if (type === 'remove') role.delete(memberId);
  }
  const of = (wanted: string) => [...role].filter(([, is]) => is === wanted).map(([id]) => id);
  return of('voter').length === 0 ? undefined : { voters: of('voter'), learners: of('learner') };
}

/** Every configuration that the changes pass through, refused ones left out. */
function walk(from: Configuration, changes: readonly ConfChangeV2[]): Configuration[] {
  const path = [from];
  for (const each of changes) {
    try {
      path.push(applyChange(path.at(-1) as Configuration, each).configuration);
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' });
    }
  }
  return path;
}

describe('any sequence of changes', () => {
  const sequences = fc.array(change, { maxLength: 8 });

  test('C4 every quorum of a configuration meets every quorum of the next', () => {
    fc.assert(
      fc.property(sequences, (changes) => {
        const path = walk(start(1, 2, 3), changes);
        for (let at = 1; at < path.length; at += 1) {
          const next = quorums(path[at] as Configuration);
          for (const one of quorums(path[at - 1] as Configuration)) {
            for (const other of next) expect([...one].some((id) => other.has(id))).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('§12.3 every configuration can be stored and restored, and is then the same', () => {
    fc.assert(
      fc.property(sequences, (changes) => {
        for (const c of walk(start(1, 2, 3), changes)) {
          const shuffled = { ...c, voters: [...c.voters].reverse() };
          expect(restoreConfiguration(shuffled)).toEqual(c);
          expect(isSameConfState(shuffled, c)).toBe(true);
          expect(c.votersOutgoing.length > 0 || (c.learnersNext.length === 0 && !c.autoLeave)).toBe(
            true,
          );
        }
      }),
    );
  });

  test('progress to be added and removed -> exactly the difference of the members', () => {
    fc.assert(
      fc.property(sequences, change, (changes, last) => {
        const before = walk(start(1, 2, 3), changes).at(-1) as Configuration;
        let step: ReturnType<typeof applyChange>;
        try {
          step = applyChange(before, last);
        } catch {
          return;
        }
        const members = new Set(memberIds(before));
        for (const id of step.removed) members.delete(id);
        for (const id of step.added) members.add(id);
        expect([...members].sort()).toEqual(memberIds(step.configuration));
      }),
    );
  });

  test('through the joint state and out of it -> where the changes lead, in plain sets', () => {
    fc.assert(
      fc.property(fc.array(single, { maxLength: 6 }), fc.boolean(), (changes, autoLeave) => {
        const from = restoreConfiguration({ voters: [1, 2, 3], learners: [4] });
        const wanted = target(from, changes);
        if (wanted === undefined) {
          expect(() => enterJoint(from, changes, { autoLeave })).toThrow(reason('voters-removed'));
          return;
        }
        const joint = enterJoint(from, changes, { autoLeave }).configuration;
        expect(joint).toMatchObject({ votersOutgoing: from.voters, autoLeave });
        expect(isSameConfState(leaveJoint(joint).configuration, wanted)).toBe(true);
      }),
    );
  });

  test('validated -> can be applied; refused -> cannot, or changes nothing (O6)', () => {
    fc.assert(
      fc.property(sequences, change, (changes, last) => {
        const before = walk(start(1, 2, 3), changes).at(-1) as Configuration;
        const outcome = (act: () => unknown) => {
          try {
            act();
            return true;
          } catch {
            return false;
          }
        };
        const valid = outcome(() => validateChange(before, last));
        const applies = outcome(() => applyChange(before, last));
        if (valid) expect(applies).toBe(true);
        else expect(!applies || last.changes.length === 0).toBe(true);
      }),
    );
  });
});

describe('joint quorums against all subsets', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 5 });
  const naive = (halves: readonly (readonly MemberId[])[], has: (id: MemberId) => boolean) =>
    halves.every((half) => half.length === 0 || 2 * half.filter(has).length > half.length);

  test('committed index -> the highest that a majority of each half holds', () => {
    const acks = fc.dictionary(fc.constantFrom('1', '2', '3', '4', '5', '6'), fc.nat(9));
    fc.assert(
      fc.property(ids, ids, acks, (voters, votersOutgoing, acked) => {
        let expected = voters.length + votersOutgoing.length === 0 ? Infinity : 0;
        for (let index = 0; index <= 9; index += 1) {
          const holds = (id: MemberId) => (acked[id] ?? 0) >= index;
          if (naive([voters, votersOutgoing], holds)) expected = Math.max(expected, index);
        }
        expect(jointCommittedIndex({ voters, votersOutgoing }, (id) => acked[id])).toBe(expected);
      }),
    );
  });

  test('vote -> won when it is, lost when no further vote can win it, else pending', () => {
    const votes = fc.dictionary(fc.constantFrom('1', '2', '3', '4', '5', '6'), fc.boolean());
    fc.assert(
      fc.property(ids, ids, votes, (voters, votersOutgoing, cast) => {
        const halves = [voters, votersOutgoing];
        const won = naive(halves, (id) => cast[id] === true);
        const possible = naive(halves, (id) => cast[id] !== false);
        const map = new Map(Object.entries(cast).map(([id, vote]) => [Number(id), vote]));
        const result = jointVoteResult({ voters, votersOutgoing }, map);
        expect(result).toBe(won ? 'won' : possible ? 'pending' : 'lost');
      }),
    );
  });
});

describe('refused, with nothing changed', () => {
  const three = start(1, 2, 3);
  const joint = enterJoint(three, add(4), { autoLeave: false }).configuration;

  test.each<[string, () => unknown, string]>([
    ['a simple change while joint', () => simpleChange(joint, add(5)), 'joint'],
    ['two voters at once', () => simpleChange(three, add(4, 5)), 'several-voters'],
    [
      'the last voter removed',
      () => simpleChange(start(1), [{ type: 'remove', memberId: 1 }]),
      'voters-removed',
    ],
    ['joint while joint', () => enterJoint(joint, [], { autoLeave: true }), 'joint'],
    [
      'joint without any voter',
      () => enterJoint(emptyConfiguration, add(1), { autoLeave: true }),
      'no-voters',
    ],
    ['leaving what is not joint', () => leaveJoint(three), 'not-joint'],
    [
      'an unknown change',
      () => simpleChange(three, [{ type: 'promote' as never, memberId: 4 }]),
      'unknown-change',
    ],
    ['an impossible id', () => simpleChange(three, add(1.5)), 'unknown-change'],
    [
      'a learner that votes',
      () => restoreConfiguration({ voters: [1], learners: [1] }),
      'malformed',
    ],
    [
      'an empty change while not joint',
      () => validateChange(three, { transition: 'auto', changes: [] }),
      'not-joint',
    ],
  ])('%s', (_name, act, why) => {
    expect(act).toThrow(reason(why));
  });

  test('id 0 -> ignored: by that the application turns a change down', () => {
    expect(simpleChange(three, add(0)).configuration).toEqual(three);
  });

  test('a voter demoted in a joint change -> votes on until the joint state is left', () => {
    const demoted = enterJoint(three, [{ type: 'add-learner', memberId: 3 }], { autoLeave: true });
    expect(demoted.configuration).toMatchObject({
      voters: [1, 2],
      learners: [],
      learnersNext: [3],
    });
    expect(isJoint(demoted.configuration)).toBe(true);
    expect(leaveJoint(demoted.configuration).configuration.learners).toEqual([3]);
  });
});
