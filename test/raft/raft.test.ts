/** The term gate and votes: what every role does alike (semantics §4, §7.3). */
import { describe, expect, test } from 'vitest';
import type { LogId, PeerMessage } from '../../src/raft/index.js';
import { Cluster } from './cluster.js';
import { LoneNode, type LoneOptions } from './lone-node.js';

const zero: LogId = { index: 0, term: 0 };
const roles = ['follower', 'pre-candidate', 'candidate', 'leader'] as const;

/** Answers of `lone` to a vote or pre-vote request of member `from`. */
function ask(
  lone: LoneNode,
  request: {
    readonly kind: 'vote-request' | 'pre-vote-request';
    readonly from?: number;
    readonly term: number;
    readonly last: LogId;
  },
): PeerMessage[] {
  lone.step({ from: 2, to: lone.id, ...request });
  return lone.flush();
}

/** A member in a role at term 1 (a pre-candidate: at term 1 as well). */
function inRole(role: (typeof roles)[number], options: LoneOptions = {}): LoneNode {
  if (role === 'pre-candidate') {
    const lone = new LoneNode({
      ...options,
      preVote: true,
      hardState: { term: 1, vote: 0, commit: 0 },
    });
    lone.node.campaign();
    lone.flush();
    return lone;
  }
  const hardState = { term: role === 'follower' ? 1 : 0, vote: 0, commit: 0 };
  const lone = new LoneNode({ ...options, hardState });
  if (role === 'leader') lone.lead();
  if (role === 'candidate') {
    lone.node.campaign();
    lone.flush();
  }
  expect(lone.node.status()).toMatchObject({ role, term: 1 });
  return lone;
}

describe('votes: up-to-date rule', () => {
  test.each([
    { terms: [1], last: [1, 1], granted: true },
    { terms: [1], last: [1, 2], granted: true },
    { terms: [1], last: [2, 1], granted: true },
    { terms: [1], last: [2, 2], granted: true },
    { terms: [1, 1], last: [2, 1], granted: true },
    { terms: [1, 1], last: [1, 1], granted: false },
    { terms: [2], last: [1, 1], granted: false },
    { terms: [2], last: [1, 2], granted: false },
    { terms: [2, 2], last: [1, 1], granted: false },
    { terms: [], last: [0, 0], granted: true },
  ] as const)('P-20 own log $terms, candidate (term, index) $last -> granted $granted', (row) => {
    for (const kind of ['vote-request', 'pre-vote-request'] as const) {
      const lone = new LoneNode({ terms: [...row.terms] });
      const [term, index] = row.last;
      const [answer] = ask(lone, { kind, term: 3, last: { term, index } });
      expect(answer).toMatchObject({ granted: row.granted, to: 2 });
    }
  });

  test('entries not durable yet -> count in the comparison', () => {
    const lone = new LoneNode({ terms: [1] });
    const entry = { term: 1, index: 2, type: 'normal', data: new Uint8Array(0) } as const;
    const previous = { term: 1, index: 1 };
    const envelope = { from: 3, to: 1, term: 1 };
    lone.step({ kind: 'append-request', ...envelope, previous, entries: [entry], commit: 0 });
    const last = { term: 1, index: 1 };
    const answers = ask(lone, { kind: 'vote-request', term: 2, last });
    expect(answers).toContainEqual(
      expect.objectContaining({ kind: 'vote-response', granted: false }),
    );
  });
});

