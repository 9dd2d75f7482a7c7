/** Proposals in a group: what commits, where it ends up, and what old leaders may not do. */
import { describe, expect, test } from 'vitest';
import { decodeConfChange } from '../../../src/raft/index.js';
import { maybeCommit } from '../../../src/raft/replication.js';
import { entriesOf } from '../member-store.js';
import { Member, only } from './member.js';
import { Network } from './network.js';

describe('proposals', () => {
  test('R-13: proposal, another leader, proposal -> committed and in order everywhere', () => {
    const net = new Network({ size: 3 });
    net.campaign(1);
    net.propose(1, 'one');
    expect(net.commits).toEqual([2, 2, 2]);
    net.campaign(2);
    net.propose(2, 'two');
    expect(net.commits).toEqual([4, 4, 4]);
    for (const { data } of net.members) expect(data).toEqual(['', 'one', '', 'two']);
  });

  test('R-14: one voter and a learner -> both commit, the learner is tracked', () => {
    const net = new Network({ size: 2, all: { voters: [1], learners: [2] } });
    net.campaign(1);
    net.propose(1, 'x');
    expect(net.commits).toEqual([2, 2]);
    expect(net.at(1).progress(2).match).toBe(2);
  });

  test('R-15: one voter, two proposals -> commit 3', () => {
    const net = new Network({ size: 1 });
    net.campaign(1);
    net.propose(1, 'one');
    net.propose(1, 'two');
    expect(net.commits).toEqual([3]);
  });

  test.each([
    [3, [], true],
    [3, [3], true],
    [3, [2, 3], false],
    [4, [2, 3], false],
    [5, [2, 3], true],
  ])('R-23: %d members, %j silent -> proposal committed: %s', (size, silent, committed) => {
    const net = new Network({ size, silent });
    net.campaign(1);
    const propose = () => net.propose(1, 'x');
    if (committed) propose();
    else expect(propose).toThrow(expect.objectContaining({ code: 'NOT_LEADER' }));
    for (const { disk, commit } of net.members) {
      expect(disk.terms).toEqual(committed ? [1, 1] : []);
      expect(commit).toBe(committed ? 2 : 0);
    }
    expect(net.at(1).term).toBe(1);
  });

  test.each([[[]], [[3]]])(
    'R-24: proposal on follower 2, %j silent -> reaches all through the leader',
    (silent) => {
      const net = new Network({ size: 3, silent });
      net.campaign(1);
      net.propose(2, 'x');
      for (const { data, term } of net.members) {
        expect(data).toEqual(['', 'x']);
        expect(term).toBe(1);
      }
    },
  );
});

describe('entries of earlier terms', () => {
  /** Leader 1 reaches only 2, and has two proposals there. */
  function cutLeader(): Network {
    const net = new Network({ size: 5 });
    net.campaign(1);
    for (const other of [3, 4, 5]) net.cut(1, other);
    net.propose(1, 'one');
    net.propose(1, 'two');
    expect(net.at(1).commit).toBe(1);
    net.heal();
    return net;
  }

  test('R-16: new leader whose own entry is not replicated -> commits nothing old, then all at once', () => {
    const net = cutLeader();
    net.ignore('append-request');
    net.campaign(2);
    expect(net.at(2).node.status()).toMatchObject({ role: 'leader', commit: 1, lastIndex: 4 });
    net.heal();
    net.tick(2);
    net.propose(2, 'own');
    expect(net.at(2).commit).toBe(5);
  });

  test('R-17: new leader whose empty entry is replicated -> commits the old entries by it', () => {
    const net = cutLeader();
    net.campaign(2);
    expect(net.at(2).node.status()).toMatchObject({ role: 'leader', commit: 4 });
  });

  test('R-22: late append of a leader two terms ago -> ignored', () => {
    const net = new Network({ size: 3 });
    for (const id of [1, 2, 1]) net.campaign(id);
    const previous = { index: 2, term: 2 };
    const entries = entriesOf([2], 3);
    const append = { kind: 'append-request', from: 2, to: 1, term: 2, previous } as const;
    net.send({ ...append, entries, commit: 3 });
    net.propose(1, 'x');
    expect(net.logs).toEqual([
      [1, 2, 3, 3],
      [1, 2, 3, 3],
      [1, 2, 3, 3],
    ]);
    for (const { data } of net.members) expect(data).toEqual(['', '', '', 'x']);
  });

  test.each([
    [[1], [1], 1, 1],
    [[1], [1], 2, 0],
    [[2], [1, 2], 2, 2],
    [[1], [2], 2, 1],
    [[2, 1, 1], [1, 2], 1, 1],
    [[2, 1, 1], [1, 1], 2, 0],
    [[2, 1, 2], [1, 2], 2, 2],
    [[2, 1, 2], [1, 1], 2, 0],
    [[2, 1, 1, 1], [1, 2], 1, 1],
    [[2, 1, 1, 1], [1, 1], 2, 0],
    [[2, 1, 1, 2], [1, 2], 1, 1],
    [[2, 1, 1, 2], [1, 1], 2, 0],
    [[2, 1, 2, 2], [1, 2], 2, 2],
    [[2, 1, 2, 2], [1, 1], 2, 0],
  ])('R-25: matches %j, log %j, term %d -> commit %d', (matches, terms, term, commit) => {
    const voters = matches.map((_, at) => at + 1);
    const hardState = { term: 2, vote: 0, commit: 0 };
    const member = new Member({ voters, terms, hardState });
    // A term that some of these logs are ahead of: only the rule is looked at, not a member.
    member.core.term = term;
    for (const [at, match] of matches.entries()) {
      const progress = member.progress(at + 1);
      progress.match = match;
      progress.next = match + 1;
    }
    expect(maybeCommit(member.core)).toBe(commit > 0);
    expect(member.commit).toBe(commit);
  });
});

describe('commitment and the configuration', () => {
  test('R-80: removal acknowledged, the data behind it not -> commits once the removal is applied', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    member.ack(2, member.lastIndex);
    member.holdApplies = true;
    member.do((node) => node.proposeConfChange({ type: 'remove', memberId: 2 }));
    const change = member.lastIndex;
    member.propose('hello');
    member.flush();
    member.ack(2, change);
    expect(member.commit).toBe(change);
    member.completeApply();
    expect(decodeConfChange(member.applied[1]!)).toMatchObject({ type: 'remove', memberId: 2 });
    expect(member.commit).toBe(change + 1);
    member.flush();
    member.completeApply();
    expect(member.data[2]).toBe('hello');
  });
});

describe('waiting for acknowledgements', () => {
  test('R-32: entry acknowledged by one of two -> the next goes only there, then to the other', () => {
    const member = new Member();
    member.node.campaign();
    member.flush();
    member.vote(2);
    member.flush();
    member.ack(2, 1);
    expect(member.commit).toBe(1);
    member.propose('x');
    const sent = only('append-request', member.flush());
    expect(sent.map(({ to, entries }) => [to, entries.map((each) => each.index)])).toEqual([
      [2, [2]],
    ]);
    const late = only('append-request', member.ack(3, 1));
    expect(late.map(({ to, entries }) => [to, entries.map((each) => each.index)])).toEqual([
      [3, [2]],
    ]);
  });
});
