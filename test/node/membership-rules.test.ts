// What a leader does about requests: every refusal has its code, and no change leaves the group
// without a quorum of those that answer. The twin of the last test counts by hand.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { decodeMemberList, type MemberInfo } from '../../src/codec/member-codec.js';
import type { MembershipRequest } from '../../src/codec/membership-codec.js';
import { MemberDirectory } from '../../src/node/member-directory.js';
import { planMembership } from '../../src/node/membership-rules.js';
import { restoreConfiguration } from '../../src/raft/configuration.js';
import { applyChange } from '../../src/raft/membership.js';
import { majority } from '../../src/raft/quorum.js';

const member = (id: number, more: Partial<MemberInfo> = {}): MemberInfo => ({
  ...{ id, name: `m${id}`, address: `h${id}:1`, promote: false },
  ...more,
});
const nothing = { id: 0, by: 0, name: '', address: '', voter: false, promote: false };
const ask = (request: Partial<MembershipRequest> & { kind: MembershipRequest['kind'] }) => {
  return { ...nothing, ...request };
};

interface Group {
  readonly voters?: number[];
  readonly outgoing?: number[];
  readonly learners?: number[];
  readonly silent?: number[];
  readonly behind?: number[];
  readonly members?: MemberInfo[];
}

/** Member 1 leads; all others answer, and have what it has. */
function factsOf({ voters = [1, 2, 3], outgoing = [], learners = [], ...group }: Group = {}) {
  const votersOutgoing = outgoing;
  const ids = [...new Set([...voters, ...outgoing, ...learners])];
  return {
    ...{ self: 1, clusterId: 7, nextIndex: 100 },
    configuration: restoreConfiguration({ voters, votersOutgoing, learners }),
    directory: MemberDirectory.ofFounders(group.members ?? ids.map((id) => member(id))),
    isActive: (id: number) => ids.includes(id) && !(group.silent ?? []).includes(id),
    isCaughtUp: (id: number) => !(group.behind ?? []).includes(id),
  };
}

const add = ask({ kind: 'add', name: 'new', address: 'new:1' });
const many = Array.from({ length: limits.membersMax }, (_, at) => member(at + 1));

describe('refused', () => {
  test.each([
    ['a name that is taken', { ...add, name: 'm2' }, {}, 'MEMBER_EXISTS'],
    ['an address that is taken', { ...add, address: 'h2:1' }, {}, 'MEMBER_EXISTS'],
    [
      'a group that nobody can reach',
      add,
      { members: [member(1, { address: '' })] },
      'DIR_REQUIRED',
    ],
    ['a voter, one of three silent', { ...add, voter: true }, { silent: [2] }, 'QUORUM_AT_RISK'],
    ['removal of nobody', ask({ kind: 'remove', id: 9 }), {}, 'MEMBER_UNKNOWN'],
    ['removal of the only one', ask({ kind: 'remove', id: 1 }), { voters: [1] }, 'QUORUM_AT_RISK'],
    [
      'removal of an active one, another silent',
      ask({ kind: 'remove', id: 2 }),
      { silent: [3] },
      'QUORUM_AT_RISK',
    ],
    [
      'replacement of one by itself',
      ask({ kind: 'replace', id: 4, by: 4 }),
      { learners: [4] },
      'MEMBER_UNKNOWN',
    ],
    ['promotion of nobody', ask({ kind: 'promote', id: 9 }), {}, 'MEMBER_UNKNOWN'],
    ['promotion of a voter', ask({ kind: 'promote', id: 2 }), {}, 'MEMBER_NOT_LEARNER'],
    [
      'promotion of one that is behind',
      ask({ kind: 'promote', id: 4 }),
      { learners: [4], behind: [4] },
      'LEARNER_NOT_READY',
    ],
    [
      'promotion of a silent one',
      ask({ kind: 'promote', id: 4 }),
      { learners: [4], silent: [4] },
      'LEARNER_NOT_READY',
    ],
    ['a new address of nobody', ask({ kind: 'update', id: 9 }), {}, 'MEMBER_UNKNOWN'],
    [
      'a new address that another has',
      ask({ kind: 'update', id: 2, address: 'h3:1' }),
      {},
      'MEMBER_EXISTS',
    ],
    ['replacement by nobody', ask({ kind: 'replace', id: 2, by: 9 }), {}, 'MEMBER_UNKNOWN'],
    ['replacement by a voter', ask({ kind: 'replace', id: 2, by: 3 }), {}, 'MEMBER_NOT_LEARNER'],
    ['leadership of nobody', ask({ kind: 'transfer', id: 9 }), {}, 'MEMBER_UNKNOWN'],
    [
      'leadership of a learner',
      ask({ kind: 'transfer', id: 4 }),
      { learners: [4] },
      'LEARNER_NOT_READY',
    ],
  ] as const)('%s', (_, request, group, code) => {
    const plan = planMembership(request, factsOf(group as Group), false);
    expect(plan).toMatchObject({ status: 'refused', code });
  });

  test('a group of as many members as there may be -> TOO_MANY_MEMBERS, one fewer -> taken', () => {
    const groupOf = (members: MemberInfo[]) => factsOf({ members });
    expect(planMembership(add, groupOf(many), false)).toMatchObject({ code: 'TOO_MANY_MEMBERS' });
    const taken = planMembership(add, groupOf(many.slice(1)), false);
    expect(taken.status).toBe('propose');
  });
});

