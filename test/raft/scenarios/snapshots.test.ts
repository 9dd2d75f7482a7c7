/** Snapshots: what a follower takes from one, and when a leader sends one. */
import { describe, expect, test } from 'vitest';
import type { ConfState, LogId, SnapshotRequest } from '../../../src/raft/index.js';
import { snapshotAt } from './disk.js';
import { Member, type MemberSetup, only } from './member.js';
import { Network } from './network.js';

function request(to: number, last: LogId, configuration: ConfState, from = 9): SnapshotRequest {
  const snapshot = snapshotAt(last, configuration);
  return { kind: 'snapshot-request', from, to, term: last.term, snapshot };
}

const at11: LogId = { index: 11, term: 11 };

describe('the follower', () => {
  /** Steps the same snapshot twice, the first being written: taken once. */
  function takeTwice(setup: MemberSetup, configuration: ConfState): Member {
    const member = new Member(setup);
    const message = request(member.id, at11, configuration);
    member.holdAppends = true;
    member.step(message);
    const first = member.ready().append;
    expect(first?.snapshot?.last).toEqual(at11);
    expect(first?.responses).toContainEqual(
      expect.objectContaining({ kind: 'append-response', to: 9, index: 11 }),
    );
    expect(member.node.status()).toMatchObject({ lastIndex: 11, commit: 11, configuration });
    expect(member.core.log.termAt(11)).toBe(11);
    member.step(message);
    const second = member.ready().append;
    expect(second?.snapshot).toBeUndefined();
    expect(second?.responses).toContainEqual(
      expect.objectContaining({ kind: 'append-response', to: 9, index: 11 }),
    );
    return member;
  }

  test('R-61: snapshot with three voters, twice -> taken once, no campaign before it is installed', () => {
    const member = takeTwice({ voters: [1, 2] }, { voters: [1, 2, 3] });
    member.tick(30);
    expect(member.role).toBe('follower');
    member.holdAppends = false;
    member.flush();
    expect(member.disk.snapshot?.last).toEqual(at11);
    member.tick(20);
    expect(member.role).toBe('candidate');
  });

  test('R-62: snapshot with a learner, twice -> taken once, capacities right', () => {
    const setup = { id: 3, voters: [1, 2], learners: [3] };
    const member = takeTwice(setup, { voters: [1, 2], learners: [3] });
    expect(member.isLearner).toBe(true);
    expect(member.core.promotable).toBe(false);
    expect([...member.core.progress.keys()]).toEqual([1, 2, 3]);
  });

  test('R-63: snapshot of a joint configuration -> voters of both halves, no campaign meanwhile', () => {
    const configuration = { voters: [2, 3, 4], votersOutgoing: [1, 2, 3] };
    const member = takeTwice({ voters: [1, 2] }, configuration);
    expect([...member.core.progress.keys()]).toEqual([1, 2, 3, 4]);
    member.tick(30);
    expect(member.role).toBe('follower');
  });

  test('R-64: voter, snapshot that makes it a learner -> taken', () => {
    const member = new Member({ id: 3 });
    expect(member.isLearner).toBe(false);
    member.step(request(3, at11, { voters: [1, 2], learners: [3] }));
    member.flush();
    expect(member.isLearner).toBe(true);
    expect(member.disk.snapshot?.last).toEqual(at11);
  });

  test('R-65: learner, snapshot that makes it a voter -> taken', () => {
    const member = new Member({ id: 3, voters: [1, 2], learners: [3] });
    expect(member.isLearner).toBe(true);
    member.step(request(3, at11, { voters: [1, 2, 3] }));
    member.flush();
    expect(member.isLearner).toBe(false);
    expect(member.core.promotable).toBe(true);
  });

  test.each([
    [1, 1],
    [2, 2],
  ])(
    'R-67: log of 3, commit 1, snapshot at %d of its own log -> not taken, commit %d',
    (index, commit) => {
      const hardState = { term: 1, vote: 0, commit: 1 };
      const member = new Member({ voters: [1, 2], terms: [1, 1, 1], hardState });
      member.step(request(1, { index, term: 1 }, { voters: [1, 2] }));
      expect(member.node.status()).toMatchObject({ commit, lastIndex: 3 });
      const { append } = member.ready();
      expect(append?.snapshot).toBeUndefined();
      expect(append?.responses).toMatchObject([{ kind: 'append-response', index: commit }]);
    },
  );

  test('snapshot older than the own start of the log -> not taken, answered with the commit index', () => {
    const member = new Member({ voters: [1, 2], start: { index: 20, term: 11 } });
    member.step(request(1, at11, { voters: [1, 2] }));
    const { append } = member.ready();
    expect(append?.snapshot).toBeUndefined();
    expect(append?.responses).toMatchObject([{ kind: 'append-response', index: 20 }]);
  });

  test('R-70: snapshot from 1 in term 2 -> 1 is the leader', () => {
    const member = new Member({ id: 2, voters: [1, 2] });
    const message = request(2, { index: 11, term: 2 }, { voters: [1, 2] }, 1);
    member.step(message);
    expect(member.node.status()).toMatchObject({ leader: 1, term: 2, role: 'follower' });
  });
});

describe('the leader', () => {
  const start = { index: 11, term: 11 };

  test('R-66: learner without anything, log behind a snapshot -> has all that is committed', () => {
    const all = { voters: [1], learners: [2] };
    const net = new Network({ size: 2, all, members: { 1: { start } } });
    net.campaign(1);
    net.tick(1);
    expect(net.at(1).commit).toBe(12);
    expect(net.at(2).commit).toBe(12);
    expect(net.at(2).disk.snapshot?.last).toEqual(start);
  });

  test('R-68: log from 12, peer at 12 rejects 11 -> exactly one snapshot', () => {
    const member = new Member({ voters: [1, 2], start });
    member.become('leader');
    expect(member.progress(2).next).toBe(12);
    const sent = member.reject(2, 11, { index: 0, term: 0 });
    expect(sent).toHaveLength(1);
    expect(only('snapshot-request', sent)[0]?.snapshot.last).toEqual(start);
    expect(member.progress(2)).toMatchObject({ state: 'snapshot', pendingSnapshot: 11 });
  });

  test('R-69: peer that needs a snapshot and is silent, proposal -> nothing is sent', () => {
    const member = new Member({ voters: [1, 2], start }).lead();
    const progress = member.progress(2);
    progress.next = 11;
    progress.recentActive = false;
    member.propose('x');
    expect(member.flush()).toEqual([]);
    // And it is only for that: with the peer there, the snapshot goes.
    progress.recentActive = true;
    member.propose('x');
    expect(only('snapshot-request', member.flush())).toHaveLength(1);
  });

  test('R-71: isolated while the log is compacted -> catches up through a snapshot', () => {
    const net = new Network({ size: 3 });
    net.campaign(1);
    net.isolate(3);
    for (let at = 0; at < 101; at += 1) net.propose(1, `${at}`);
    const leader = net.at(1);
    leader.disk.compact(leader.core.log.applied, leader.node.configuration);
    leader.progress(3).recentActive = false;
    net.heal();
    for (let beat = 0; beat < 5 && !leader.progress(3).recentActive; beat += 1) net.tick(1);
    expect(leader.progress(3).recentActive).toBe(true);
    net.propose(1, 'triggers a snapshot');
    net.propose(1, 'triggers a commit');
    expect(net.at(3).commit).toBe(leader.commit);
    expect(net.at(3).disk.snapshot?.last.index).toBe(102);
    expect(leader.commit).toBe(104);
  });
});
