// A leader that applied its own removal steps down, and may be the only one to know of the commit:
// then the halves of the old configuration waited for each other for ever (found by random clusters,
// seed 1574 of 2026-11-21).
import { describe, expect, test } from 'vitest';
import {
  type ConfChange,
  type Entry,
  encodeConfChange,
  type LogId,
  type PeerMessage,
} from '../../src/raft/index.js';
import { Cluster, type MemberOptions } from './cluster.js';
import { LoneNode, type LoneOptions } from './lone-node.js';

const remove3: ConfChange = { type: 'remove', memberId: 3 };
const add3: ConfChange = { type: 'add-voter', memberId: 3 };
const data = new Uint8Array(0);

/** Member 1 of three, with the removal of 3 in its log at 2, not known to be committed. */
function candidate(): LoneNode {
  const lone = new LoneNode({ hardState: { term: 1, vote: 3, commit: 0 } });
  const change = { term: 1, index: 2, ...encodeConfChange(remove3) };
  const first = { term: 1, index: 1, type: 'normal', data } as const;
  const envelope = { from: 3, to: 1, term: 1 } as const;
  const previous = { index: 0, term: 0 };
  const entries = [first, change];
  lone.step({ kind: 'append-request', ...envelope, previous, entries, commit: 1 });
  lone.flush();
  lone.node.campaign();
  lone.flush();
  expect(lone.node.status()).toMatchObject({ role: 'candidate', term: 2, commit: 1 });
  return lone;
}

function answer(lone: LoneNode, commit: LogId | undefined, granted = false): void {
  const envelope = { from: 3, to: 1, term: 2, granted };
  if (commit === undefined) lone.step({ kind: 'vote-response', ...envelope });
  else lone.step({ kind: 'vote-response', ...envelope, commit });
}

describe('commit by vote', () => {
  test('refused by one that knows the change to be committed -> applied, then counted anew', () => {
    const lone = candidate();
    answer(lone, { term: 1, index: 2 });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, commit: 2 });
    const { apply } = lone.ready();
    expect(apply?.entries.map(({ type }) => type)).toEqual(['config-change']);
    lone.node.applyConfChange(remove3);
    lone.completeApply(apply);
    lone.node.campaign();
    const asked = lone.flush().filter(({ kind }) => kind === 'vote-request');
    expect(asked.map(({ to }) => to)).toEqual([2]);
  });

  test('granted by one that knows it -> the vote does not count under the old configuration', () => {
    const lone = candidate();
    answer(lone, { term: 1, index: 2 }, true);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, commit: 2 });
  });

  test.each([
    ['nothing', undefined],
    ['another entry there', { term: 2, index: 2 }],
    ['an entry it lacks', { term: 1, index: 3 }],
    ['what it knew', { term: 1, index: 1 }],
  ])('told of %s -> the campaign goes on', (_, commit) => {
    const lone = candidate();
    answer(lone, commit);
    expect(lone.node.status()).toMatchObject({ role: 'candidate', commit: 1 });
  });

  test('a voter says what it knows to be committed, granted or not', () => {
    const lone = candidate();
    const last = { term: 1, index: 1 };
    lone.step({ kind: 'vote-request', from: 2, to: 1, term: 3, last });
    const [refused] = lone.flush();
    expect(refused).toMatchObject({ granted: false, commit: { term: 1, index: 1 } });
    lone.step({ kind: 'pre-vote-request', from: 2, to: 1, term: 4, last: { term: 1, index: 2 } });
    const [granted] = lone.flush();
    expect(granted).toMatchObject({ granted: true, commit: { term: 1, index: 1 } });
  });
});

/** Member 2 of two, with the addition of 3 in its log at 2, and one more; knows of the commit of 1. */
function voterOfBefore(options: LoneOptions = {}): LoneNode {
  const lone = new LoneNode({ id: 2, voters: [1, 2], ...options });
  const entries: Entry[] = [
    { term: 1, index: 1, type: 'normal', data },
    { term: 1, index: 2, ...encodeConfChange(add3) },
    { term: 1, index: 3, type: 'normal', data },
  ];
  const previous = { index: 0, term: 0 };
  const envelope = { from: 1, to: 2, term: 1 } as const;
  lone.step({ kind: 'append-request', ...envelope, previous, entries, commit: 1 });
  lone.flush();
  return lone;
}

