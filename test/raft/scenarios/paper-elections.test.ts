/** Sentences of the Raft paper, §5.1, §5.2 and §5.4.1: terms, roles and elections. */
import { describe, expect, test } from 'vitest';
import { Prng, type Random } from '../../../src/base/prng.js';
import type { AppendRequest, LogId, VoteRequest } from '../../../src/raft/index.js';
import { Member, only } from './member.js';

const empty: LogId = { index: 0, term: 0 };

function appendOf(term: number): AppendRequest {
  return { kind: 'append-request', from: 2, to: 1, term, previous: empty, entries: [], commit: 0 };
}

function voteRequest(from: number, term: number, last: LogId = empty): VoteRequest {
  return { kind: 'vote-request', from, to: 1, term, last };
}

/** At term 1; a follower has leader 2. */
function inRole(role: 'follower' | 'candidate' | 'leader', random: Random = new Prng(1)): Member {
  const term = role === 'follower' ? 1 : 0;
  const member = new Member({ hardState: { term, vote: 0, commit: 0 }, random });
  member.become(role, 2);
  expect(member.term).toBe(1);
  return member;
}

describe('terms', () => {
  test.each(['follower', 'candidate', 'leader'] as const)(
    'P-1: %s of term 1, append of term 2 -> follower of term 2',
    (role) => {
      const member = inRole(role);
      member.step(appendOf(2));
      expect(member.node.status()).toMatchObject({ role: 'follower', term: 2 });
    },
  );

  test('P-2: stored term 2, append of term 1 -> nobody reads it, nothing changes, its sender is told', () => {
    const member = new Member({ hardState: { term: 2, vote: 0, commit: 0 } });
    member.tick(3);
    const before = member.node.status();
    const entries = [{ term: 1, index: 1, type: 'normal', data: new Uint8Array(1) }] as const;
    member.step({ ...appendOf(1), entries, commit: 1 });
    expect(member.node.status()).toEqual(before);
    expect(member.core.electionElapsed).toBe(3);
    const told = { kind: 'append-response', from: 1, to: 2, term: 2, index: 0 };
    expect(member.flush()).toEqual([told]);
  });

  test('P-3: new node -> follower', () => {
    expect(new Member().role).toBe('follower');
  });

  test('P-8: candidate of term 1, append of term 1 or 2 -> follower in the term of the message', () => {
    for (const term of [1, 2]) {
      const member = inRole('candidate');
      member.step(appendOf(term));
      expect(member.node.status()).toMatchObject({ role: 'follower', term, leader: 2 });
    }
  });
});

describe('asking for votes', () => {
  test('P-4: leader with unacknowledged entries, heartbeat time -> one heartbeat each, no entries', () => {
    const member = new Member().lead();
    for (let at = 0; at < 10; at += 1) member.propose(`${at}`);
    member.flush();
    member.tick();
    const heartbeat = { kind: 'heartbeat-request', from: 1, term: 1, commit: 0, reads: 0 };
    expect(member.flush()).toEqual([
      { ...heartbeat, to: 2, sentAt: 0 },
      { ...heartbeat, to: 3, sentAt: 0 },
    ]);
  });

  test.each(['follower', 'candidate'] as const)(
    'P-5: %s of term 1, 2 ET - 1 ticks -> candidate of term 2, own vote, asks 2 and 3',
    (role) => {
      const member = inRole(role);
      member.flush();
      const sent = [];
      for (let tick = 0; tick < 19; tick += 1) {
        member.tick();
        sent.push(...member.flush());
      }
      expect(member.node.status()).toMatchObject({ role: 'candidate', term: 2, vote: 1 });
      expect(sent).toEqual([
        { kind: 'vote-request', from: 1, to: 2, term: 2, last: empty },
        { kind: 'vote-request', from: 1, to: 3, term: 2, last: empty },
      ]);
    },
  );

  test.each([
    [1, [], [], 'leader'],
    [3, [2, 3], [], 'leader'],
    [3, [2], [], 'leader'],
    [5, [2, 3, 4, 5], [], 'leader'],
    [5, [2, 3, 4], [], 'leader'],
    [5, [2, 3], [], 'leader'],
    [3, [], [2, 3], 'follower'],
    [5, [], [2, 3, 4, 5], 'follower'],
    [5, [2], [3, 4, 5], 'follower'],
    [3, [], [], 'candidate'],
    [5, [2], [], 'candidate'],
    [5, [], [2, 3], 'candidate'],
    [5, [], [], 'candidate'],
  ])('P-6: %d voters, yes of %j and no of %j -> %s of term 1', (size, yes, no, role) => {
    const voters = Array.from({ length: size }, (_, at) => at + 1);
    const member = new Member({ voters });
    member.node.campaign();
    member.flush();
    for (const from of yes) member.vote(from);
    for (const from of no) member.vote(from, false);
    expect(member.node.status()).toMatchObject({ role, term: 1 });
  });

  test.each([
    [[1], 1, 2],
    [[1, 2], 2, 3],
  ])(
    'P-19: follower that received %j, election timeout -> asks with its last entry',
    (terms, term, next) => {
      const member = new Member({ hardState: { term: 1, vote: 0, commit: 0 } });
      const entries = terms.map((of, at) => {
        return { term: of, index: at + 1, type: 'normal', data: new Uint8Array(1) } as const;
      });
      member.step({ ...appendOf(term), entries });
      member.flush();
      member.tick(19);
      const last = { index: terms.length, term };
      expect(member.flush()).toEqual([
        { kind: 'vote-request', from: 1, to: 2, term: next, last },
        { kind: 'vote-request', from: 1, to: 3, term: next, last },
      ]);
    },
  );
});