describe('votes: one per term', () => {
  test.each([
    { vote: 0, from: 2, granted: true },
    { vote: 0, from: 3, granted: true },
    { vote: 2, from: 2, granted: true },
    { vote: 3, from: 3, granted: true },
    { vote: 2, from: 3, granted: false },
    { vote: 3, from: 2, granted: false },
  ])('P-7 stored vote $vote, member $from asks -> granted $granted', ({ vote, from, granted }) => {
    const lone = new LoneNode({ hardState: { term: 1, vote, commit: 0 } });
    lone.step({ kind: 'vote-request', from, to: 1, term: 1, last: zero });
    const ready = lone.ready();
    expect(ready.messages).toEqual([]);
    expect(ready.append?.responses).toEqual([
      { kind: 'vote-response', from: 1, to: from, term: 1, granted },
    ]);
    expect(lone.node.status().vote).toBe(granted ? from : vote);
  });

  test('H11 A-15 a vote without a new term -> is written, and synced, before the answer leaves', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    lone.step({ kind: 'vote-request', from: 2, to: 1, term: 1, last: zero });
    const { append } = lone.ready();
    expect(append).toMatchObject({ hardState: { term: 1, vote: 2 }, mustSync: true });
  });

  test('a refusal of an unknown later term -> waits for that term to be durable', () => {
    const lone = new LoneNode({ terms: [4] });
    lone.step({ kind: 'vote-request', from: 2, to: 1, term: 6, last: { index: 1, term: 3 } });
    const ready = lone.ready();
    expect(ready.messages).toEqual([]);
    expect(ready.append).toMatchObject({ hardState: { term: 6, vote: 0 }, mustSync: true });
    expect(ready.append?.responses).toEqual([
      { kind: 'vote-response', from: 1, to: 2, term: 6, granted: false },
    ]);
  });

  test('H1 follower of a leader of the term it voted in -> the vote is kept', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 2, commit: 0 } });
    lone.step({
      kind: 'heartbeat-request',
      from: 3,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    expect(lone.node.status()).toMatchObject({ term: 1, vote: 2, leader: 3 });
  });

  test('a leader is known and no vote given -> no vote in this term', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    lone.step({
      kind: 'heartbeat-request',
      from: 3,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    lone.flush();
    const [answer] = ask(lone, { kind: 'vote-request', term: 1, last: zero });
    expect(answer).toMatchObject({ granted: false });
  });

  test.each(['candidate', 'leader'] as const)(
    'R-33 a %s asked in its own term -> refuses',
    (role) => {
      const lone = inRole(role);
      const [answer] = ask(lone, { kind: 'vote-request', term: 1, last: { index: 9, term: 9 } });
      expect(answer).toMatchObject({ granted: false });
    },
  );

  test('R-33 a pre-candidate that has not voted in its term -> still may', () => {
    const lone = inRole('pre-candidate');
    const [answer] = ask(lone, { kind: 'vote-request', term: 1, last: { index: 9, term: 9 } });
    expect(answer).toMatchObject({ granted: true });
    expect(lone.node.status()).toMatchObject({ vote: 2 });
  });

  test('A-11 granting a vote -> starts the election timeout anew', () => {
    const lone = new LoneNode({ electionTicks: 10 });
    lone.tick(9);
    ask(lone, { kind: 'vote-request', term: 1, last: zero });
    lone.tick(9);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 1 });
  });
});

describe('votes: a later term', () => {
  test.each(roles)('R-12 vote request to a %s -> follower of that term, vote granted', (role) => {
    const lone = inRole(role);
    const last = { index: 42, term: 2 };
    const answers = ask(lone, { kind: 'vote-request', term: 2, last });
    expect(answers).toContainEqual({
      kind: 'vote-response',
      from: 1,
      to: 2,
      term: 2,
      granted: true,
    });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, vote: 2, leader: 0 });
  });

  test.each(roles)(
    'R-12 H10 pre-vote request to a %s -> granted in the asked term, nothing changes',
    (role) => {
      const lone = inRole(role);
      const before = lone.node.status();
      const last = { index: 42, term: 2 };
      const answers = ask(lone, { kind: 'pre-vote-request', term: 2, last });
      expect(answers).toEqual([
        { kind: 'pre-vote-response', from: 1, to: 2, term: 2, granted: true },
      ]);
      expect(lone.node.status()).toEqual(before);
    },
  );

  test('H10 a pre-vote refused -> tells the own term', () => {
    const lone = new LoneNode({ terms: [3] });
    const answers = ask(lone, { kind: 'pre-vote-request', term: 9, last: { index: 1, term: 2 } });
    expect(answers).toEqual([
      { kind: 'pre-vote-response', from: 1, to: 2, term: 3, granted: false },
    ]);
    expect(lone.node.status().term).toBe(3);
  });

  test('pre-votes -> any number in a term', () => {
    const lone = new LoneNode();
    for (const from of [2, 3]) {
      const [answer] = ask(lone, { kind: 'pre-vote-request', from, term: 1, last: zero });
      expect(answer).toMatchObject({ granted: true, to: from });
    }
  });
});