const asked = { from: 3, to: 2, term: 2, last: { term: 1, index: 2 } } as const;
const commit = { term: 1, index: 2 };

describe('commit by a request for a vote', () => {
  test.each(['vote-request', 'pre-vote-request'] as const)(
    '%s of a voter that this member does not know, behind in the log -> refused, the change is applied',
    (kind) => {
      const lone = voterOfBefore();
      lone.step({ kind, ...asked, commit });
      expect(lone.node.status()).toMatchObject({ role: 'follower', commit: 2 });
      const { append, apply } = lone.ready();
      expect(append?.responses).toMatchObject([{ to: 3, granted: false, commit: { index: 1 } }]);
      expect(apply?.entries.map(({ type }) => type)).toEqual(['config-change']);
    },
  );

  test('of one whose log will do -> granted, and the change is applied as well', () => {
    const lone = voterOfBefore();
    const last = { term: 1, index: 3 };
    lone.step({ kind: 'vote-request', ...asked, last, commit });
    expect(lone.node.status()).toMatchObject({ role: 'follower', vote: 3, commit: 2 });
  });

  test.each(['pre-candidate', 'candidate'] as const)(
    '%s is told -> its campaign, counted with the voters of before, is over',
    (role) => {
      const lone = voterOfBefore({ preVote: role === 'pre-candidate' });
      lone.node.campaign();
      lone.flush();
      const { term } = lone.node.status();
      expect(lone.node.status().role).toBe(role);
      lone.step({ kind: 'pre-vote-request', ...asked, term: term + 1, commit });
      expect(lone.node.status()).toMatchObject({ role: 'follower', term: term + 1, commit: 2 });
    },
  );

  // Else it might go on with a leader of its term that lacks the entry, and acknowledge another one.
  test('of a later term -> it is taken over, and the leader of before is followed no more', () => {
    const lone = voterOfBefore();
    lone.step({ kind: 'pre-vote-request', ...asked, term: 5, commit });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 5, leader: 0, commit: 2 });
  });

  test('of a later term, nothing new -> the term stays', () => {
    const lone = voterOfBefore();
    lone.step({ kind: 'pre-vote-request', ...asked, term: 5, commit: { term: 1, index: 1 } });
    expect(lone.node.status()).toMatchObject({ term: 1, leader: 1 });
  });

  test('to one that follows a leader, and checks for a quorum -> not heard', () => {
    const lone = voterOfBefore({ checkQuorum: true });
    lone.step({ kind: 'pre-vote-request', ...asked, term: 5, commit });
    expect(lone.node.status()).toMatchObject({ term: 1, leader: 1, commit: 1 });
  });

  test.each([
    ['nothing', undefined],
    ['another entry there', { term: 2, index: 2 }],
    ['an entry it lacks', { term: 1, index: 4 }],
    ['what it knew', { term: 1, index: 1 }],
  ])('told of %s -> nothing is news', (_, told) => {
    const lone = voterOfBefore();
    lone.step({ kind: 'pre-vote-request', ...asked, ...(told && { commit: told }) });
    expect(lone.node.status()).toMatchObject({ role: 'follower', commit: 1 });
  });

  test('told of a commit without a change -> it is left to a leader', () => {
    const lone = voterOfBefore();
    lone.step({ kind: 'pre-vote-request', ...asked, commit });
    lone.completeApply(lone.ready().apply);
    lone.step({ kind: 'pre-vote-request', ...asked, commit: { term: 1, index: 3 } });
    expect(lone.node.status().commit).toBe(2);
  });

  test('a leader is told -> it commits what it counted itself, and nothing else', () => {
    const lone = voterOfBefore();
    lone.lead();
    lone.step({ kind: 'pre-vote-request', ...asked, term: 3, commit });
    expect(lone.node.status()).toMatchObject({ role: 'leader', commit: 1 });
  });

  test.each([false, true])('who asks tells what it has applied (pre-vote %s)', (preVote) => {
    const lone = voterOfBefore({ preVote });
    lone.node.campaign();
    expect(lone.flush()).toMatchObject([{ to: 1, commit: { term: 1, index: 1 } }]);
  });

  test('who asks has heard of a commit that it has not applied -> does not tell it', () => {
    const lone = new LoneNode({ terms: [1, 1] });
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 1,
      commit: 2,
      reads: 0,
      sentAt: 0,
    });
    lone.ready();
    lone.completeAppend();
    lone.node.campaign();
    lone.ready();
    const requests = lone.completeAppend();
    expect(requests.map(({ kind }) => kind)).toEqual(['vote-request', 'vote-request']);
    for (const request of requests) expect(request).not.toHaveProperty('commit');
    expect(lone.node.status()).toMatchObject({ commit: 2, applied: 0 });
  });

  test('nothing applied -> nothing is told', () => {
    const lone = new LoneNode();
    lone.node.campaign();
    for (const request of lone.flush()) expect(request).not.toHaveProperty('commit');
  });

  test('only the voter that was added knows of it, and is behind -> the two elect one of them', () => {
    const cluster = withheld(() => ({ appendBytesMax: 1 }));
    cluster.pass(200);
    expect(cluster.leaders.map(({ id }) => id)).toEqual([2]);
  });
});

