/** Elections, as mended: rows and O11, O14. */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../../src/raft/index.js';
import { entriesOf, snapshotAt } from './disk.js';
import { type Loose, only, Solo } from './solo.js';

const voters = [1, 2, 3];

describe('vote requests', () => {
  test('A-8, O1: for a log with a tail that is not durable -> leave only after it is', () => {
    const solo = new Solo({ terms: [1], hardState: { term: 1, vote: 0, commit: 0 } });
    const previous = { index: 1, term: 1 };
    const tail = entriesOf([1, 1], 2);
    solo.step({ kind: 'append-request', from: 2, previous, entries: tail, commit: 0 });
    expect(solo.ready().append?.entries).toHaveLength(2);
    solo.campaign();
    const ready = solo.ready();
    expect(ready.messages).toEqual([]);
    const asking = only(ready.append?.responses ?? [], 'vote-request');
    expect(asking.map(({ to, last }) => [to, last.index])).toEqual([
      [2, 3],
      [3, 3],
    ]);

    // Nobody was asked before the crash, so a grant for the longer log cannot exist; one that claims
    // to be late is not counted either.
    solo.restart();
    expect(solo.status).toMatchObject({ term: 1, lastIndex: 1 });
    solo.step({ kind: 'vote-response', from: 2, term: 2, granted: true });
    solo.step({ kind: 'vote-response', from: 3, term: 2, granted: true });
    expect(solo.node.role).toBe('follower');
    solo.flush();
    solo.campaign();
    expect(solo.status).toMatchObject({ term: 3, role: 'candidate' });
    const asked = only(solo.flush(), 'vote-request');
    expect(asked.map(({ last }) => last.index)).toEqual([1, 1]);
  });

  test('A-8, O1: the writes are done one by one -> only the last lets the requests go', () => {
    const solo = new Solo();
    const entries = entriesOf([1], 1);
    const previous = { index: 0, term: 0 };
    solo.step({ kind: 'append-request', from: 2, term: 1, previous, entries, commit: 0 });
    solo.ready();
    solo.campaign();
    solo.ready();
    expect(only(solo.completeAppend(), 'vote-request')).toEqual([]);
    expect(only(solo.completeAppend(), 'vote-request')).toHaveLength(2);
    expect(solo.disk.durable.hardState).toMatchObject({ term: 2, vote: 1 });
  });

  test('A-12: with learners -> none of them is asked', () => {
    for (const preVote of [false, true]) {
      const solo = new Solo({ voters: [1, 2], learners: [3, 4], preVote });
      solo.campaign();
      const kind = preVote ? 'pre-vote-request' : 'vote-request';
      expect(only(solo.flush(), kind).map(({ to }) => to)).toEqual([2]);
    }
  });

  test('A-13: a second round of pre-votes -> those of the first do not count', () => {
    const solo = new Solo({ voters: [1, 2, 3, 4, 5], preVote: true });
    const vote = (from: number) => {
      solo.step({ kind: 'pre-vote-response', from, term: solo.node.term + 1, granted: true });
      solo.flush();
    };
    solo.campaign();
    solo.flush();
    vote(2);
    expect(solo.node.role).toBe('pre-candidate');
    solo.campaign();
    solo.flush();
    vote(3);
    expect(solo.node.role).toBe('pre-candidate');
    vote(4);
    expect(solo.node.role).toBe('candidate');
  });

  test('A-15: granted without a change of the term -> must be durable', () => {
    for (const asyncStorageWrites of [false, true]) {
      const hardState = { term: 2, vote: 0, commit: 0 };
      const solo = new Solo({ terms: [1], hardState, asyncStorageWrites });
      solo.step({ kind: 'vote-request', from: 3, last: { index: 1, term: 1 } });
      const { append, messages } = solo.ready();
      expect(append).toMatchObject({ hardState: { term: 2, vote: 3 }, mustSync: true });
      expect(only(append?.responses ?? [], 'vote-response')).toMatchObject([{ granted: true }]);
      expect(messages).toEqual([]);
    }
  });
});