describe('made', () => {
  test.each([
    ['a learner, whoever is silent', add, { silent: [2] }, [['add-learner']]],
    ['a voter', { ...add, voter: true }, {}, [['add-voter']]],
    ['removal of a silent one', ask({ kind: 'remove', id: 3 }), { silent: [3] }, [['remove', 3]]],
    ['removal of a learner', ask({ kind: 'remove', id: 4 }), { learners: [4] }, [['remove', 4]]],
    ['promotion', ask({ kind: 'promote', id: 4 }), { learners: [4] }, [['add-voter', 4]]],
    ['an address', ask({ kind: 'update', id: 2, address: 'x:1' }), {}, [['update', 2]]],
    [
      'replacement',
      ask({ kind: 'replace', id: 3, by: 4 }),
      { learners: [4] },
      [
        ['remove', 3],
        ['add-voter', 4],
      ],
    ],
  ] as const)('%s', (_, request, group, expected) => {
    const plan = planMembership(request, factsOf(group as unknown as Group), false);
    if (plan.status !== 'propose') return expect.fail(JSON.stringify(plan));
    const { changes } = plan.change;
    expect(changes).toMatchObject(
      expected.map(([type, memberId]) => (memberId === undefined ? { type } : { type, memberId })),
    );
  });

  test('a second voter, whatever is wanted -> as a learner, which becomes one by itself', () => {
    const request = { ...add, voter: true, promote: false };
    const plan = planMembership(request, factsOf({ voters: [1] }), false);
    if (plan.status !== 'propose') return expect.fail(JSON.stringify(plan));
    const { changes, context } = plan.change;
    expect(changes).toMatchObject([{ type: 'add-learner' }]);
    const told = decodeMemberList(context as Uint8Array);
    expect(told.members).toMatchObject([{ name: 'new', promote: true }]);
  });

  test.each(['remove', 'replace'] as const)(
    '%s of the leader -> another has to lead first',
    (kind) => {
      const request = ask({ kind, id: 1, by: 4 });
      const plan = planMembership(request, factsOf({ learners: [4] }), false);
      expect(plan).toEqual({ status: 'leave' });
    },
  );

  test('replacement of the only voter -> the other votes, then leads, then is the only one', () => {
    const request = ask({ kind: 'replace', id: 1, by: 4 });
    const plan = planMembership(request, factsOf({ voters: [1], learners: [4] }), false);
    expect(plan).toMatchObject({
      change: { changes: [{ type: 'add-voter', memberId: 4 }] },
    });
    const half = factsOf({ voters: [1, 4] });
    expect(planMembership(request, half, false)).toMatchObject({ code: 'MEMBER_NOT_LEARNER' });
    expect(planMembership(request, half, true)).toEqual({ status: 'leave' });
    const last = planMembership(request, { ...half, self: 4 }, true);
    if (last.status !== 'propose') return expect.fail(JSON.stringify(last));
    expect(applyChange(half.configuration, last.change).configuration.voters).toEqual([4]);
  });

  test('the same name, added at other indexes -> other ids', () => {
    const idAt = (nextIndex: number) => {
      const plan = planMembership(add, { ...factsOf(), nextIndex }, false);
      return plan.status === 'propose' ? plan.change.changes[0]?.memberId : undefined;
    };
    const ids = Array.from({ length: 100 }, (_, at) => idAt(at));
    expect(new Set(ids).size).toBe(100);
    expect(ids.every((id) => Number.isSafeInteger(id))).toBe(true);
  });
});