describe('an earlier term', () => {
  test('H9 pre-vote request -> refused with the own term, so that the asker learns it', () => {
    const lone = new LoneNode({ terms: [5] });
    const last = { index: 9, term: 4 };
    expect(ask(lone, { kind: 'pre-vote-request', term: 4, last })).toEqual([
      { kind: 'pre-vote-response', from: 1, to: 2, term: 5, granted: false },
    ]);
  });

  test('vote request -> refused with the own term, so that the asker learns it', () => {
    const lone = new LoneNode({ terms: [5] });
    expect(ask(lone, { kind: 'vote-request', term: 4, last: { index: 9, term: 4 } })).toEqual([
      { kind: 'vote-response', from: 1, to: 2, term: 5, granted: false },
    ]);
  });

  test.each([
    { preVote: false, checkQuorum: false },
    { preVote: true, checkQuorum: false },
    { preVote: false, checkQuorum: true },
  ])(
    'H12 R-46 pre-vote $preVote, check-quorum $checkQuorum: old leader -> told',
    ({ preVote, checkQuorum }) => {
      for (const kind of ['append-request', 'heartbeat-request'] as const) {
        const lone = new LoneNode({ preVote, checkQuorum, terms: [5] });
        const envelope = { from: 2, to: 1, term: 4, commit: 1 };
        const entries = [{ term: 4, index: 1, type: 'normal', data: new Uint8Array(0) }] as const;
        if (kind === 'heartbeat-request') lone.step({ kind, ...envelope, reads: 0, sentAt: 0 });
        else lone.step({ kind, ...envelope, previous: zero, entries });
        const told = { kind: 'append-response', from: 1, to: 2, term: 5, index: 0 };
        expect(lone.flush()).toEqual([told]);
        expect(lone.node.status()).toMatchObject({ term: 5, commit: 0, leader: 0 });
        expect(lone.terms).toEqual([5]);
      }
    },
  );

  test('H12 a leader told of a later term -> steps down', () => {
    const lone = inRole('leader');
    lone.step({ kind: 'append-response', from: 2, to: 1, term: 5, index: 0 });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 5, leader: 0, vote: 0 });
  });

  test('P-2 R-27 any answer -> ignored', () => {
    const lone = new LoneNode({ terms: [5] });
    const before = lone.node.status();
    const envelope = { from: 2, to: 1, term: 4 };
    lone.step({ kind: 'append-response', ...envelope, index: 7 });
    lone.step({ kind: 'heartbeat-response', ...envelope, reads: 0, sentAt: 0 });
    lone.step({ kind: 'vote-response', ...envelope, granted: true });
    lone.step({ kind: 'pre-vote-response', ...envelope, granted: true });
    expect(lone.node.status()).toEqual(before);
    expect(lone.node.hasReady()).toBe(false);
  });
});

describe('a later term', () => {
  test.each(roles)('P-1 R-35 append to a %s -> follower of its sender', (role) => {
    const lone = inRole(role);
    const envelope = { from: 3, to: 1, term: 2, commit: 0 };
    lone.step({ kind: 'append-request', ...envelope, previous: zero, entries: [] });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, leader: 3, vote: 0 });
  });

  test('R-39 own entry of the old term becomes durable afterwards -> nothing commits', () => {
    const lone = new LoneNode({ voters: [1, 2] });
    lone.lead();
    lone.propose('a');
    lone.ready();
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 2,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    lone.completeAppend();
    lone.flush();
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, commit: 0 });
  });
});

describe('check-quorum', () => {
  const lease = { checkQuorum: true, electionTicks: 10 };

  test.each(['vote-request', 'pre-vote-request'] as const)(
    '%s while a leader is heard -> not even answered; after an election timeout -> granted',
    (kind) => {
      const lone = new LoneNode(lease);
      lone.step({
        kind: 'heartbeat-request',
        from: 3,
        to: 1,
        term: 1,
        commit: 0,
        reads: 0,
        sentAt: 0,
      });
      lone.flush();
      const last = { index: 9, term: 9 };
      lone.tick(9);
      expect(ask(lone, { kind, term: 2, last })).toEqual([]);
      expect(lone.node.status()).toMatchObject({ term: 1, leader: 3 });
      lone.tick(1);
      expect(ask(lone, { kind, term: 2, last })).toMatchObject([{ granted: true }]);
    },
  );

  test('a leader in office -> does not vote either', () => {
    const lone = inRole('leader', lease);
    expect(ask(lone, { kind: 'vote-request', term: 2, last: { index: 9, term: 9 } })).toEqual([]);
    expect(lone.node.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  test('H11 R-43 no leader known, right after the start -> votes', () => {
    const lone = new LoneNode(lease);
    expect(ask(lone, { kind: 'vote-request', term: 1, last: zero })).toMatchObject([
      { granted: true },
    ]);
  });

  test('R-44 H12 a member that came back with a later term -> the old leader steps down for it', () => {
    const cluster = new Cluster({
      ids: [1, 2, 3],
      options: () => ({ preVote: false, checkQuorum: true }),
    });
    cluster.elect(1);
    cluster.isolate(3);
    for (let round = 0; round < 2; round += 1) {
      cluster.campaign(3);
      cluster.settle();
    }
    cluster.heal();
    cluster.pass(60);
    const [leader] = cluster.leaders;
    expect(leader?.up.status().term).toBeGreaterThanOrEqual(4);
    for (const { up } of cluster.running) expect(up.status().leader).toBe(leader?.id);
  });

  test('H9 R-101 R-102 pre-vote being switched on: later term, shorter log -> a leader emerges', () => {
    let preVote = false;
    const cluster = new Cluster({
      ids: [1, 2, 3],
      options: () => ({ preVote, checkQuorum: false }),
    });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, 'a');
    for (let round = 0; round < 3; round += 1) {
      cluster.campaign(3);
      cluster.settle();
    }
    expect(cluster.node(3).status().term).toBe(4);
    preVote = true;
    for (const id of [1, 2, 3]) {
      cluster.crash(id);
      cluster.start(id);
    }
    cluster.crash(1);
    cluster.heal();
    cluster.pass(80);
    expect(cluster.node(2).status().role).toBe('leader');
    expect(cluster.node(3).status().leader).toBe(2);
  });
});