describe('the election timer', () => {
  const last = { index: 1, term: 1 };
  const from = 2;
  const configuration = { voters };
  const rows: readonly (Loose<PeerMessage> & { readonly kind: string })[] = [
    { kind: 'vote-request', from, last },
    { kind: 'append-request', from, previous: last, entries: [], commit: 0 },
    { kind: 'heartbeat-request', from, commit: 0, reads: 0, sentAt: 0 },
    { kind: 'snapshot-request', from, snapshot: snapshotAt(5, 1, configuration) },
  ];

  test.each(rows)('A-11: $kind one tick before the end -> starts over', (message) => {
    const solo = new Solo({ terms: [1], hardState: { term: 1, vote: 0, commit: 0 } });
    const { electionTicks } = solo.core.config;
    solo.core.electionTimeout = electionTicks;
    solo.tick(electionTicks - 1);
    solo.step(message);
    solo.tick();
    expect([solo.node.role, solo.node.term]).toEqual(['follower', 1]);
    solo.flush();
    solo.tick(electionTicks - 2);
    expect(solo.node.role).toBe('follower');
    solo.tick();
    expect(solo.node.role).toBe('candidate');
  });

  test('A-11: a vote that is refused, or a pre-vote -> the timer goes on', () => {
    for (const kind of ['vote-request', 'pre-vote-request'] as const) {
      const solo = new Solo({ terms: [1, 1], hardState: { term: 2, vote: 0, commit: 0 } });
      solo.core.electionTimeout = 10;
      solo.tick(9);
      const position = kind === 'vote-request' ? { index: 0, term: 0 } : { index: 9, term: 2 };
      solo.step({ kind, from, last: position });
      solo.tick();
      expect(solo.node.role).toBe('candidate');
    }
  });

  test('O14: pre-candidates that try again -> at another time each, within bounds', () => {
    const solo = new Solo({ preVote: true });
    const timeouts = new Set<number>();
    for (let round = 0; round < 60; round += 1) {
      solo.tick(solo.core.electionTimeout - solo.core.electionElapsed);
      expect([solo.node.role, solo.node.term]).toEqual(['pre-candidate', 0]);
      timeouts.add(solo.core.electionTimeout);
      solo.flush();
    }
    expect(timeouts.size).toBeGreaterThan(5);
    expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...timeouts)).toBeLessThanOrEqual(19);
  });
});

describe('who may depose a leader', () => {
  const following = (leader: number) => {
    const solo = new Solo();
    solo.step({ kind: 'heartbeat-request', from: leader, term: 1, commit: 0, reads: 0, sentAt: 0 });
    solo.flush();
    return solo;
  };

  test('O11: told to campaign by anybody but the leader -> ignored', () => {
    for (const from of [3, 9]) {
      const solo = following(2);
      solo.step({ kind: 'timeout-now', from });
      expect(solo.status).toMatchObject({ role: 'follower', term: 1, leader: 2 });
      expect(solo.flush()).toEqual([]);
    }
    const solo = following(2);
    solo.step({ kind: 'timeout-now', from: 2 });
    expect(solo.status).toMatchObject({ role: 'candidate', term: 2 });
    expect(only(solo.flush(), 'vote-request').every(({ transfer }) => transfer)).toBe(true);
  });

  test('O11: asked to hand over by a stranger -> refused, by leader and follower alike', () => {
    const leader = new Solo();
    leader.lead();
    leader.acknowledge(2);
    for (const solo of [leader, following(2)]) {
      const before = solo.status;
      expect(() => solo.step({ kind: 'transfer-request', from: 9, transferee: 2 })).toThrow(
        expect.objectContaining({ code: 'MEMBER_UNKNOWN' }),
      );
      expect(solo.status).toEqual(before);
      expect(solo.flush()).toEqual([]);
    }
  });
});
