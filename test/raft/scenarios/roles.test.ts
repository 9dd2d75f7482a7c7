/** Roles: which follow on which, what each answers in later terms, and who may campaign at all. */
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { Prng } from '../../../src/base/prng.js';
import { type LogId, noMember, type Role } from '../../../src/raft/index.js';
import { Member, only } from './member.js';

const roles = ['follower', 'pre-candidate', 'candidate', 'leader'] as const;

describe('transitions', () => {
  const illegal = ['follower to leader', 'leader to candidate', 'leader to pre-candidate'];
  const pairs = roles.flatMap((from) => roles.map((to) => [from, to] as const));

  function move(member: Member, to: Role): void {
    const { core } = member;
    if (to === 'follower') core.becomeFollower(core.term, 3);
    else if (to === 'pre-candidate') core.becomePreCandidate();
    else if (to === 'candidate') core.becomeCandidate();
    else core.becomeLeader();
  }

  test.each(pairs)('R-34: %s to %s -> as the paper allows, or an assertion', (from, to) => {
    const member = new Member({ hardState: { term: 4, vote: 0, commit: 0 } });
    member.become(from);
    const { term } = member;
    if (illegal.includes(`${from} to ${to}`)) {
      const isBug = (error: unknown) => isKontikiError(error, 'ASSERTION');
      expect(() => move(member, to)).toThrow(expect.toSatisfy(isBug));
      expect(member.role).toBe(from);
      return;
    }
    move(member, to);
    const leader = { follower: 3, leader: 1, candidate: noMember, 'pre-candidate': noMember }[to];
    const moved = to === 'candidate' ? term + 1 : term;
    expect(member.node.status()).toMatchObject({ role: to, term: moved, leader });
    member.node.check();
  });

  test('R-34: follower of a given term and leader -> exactly those', () => {
    for (const from of roles) {
      const member = new Member({ hardState: { term: 4, vote: 0, commit: 0 } });
      member.become(from);
      member.core.becomeFollower(7, noMember);
      expect(member.node.status()).toMatchObject({ role: 'follower', term: 7, leader: noMember });
    }
  });
});

describe('messages of a later term', () => {
  /** Of a term from 1 on. */
  function inRole(role: Role): Member {
    const member = new Member({ hardState: { term: 1, vote: 0, commit: 0 } });
    member.become(role, 3);
    member.flush();
    return member;
  }

  test.each(roles)(
    'R-12: %s, vote request of the next term with a better log -> granted',
    (role) => {
      const member = inRole(role);
      const term = member.term + 1;
      member.step({ kind: 'vote-request', from: 2, to: 1, term, last: { term, index: 42 } });
      expect(member.node.status()).toMatchObject({ role: 'follower', term, vote: 2 });
      const answer = { kind: 'vote-response', from: 1, to: 2, term, granted: true };
      expect(member.flush()).toEqual([answer]);
    },
  );

  test.each(roles)(
    'R-12: %s, pre-vote request of the next term -> granted, nothing changes',
    (role) => {
      const member = inRole(role);
      const before = member.node.status();
      const term = member.term + 1;
      member.step({ kind: 'pre-vote-request', from: 2, to: 1, term, last: { term, index: 42 } });
      expect(member.node.status()).toEqual(before);
      const answer = { kind: 'pre-vote-response', from: 1, to: 2, term, granted: true };
      expect(member.flush()).toEqual([answer]);
    },
  );

  test.each([
    ['follower', 0],
    ['pre-candidate', 0],
    ['candidate', 0],
    ['leader', 1],
  ] as const)(
    'R-35: %s, vote request and append of term 3 -> follower, log of %d kept',
    (role, length) => {
      const member = new Member();
      member.become(role);
      const envelope = { from: 2, to: 1, term: 3 };
      const empty: LogId = { term: 0, index: 0 };
      member.step({ kind: 'vote-request', ...envelope, last: { term: 3, index: 2 } });
      const expected = { role: 'follower', term: 3, lastIndex: length };
      expect(member.node.status()).toMatchObject({ ...expected, leader: noMember });
      member.step({ kind: 'append-request', ...envelope, previous: empty, entries: [], commit: 0 });
      expect(member.node.status()).toMatchObject({ ...expected, leader: 2 });
    },
  );

  test('R-39: leader with an unwritten proposal, heartbeat of a later term -> own answer ignored', () => {
    const member = new Member({ voters: [1, 2] });
    member.become('leader');
    member.propose('lost');
    member.ready();
    const heartbeat = { kind: 'heartbeat-request', from: 2, to: 1, term: 2, commit: 0 } as const;
    member.step({ ...heartbeat, reads: 0, sentAt: 0 });
    expect(member.node.status()).toMatchObject({ role: 'follower', term: 2, leader: 2 });
    const before = member.node.status();
    member.completeAppend();
    expect(member.node.status()).toEqual(before);
    expect(member.progress(2).match).toBe(0);
    expect(only('append-response', member.flush())).toEqual([]);
  });
});

describe('who campaigns, and when', () => {
  test.each([
    [[1], true],
    [[1, 2, 3], true],
    [[], false],
    [[2, 3], false],
  ])('R-77: own id 1, voters %j -> may campaign: %s', (voters, promotable) => {
    const member = new Member({ voters });
    expect(member.core.promotable).toBe(promotable);
    member.do((node) => node.campaign());
    expect(member.role).toBe(promotable ? 'candidate' : 'follower');
  });

  test('R-78: peers in any order -> listed ascending', () => {
    const member = new Member({ voters: [2, 3, 1] });
    expect(member.node.status().voters).toEqual([1, 2, 3]);
    expect([...member.core.progress.keys()]).toEqual([1, 2, 3]);
  });

  test.each([
    [5, 0],
    [10, 0.1],
    [13, 0.4],
    [15, 0.6],
    [18, 0.9],
    [20, 1],
  ])(
    'R-26: %d ticks of silence, 10,000 draws -> fires with probability %d',
    (elapsed, probability) => {
      const member = new Member({ random: new Prng(26) });
      const draws = 10_000;
      let fired = 0;
      for (let draw = 0; draw < draws; draw += 1) {
        member.core.becomeFollower(member.term, noMember);
        if (elapsed >= member.core.electionTimeout) fired += 1;
      }
      // Five standard deviations of the binomial distribution, none for the certain ones.
      const slack = 5 * Math.sqrt((probability * (1 - probability)) / draws);
      expect(Math.abs(fired / draws - probability), 'seed 26').toBeLessThanOrEqual(slack);
    },
  );

  test('R-26: election timeout -> fires at that very tick, not before', () => {
    const member = new Member({ random: new Prng(26) });
    for (let draw = 0; draw < 100; draw += 1) {
      member.become('follower');
      const { electionTimeout } = member.core;
      member.tick(electionTimeout - 1);
      expect(member.role).toBe('follower');
      member.tick();
      expect(member.role).toBe('candidate');
    }
  });
});