describe('timeouts', () => {
  test.each(['follower', 'candidate'] as const)(
    'P-9: %s, 500 rounds until its timeout -> every value from 10 to 19',
    (role) => {
      const random = new Prng(9);
      const seen = new Set<number>();
      for (let round = 0; round < 500; round += 1) {
        const member = inRole(role, random);
        const before = member.term;
        let ticks = 0;
        for (; member.term === before; ticks += 1) member.tick();
        seen.add(ticks);
      }
      const values = [...seen].sort((a, b) => a - b);
      expect(values, 'seed 9').toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    },
  );

  test('P-10: five nodes, 1000 rounds -> several time out at once in at most 30 %', () => {
    const random = new Prng(10);
    let conflicts = 0;
    for (let round = 0; round < 1_000; round += 1) {
      const voters = [1, 2, 3, 4, 5];
      const members = voters.map((id) => new Member({ id, voters, random }));
      let candidates = 0;
      while (candidates === 0) {
        for (const member of members) member.tick();
        candidates = members.filter((member) => member.role === 'candidate').length;
      }
      if (candidates > 1) conflicts += 1;
    }
    expect(conflicts, 'seed 10').toBeLessThanOrEqual(300);
    // That two draws are never the same would be a bug of the other kind.
    expect(conflicts, 'seed 10').toBeGreaterThan(0);
  });
});

describe('granting votes', () => {
  test.each([
    [0, 2, true],
    [0, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
  ])('P-7: stored vote %d, request of %d -> granted %s, after the write', (vote, from, granted) => {
    const member = new Member({ hardState: { term: 1, vote, commit: 0 } });
    member.step(voteRequest(from, 1));
    const ready = member.ready();
    const answer = { kind: 'vote-response', from: 1, to: from, term: 1, granted };
    expect(ready.messages).toEqual([]);
    expect(ready.append?.responses).toEqual([answer]);
    expect(member.completeAppend()).toEqual([answer]);
    expect(member.disk.hardState.vote).toBe(granted ? from : vote);
  });

  test.each([
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1], 2, 1, true],
    [[1], 2, 2, true],
    [[1, 1], 2, 1, true],
    [[1, 1], 1, 1, false],
    [[2], 1, 1, false],
    [[2], 1, 2, false],
    [[2, 2], 1, 1, false],
  ])(
    'P-20: log %j, candidate with last term %d index %d -> granted %s',
    (terms, term, index, granted) => {
      const member = new Member({ terms });
      member.step(voteRequest(2, 3, { term, index }));
      expect(only('vote-response', member.flush())).toEqual([
        { kind: 'vote-response', from: 1, to: 2, term: 3, granted },
      ]);
    },
  );
});
