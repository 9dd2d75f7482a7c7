/** Elections among members, with and without pre-vote: who wins, who yields, what becomes of logs. */
import { describe, expect, test } from 'vitest';
import type { HardState, MemberId, PreVoteRequest, VoteRequest } from '../../../src/raft/index.js';
import { Member, type MemberSetup, only } from './member.js';
import { Network } from './network.js';

const voted = (term: number, vote: MemberId): HardState => ({ term, vote, commit: 0 });

describe.each([false, true])('pre-vote %s', (preVote) => {
  const all: MemberSetup = { preVote };
  const waiting = preVote ? { role: 'pre-candidate', term: 0 } : { role: 'candidate', term: 1 };

  test.each([
    [3, [], { role: 'leader', term: 1 }],
    [3, [3], { role: 'leader', term: 1 }],
    [3, [2, 3], waiting],
    [4, [2, 3], waiting],
    [5, [2, 3], { role: 'leader', term: 1 }],
  ])('R-6: %d members, %j silent -> %j', (size, silent, expected) => {
    const net = new Network({ size, silent, all });
    net.campaign(1);
    expect(net.at(1).node.status()).toMatchObject(expected);
  });

  test('R-6: a majority has a longer log of term 1 -> follower of term 1', () => {
    const longer: MemberSetup = { terms: [1] };
    const members = { 2: longer, 3: longer, 4: { terms: [1, 1] } };
    const net = new Network({ size: 5, all, members });
    net.campaign(1);
    expect(net.at(1).node.status()).toMatchObject({ role: 'follower', term: 1 });
  });

  test('R-10: each of three campaigns in turn -> each wins, the others follow', () => {
    const net = new Network({ size: 3, all });
    for (const id of [1, 2, 3]) {
      net.campaign(id);
      for (const member of net.members) {
        const role = member.id === id ? 'leader' : 'follower';
        expect(member.node.status()).toMatchObject({ role, term: id, leader: id });
      }
    }
  });

  test('R-11: a newer log at 3 and two votes for it -> loses first, wins next, all logs as its own', () => {
    const members: Record<number, MemberSetup> = {
      1: { terms: [1] },
      2: { terms: [1] },
      3: { terms: [2] },
      4: { hardState: voted(2, 3) },
      5: { hardState: voted(2, 3) },
    };
    const net = new Network({ size: 5, all, members });
    net.campaign(1);
    expect(net.at(1).node.status()).toMatchObject({ role: 'follower', term: 2 });
    net.campaign(1);
    expect(net.at(1).node.status()).toMatchObject({ role: 'leader', term: 3 });
    expect(net.logs).toEqual([
      [1, 3],
      [1, 3],
      [1, 3],
      [1, 3],
      [1, 3],
    ]);
  });

  test('R-21: one voter campaigns -> leader', () => {
    const net = new Network({ size: 1, all });
    net.campaign(1);
    expect(net.at(1).node.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  test('R-79: leader campaigns again -> leader of the same term', () => {
    const net = new Network({ size: 1, all });
    net.campaign(1);
    const before = net.at(1).node.status();
    net.campaign(1);
    expect(net.at(1).node.status()).toEqual(before);
  });

  test('R-37: another won before the own vote is durable -> follower, own vote not counted', () => {
    const member = new Member({ ...all, hardState: voted(1, 0) });
    member.node.campaign();
    member.ready();
    const { term } = member;
    member.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    expect(member.node.status()).toMatchObject({ role: 'follower', leader: 2, term });
    member.completeAppend();
    expect(member.node.status()).toMatchObject({ role: 'follower', leader: 2, term });
    expect(member.core.votes.size).toBe(0);
  });

  const kind = preVote ? 'pre-vote-request' : 'vote-request';
  const request = (term: number, index: number, logTerm: number): VoteRequest | PreVoteRequest => {
    return { kind, from: 2, to: 1, term, last: { index, term: logTerm } };
  };
  const answerOf = (member: Member): boolean | undefined => {
    const answers = member.flush().filter(({ kind: of }) => of.endsWith('vote-response'));
    expect(answers).toHaveLength(1);
    return answers.find((each) => 'granted' in each)?.granted;
  };
  const cases = [0, 1, 2, 3].flatMap((index) =>
    [0, 1, 2, 3].map((logTerm) => {
      return [index, logTerm, 0, logTerm === 3 || (logTerm === 2 && index >= 2)] as const;
    }),
  );
  test.each([...cases, [3, 2, 2, true], [3, 2, 1, false]] as const)(
    'R-33: log [2,2], last entry asked with index %d term %d, vote %d -> granted %s',
    (index, logTerm, vote, granted) => {
      const term = Math.max(2, logTerm);
      const member = new Member({ ...all, terms: [2, 2], hardState: voted(term, vote) });
      member.step(request(term, index, logTerm));
      expect(answerOf(member)).toBe(granted);
    },
  );

  test.each(['leader', 'pre-candidate', 'candidate'] as const)(
    'R-33: %s that voted for itself, better log asks in the same term -> rejected',
    (role) => {
      const member = new Member({ ...all, terms: [2, 2], hardState: voted(3, 1) });
      member.become(role);
      member.flush();
      expect(member.core.vote).toBe(1);
      member.step(request(member.term, 3, 3));
      expect(answerOf(member)).toBe(false);
      expect(member.role).toBe(role);
    },
  );
});

describe('campaigns that go wrong', () => {
  test('R-18: link 1-3 cut, both campaign, healed, 3 again -> all followers of term 2', () => {
    const net = new Network({ size: 3 });
    net.cut(1, 3);
    net.campaign(1);
    net.campaign(3);
    expect(net.roles).toEqual(['leader', 'follower', 'candidate']);
    net.heal();
    net.campaign(3);
    expect(net.roles).toEqual(['follower', 'follower', 'follower']);
    expect(net.terms).toEqual([2, 2, 2]);
    expect(net.logs.map((log) => log.length)).toEqual([1, 1, 0]);
  });

  test('R-19: the same with pre-vote -> 3 falls back, 1 goes on in term 1', () => {
    const net = new Network({ size: 3, all: { preVote: true } });
    net.cut(1, 3);
    net.campaign(1);
    net.campaign(3);
    expect(net.roles).toEqual(['leader', 'follower', 'follower']);
    net.heal();
    net.campaign(3);
    expect(net.roles).toEqual(['leader', 'follower', 'follower']);
    expect(net.terms).toEqual([1, 1, 1]);
    expect(net.logs.map((log) => log.length)).toEqual([1, 1, 0]);
  });

  test('R-20: isolated candidate hears from the winner of its term -> follower, equal logs', () => {
    const net = new Network({ size: 3 });
    net.isolate(1);
    net.campaign(1);
    net.campaign(3);
    net.heal();
    net.tick(3);
    net.propose(3, 'force follower');
    net.tick(3);
    expect(net.at(1).node.status()).toMatchObject({ role: 'follower', term: 1, leader: 3 });
    for (const { disk, data } of net.members) {
      expect(disk.log).toEqual(net.at(3).disk.log);
      expect(data).toEqual(['', 'force follower']);
    }
  });

  test.each(['heartbeat-request', 'append-request'] as const)(
    'R-36: candidate of an old term, %s of the leader -> follower in the term of the leader',
    (kind) => {
      const net = new Network({ size: 3 });
      net.campaign(1);
      net.isolate(3);
      net.campaign(2);
      net.campaign(1);
      net.tick(3, 19);
      expect(net.at(3).node.status()).toMatchObject({ role: 'candidate', term: 2 });
      net.heal();
      const envelope = { from: 1, to: 3, term: 3 };
      const { last } = net.at(1).core.log;
      if (kind === 'append-request') {
        net.send({ kind, ...envelope, previous: last, entries: [], commit: last.index });
      } else net.send({ kind, ...envelope, commit: 0, reads: 0, sentAt: 0 });
      expect(net.at(3).node.status()).toMatchObject({ role: 'follower', term: 3, leader: 1 });
      expect(net.at(1).role).toBe('leader');
    },
  );

  test('R-38: pre-votes of two peers before the own -> each own vote counts only in its own round', () => {
    const member = new Member({ preVote: true });
    member.node.campaign();
    member.ready();
    for (const from of [2, 3]) {
      member.step({ kind: 'pre-vote-response', from, to: 1, term: 1, granted: true });
    }
    expect(member.node.status()).toMatchObject({ role: 'candidate', term: 1 });
    member.completeAppend();
    expect(member.role).toBe('candidate');
    expect(member.core.votes.size).toBe(0);
    member.ready();
    member.vote(2);
    expect(member.role).toBe('candidate');
    expect(only('vote-request', member.completeAppend())).toHaveLength(2);
    expect(member.role).toBe('leader');
  });

  test('pre-candidate, late grants of its real vote in an earlier round -> not counted', () => {
    const member = new Member({ preVote: true, hardState: voted(1, 1) });
    member.node.campaign();
    for (const from of [2, 3]) member.vote(from);
    expect(member.node.status()).toMatchObject({ role: 'pre-candidate', term: 1 });
    expect(member.core.votes.size).toBe(0);
  });
});
