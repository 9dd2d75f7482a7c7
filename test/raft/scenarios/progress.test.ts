/** What the leader sends to one peer, by what it knows of it: the stream, its window, its repairs. */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../../src/raft/index.js';
import { Member, only } from './member.js';

const appends = (messages: readonly PeerMessage[]) => only('append-request', messages);
const sizes = (messages: readonly PeerMessage[]) =>
  appends(messages).map(({ entries }) => entries.length);

describe('one peer', () => {
  test('R-1: five proposals -> the own match rises only once they are written', () => {
    const member = new Member({ voters: [1, 2] });
    member.become('leader');
    for (let at = 0; at < 5; at += 1) member.propose('foo');
    const { append } = member.ready();
    expect(member.progress(1).match).toBe(0);
    expect(append?.entries.map(({ data }) => data.length)).toEqual([0, 3, 3, 3, 3, 3]);
    member.completeAppend();
    expect(member.progress(1)).toMatchObject({ state: 'replicate', match: 6, next: 7 });
  });

  test('R-2: paused peer -> a heartbeat does not release it, the answer to one does', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    const progress = member.progress(2);
    progress.flowPaused = true;
    member.tick();
    expect(only('heartbeat-request', member.flush())).toHaveLength(1);
    expect(progress.flowPaused).toBe(true);
    progress.becomeReplicate();
    progress.flowPaused = true;
    member.heard(2);
    expect(progress.flowPaused).toBe(false);
  });

  test('R-3: probed peer, three proposals -> exactly one append', () => {
    const member = new Member({ voters: [1, 2] });
    member.become('leader');
    for (const command of ['a', 'b', 'c']) member.propose(command);
    expect(sizes(member.flush())).toEqual([2]);
  });

  test('R-4: small messages and a window of 3 and 9000 B -> each acknowledgement sends what fits', () => {
    const limits = { inflightMessagesMax: 3, appendBytesMax: 2048, inflightBytesMax: 9000 };
    const member = new Member({ voters: [1, 2], ...limits });
    member.become('leader');
    for (let number = 1; number <= 22; number += 1) {
      member.propose('x'.repeat(number >= 11 && number <= 16 ? 5000 : 1000));
    }
    let sent = appends(member.flush());
    expect(sent.map(({ entries }) => entries.map(({ data }) => data.length))).toEqual([[0, 1000]]);
    for (const expected of [[2, 2, 2], [2, 1, 1], [1, 1], [1, 1], [1, 2, 2], [2]]) {
      const { previous, entries } = sent[sent.length - 1]!;
      sent = appends(member.ack(2, previous.index + entries.length));
      expect(sizes(sent)).toEqual(expected);
    }
  });

  test('R-5: limit of unapplied payload -> refuses above it, takes anything when empty', () => {
    const member = new Member({ uncommittedBytesMax: 1024 * 8 }).lead();
    const release = () => {
      for (const id of [2, 3]) member.ack(id, member.lastIndex);
    };
    const eight = '12345678';
    const dropped = expect.objectContaining({ code: 'PROPOSAL_DROPPED' });
    release();
    for (let at = 0; at < 1024; at += 1) member.propose(eight);
    member.flush();
    expect(() => member.propose(eight)).toThrow(dropped);
    release();
    expect(member.core.uncommittedBytes).toBe(0);
    member.propose(...Array.from({ length: 2048 }, () => eight));
    expect(() => member.propose(eight)).toThrow(dropped);
    const { lastIndex } = member;
    member.propose('');
    expect(member.lastIndex).toBe(lastIndex + 1);
    member.flush();
    release();
    expect(member.core.uncommittedBytes).toBe(0);
    expect(member.commit).toBe(member.lastIndex);
  });

  test('R-30: peer behind answers heartbeats -> an append each time, none once it has everything', () => {
    const member = new Member({ voters: [1, 2], terms: [1, 2, 3] }).lead();
    expect(sizes(member.heard(2))).toHaveLength(1);
    const again = appends(member.heard(2));
    expect(again).toHaveLength(1);
    const { previous, entries } = again[0]!;
    member.ack(2, previous.index + entries.length);
    expect(member.progress(2).match).toBe(member.lastIndex);
    expect(member.heard(2)).toEqual([]);
  });
});