/** Voters 1 and 2, 3 is added and knows it, 2 has one entry more and does not, and 1 is gone. */
function withheld(options: (id: number) => MemberOptions): Cluster {
  const cluster = new Cluster({ ids: [1, 2, 3], founders: [1, 2], options });
  cluster.elect(1);
  expect(cluster.change(1, add3) && cluster.propose(1, 'one more')).toBe(true);
  cluster.start(3);
  cluster.loses = (message) => withholds(message, cluster.node(3).status().lastIndex);
  cluster.pass(5);
  expect(cluster.node(2).status()).toMatchObject({ commit: 1, lastIndex: 3 });
  expect(cluster.node(3).status()).toMatchObject({ applied: 2, lastIndex: 2 });
  cluster.crash(1);
  cluster.heal();
  return cluster;
}

/** 2 hears of no commit from 2 on, and 3, which has so much, gets no entry behind 2. */
function withholds(message: PeerMessage, of3: number): boolean {
  if (message.to === 2) return 'commit' in message && Number(message.commit) >= 2;
  return of3 === 2 && message.kind === 'append-request' && message.entries.length > 0;
}

test('of two the new one, which knows, campaigns more rarely -> the other hears it all the same', () => {
  const options = (id: number) => ({
    ...{ appendBytesMax: 1, checkQuorum: true, preVote: false },
    electionTicks: id === 3 ? 60 : 10,
  });
  const cluster = withheld(options);
  cluster.pass(500);
  expect(cluster.leaders.map(({ id }) => id)).toEqual([2]);
});

describe('commit by a message of an earlier term', () => {
  test.each(['vote-request', 'pre-vote-request'] as const)(
    '%s -> refused, told what is applied, and heard',
    (kind) => {
      const lone = voterOfBefore();
      lone.step({ kind: 'vote-request', from: 1, to: 2, term: 9, last: { term: 1, index: 1 } });
      lone.flush();
      lone.step({ kind, ...asked, term: 3, commit });
      expect(lone.node.status()).toMatchObject({ term: 9, commit: 2 });
      const [refusal] = lone.ready().append?.responses ?? [];
      expect(refusal).toMatchObject({ to: 3, term: 9, granted: false, commit: { index: 1 } });
    },
  );

  test.each(['pre-vote-response', 'vote-response'] as const)(
    '%s, dropped as a vote -> what it tells is heard',
    (kind) => {
      const lone = candidate();
      lone.step({ kind, from: 3, to: 1, term: 1, granted: false, commit: { term: 1, index: 2 } });
      expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, commit: 2 });
    },
  );

  test('a late grant of a pre-vote, to one that follows a leader -> it goes on', () => {
    const lone = voterOfBefore();
    lone.step({ kind: 'pre-vote-response', from: 1, to: 2, term: 2, granted: true, commit });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 1, leader: 1, commit: 1 });
  });

  test('tells nothing new -> the campaign goes on, and it is no vote', () => {
    const lone = candidate();
    for (const from of [2, 3]) {
      lone.step({ kind: 'vote-response', from, to: 1, term: 1, granted: true });
    }
    expect(lone.node.status()).toMatchObject({ role: 'candidate', term: 2, commit: 1 });
  });
});