describe('asked again', () => {
  const done = [
    [ask({ kind: 'add', name: 'm2', address: 'h2:1' }), 2],
    [ask({ kind: 'remove', id: 9 }), 9],
    [ask({ kind: 'promote', id: 3 }), 3],
    [ask({ kind: 'replace', id: 9, by: 3 }), 3],
  ] as const;

  test.each(done)('%j that is so already -> done', (request, id) => {
    expect(planMembership(request, factsOf(), true)).toEqual({ status: 'done', id });
    expect(planMembership(request, factsOf(), false)).toMatchObject({ status: 'refused' });
  });

  test('an address and leadership that are so already -> done at the first time too', () => {
    const update = ask({ kind: 'update', id: 2, address: 'h2:1' });
    expect(planMembership(update, factsOf(), false)).toEqual({ status: 'done', id: 2 });
    const transfer = ask({ kind: 'transfer', id: 1 });
    expect(planMembership(transfer, factsOf(), false)).toEqual({ status: 'done', id: 1 });
  });

  test('in the joint state -> later, a replacement too', () => {
    const facts = factsOf({ voters: [1, 2, 4], outgoing: [1, 2, 3] });
    for (const [request] of done) {
      expect(planMembership(request, facts, true)).toEqual({ status: 'again' });
    }
    const replace = ask({ kind: 'replace', id: 3, by: 4 });
    expect(planMembership(replace, facts, true)).toEqual({ status: 'again' });
  });
});

test('any request of any group: what is made leaves a quorum that answers', () => {
  const ids = fc.subarray([1, 2, 3, 4, 5, 6], { minLength: 1 });
  const kind = fc.constantFrom('add', 'remove', 'promote', 'replace', 'update' as const);
  const id = fc.integer({ min: 1, max: 7 });
  const request = fc.record({ kind, id, by: id, voter: fc.boolean(), promote: fc.boolean() });
  fc.assert(
    fc.property(ids, ids, ids, request, (voting, learning, silent, wanted) => {
      const voters = [...new Set([1, ...voting])];
      const learners = learning.filter((each) => !voters.includes(each));
      const facts = factsOf({ voters, learners, silent });
      const plan = planMembership({ ...add, ...wanted }, facts, false);
      if (plan.status !== 'propose') return;
      const { configuration } = applyChange(facts.configuration, plan.change);
      const after = configuration.voters;
      if (String(after) === String(facts.configuration.voters)) return;
      // Member 1 answers for itself, and one that was just added not yet.
      const answering = after.filter((each) => each === 1 || (each <= 6 && !silent.includes(each)));
      expect(answering.length).toBeGreaterThanOrEqual(majority(after.length));
    }),
    { numRuns: 300 },
  );
});