describe('by state', () => {
  test('R-55: heartbeat time -> a leader tells two peers, others nobody', () => {
    for (const [role, count] of [
      ['leader', 2],
      ['candidate', 0],
      ['follower', 0],
    ] as const) {
      const member = new Member();
      member.become(role);
      member.flush();
      member.tick();
      expect(only('heartbeat-request', member.flush())).toHaveLength(count);
    }
  });

  test('R-56: proposal on a log of 3 -> next moves on in a stream, not while probing', () => {
    for (const [streams, next] of [
      [true, 6],
      [false, 2],
    ] as const) {
      const member = new Member({ voters: [1, 2], terms: [1, 2, 3] }).lead();
      const progress = member.progress(2);
      if (streams) progress.becomeReplicate();
      progress.next = 2;
      member.propose('x');
      expect(progress.next).toBe(next);
    }
  });

  test('R-57: probed peer -> one append until it answers a heartbeat, then one more', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    const progress = member.progress(2);
    progress.becomeProbe();
    member.propose('first');
    const first = appends(member.flush());
    expect(first.map(({ previous }) => previous.index)).toEqual([0]);
    for (let round = 0; round < 3; round += 1) {
      expect(progress.paused).toBe(true);
      for (let at = 0; at < 10; at += 1) member.propose('more');
      expect(member.flush()).toEqual([]);
      member.tick();
      expect(member.flush().map(({ kind }) => kind)).toEqual(['heartbeat-request']);
      expect(progress.paused).toBe(true);
    }
    const released = appends(member.heard(2));
    expect(released.map(({ previous }) => previous.index)).toEqual([0]);
    expect(progress.paused).toBe(true);
  });

  test('R-58: streaming peer, ten proposals -> ten appends', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    member.progress(2).becomeReplicate();
    for (let at = 0; at < 10; at += 1) {
      member.propose('x');
      expect(sizes(member.flush())).toHaveLength(1);
    }
  });

  test('R-59: peer that waits for a snapshot, ten proposals -> nothing', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    member.progress(2).becomeSnapshot(member.lastIndex);
    for (let at = 0; at < 10; at += 1) member.propose('x');
    expect(member.flush()).toEqual([]);
  });

  test('R-60: streaming peer reported unreachable -> probed behind what it acknowledged', () => {
    const member = new Member({ voters: [1, 2], terms: [1, 2, 3] }).lead();
    member.ack(2, 3);
    member.propose('x');
    member.flush();
    expect(member.progress(2)).toMatchObject({ state: 'replicate', match: 3, next: 6 });
    member.do((node) => node.reportUnreachable(2));
    expect(member.progress(2)).toMatchObject({ state: 'probe', match: 3, next: 4 });
  });
});

describe('answers', () => {
  /** Leads term 1 with entries 1 to 3, all of it; peer 2 is probed at 3. */
  function leader(): Member {
    const hardState = { term: 0, vote: 0, commit: 0 };
    const member = new Member({ terms: [1, 1], hardState });
    // Stored without the term of its entries, to lead in that very term.
    member.checked = false;
    member.lead();
    member.checked = true;
    expect(member.progress(2)).toMatchObject({ state: 'probe', match: 0, next: 3 });
    return member;
  }
  const shown = (messages: readonly PeerMessage[]) =>
    appends(messages).map(({ to, previous, commit }) => ({ to, index: previous.index, commit }));

  test('R-53: rejection of what was not sent -> stale, nothing happens', () => {
    const member = leader();
    expect(member.reject(2, 3, { index: 3, term: 0 })).toEqual([]);
    expect(member.progress(2)).toMatchObject({ match: 0, next: 3 });
  });

  test('R-53: rejection of the probe -> the next probe starts one earlier', () => {
    const member = leader();
    expect(shown(member.reject(2, 2, { index: 2, term: 0 }))).toEqual([
      { to: 2, index: 1, commit: 0 },
    ]);
    expect(member.progress(2)).toMatchObject({ match: 0, next: 2 });
  });

  test('R-53: acknowledgement of 2 -> committed, both are told', () => {
    const member = leader();
    expect(shown(member.ack(2, 2))).toEqual([
      { to: 2, index: 2, commit: 2 },
      { to: 3, index: 2, commit: 2 },
    ]);
    expect(member.commit).toBe(2);
    expect(member.progress(2)).toMatchObject({ match: 2, next: 4 });
  });

  test('R-53: acknowledgement of 0, its very match -> streams from the start', () => {
    const member = leader();
    expect(shown(member.ack(2, 0))).toEqual([{ to: 2, index: 0, commit: 0 }]);
    expect(member.progress(2)).toMatchObject({ state: 'replicate', match: 0, next: 4 });
  });

  test('R-54: leader behind a snapshot, heartbeat time -> commit at most what each has', () => {
    const member = new Member({ start: { index: 1000, term: 1 } }).lead();
    for (let at = 0; at < 10; at += 1) member.propose('x');
    member.flush();
    const { lastIndex, commit } = member;
    Object.assign(member.progress(2), { match: 5, next: 6 });
    Object.assign(member.progress(3), { match: lastIndex, next: lastIndex + 1 });
    member.tick();
    const heartbeat = { kind: 'heartbeat-request', from: 1, term: 2, reads: 0, sentAt: 0 };
    expect(member.flush()).toEqual([
      { ...heartbeat, to: 2, commit: 5 },
      { ...heartbeat, to: 3, commit },
    ]);
    expect(commit).toBe(1000);
  });
});
