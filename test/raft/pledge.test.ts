// The follower's half of a lease: what it pledges, and that nothing makes it break that.
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../src/raft/index.js';
import { LoneNode } from './lone-node.js';

const last = { term: 0, index: 0 };

/** Member 1 of three, with a leader 2 that reads by lease. */
function follower(options: { leaseMs?: number; pledgeTicks?: number } = {}): LoneNode {
  const { leaseMs = 500, pledgeTicks = 10 } = options;
  const lone = new LoneNode({ checkQuorum: true, electionTicks: 10, leaseMs, pledgeTicks });
  // The pledge of its start is over.
  lone.tick(9);
  return lone;
}

function heartbeat(lone: LoneNode, sentAt = 1_000): readonly PeerMessage[] {
  const fields = { from: 2, to: 1, term: 1, commit: 0, reads: 0 };
  lone.step({ kind: 'heartbeat-request', ...fields, sentAt });
  return lone.flush();
}

/** A later term by a message that is no request for a vote: it leaves no leader. */
function hearOfLaterTerm(lone: LoneNode): void {
  lone.step({ kind: 'append-response', from: 3, to: 1, term: 5, index: 0 });
  lone.flush();
  expect(lone.node.status()).toMatchObject({ term: 5, leader: 0 });
}

function vote(lone: LoneNode, term: number, transfer = false): readonly PeerMessage[] {
  const request = { kind: 'vote-request', from: 3, to: 1, term, last } as const;
  lone.step(transfer ? { ...request, transfer: true } : request);
  return lone.flush();
}

describe('pledge', () => {
  test('leases off: a heartbeat is answered without the time, and nothing is pledged', () => {
    const lone = follower({ leaseMs: 0 });
    expect(heartbeat(lone)).toMatchObject([{ kind: 'heartbeat-response', sentAt: 0 }]);
    hearOfLaterTerm(lone);
    expect(vote(lone, 5)).toMatchObject([{ granted: true }]);
  });

  test('leases on: the time comes back', () => {
    expect(heartbeat(follower())).toMatchObject([{ kind: 'heartbeat-response', sentAt: 1_000 }]);
  });

  test('a later term, without a leader in it -> still no vote, in that term and after it', () => {
    const lone = follower();
    heartbeat(lone);
    hearOfLaterTerm(lone);
    expect(vote(lone, 5)).toMatchObject([{ granted: false }]);
    expect(vote(lone, 6)).toEqual([]);
    lone.step({ kind: 'pre-vote-request', from: 3, to: 1, term: 6, last });
    expect(lone.flush()).toEqual([]);
  });

  test('the time is over -> it votes', () => {
    const lone = follower();
    heartbeat(lone);
    hearOfLaterTerm(lone);
    lone.tick(9);
    expect(vote(lone, 5)).toMatchObject([{ granted: false }]);
    lone.tick(1);
    expect(vote(lone, 5)).toMatchObject([{ granted: true }]);
  });

  test('the leader itself hands over -> it votes', () => {
    const lone = follower();
    heartbeat(lone);
    expect(vote(lone, 2, true)).toMatchObject([{ granted: true, term: 2 }]);
  });

  test('a pledge longer than the election timeout -> the own timer waits for it', () => {
    const lone = follower({ pledgeTicks: 40 });
    heartbeat(lone);
    lone.tick(39);
    expect(lone.flush()).toEqual([]);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 1 });
    lone.tick(1);
    expect(lone.node.status().role).toBe('candidate');
  });

  test('leases are switched off -> what was pledged is kept', () => {
    const lone = follower();
    heartbeat(lone);
    lone.node.setLease(0);
    lone.node.forgetLeader();
    expect(lone.node.status().leader).toBe(2);
    expect(vote(lone, 2)).toEqual([]);
  });

  test('a start with leases on begins with a pledge', () => {
    const lone = new LoneNode({ checkQuorum: true, electionTicks: 10, leaseMs: 500 });
    expect(vote(lone, 1)).toEqual([]);
    lone.node.campaign();
    expect(lone.flush()).toEqual([]);
    lone.tick(10);
    expect(vote(lone, 1)).toMatchObject([{ granted: true }]);
  });
});

describe('a transfer request', () => {
  test('at a follower -> passed on to its leader; without one -> dropped', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    const request = { kind: 'transfer-request', from: 3, to: 1, term: 1, transferee: 3 } as const;
    lone.step(request);
    expect(lone.flush()).toEqual([]);
    heartbeat(lone);
    lone.step(request);
    expect(lone.flush()).toEqual([
      { kind: 'transfer-request', from: 1, to: 2, term: 1, transferee: 3 },
    ]);
  });
});

describe('the leader and its lease', () => {
  /** Member 1 leads three, and 2 and 3 have answered what it sent at 1,000. */
  function leader(): LoneNode {
    const lone = new LoneNode({ checkQuorum: true, leaseMs: 700 });
    lone.tick(10);
    lone.lead();
    lone.acknowledge(2, 1);
    lone.node.tick(1_000);
    lone.flush();
    for (const from of [2, 3]) echo(lone, from, 1_000);
    return lone;
  }

  function echo(lone: LoneNode, from: number, sentAt: number): void {
    const { term } = lone.node;
    lone.step({ kind: 'heartbeat-response', from, to: 1, term, reads: 0, sentAt });
  }

  /** Whether a read is answered at once. */
  function answers(lone: LoneNode, readId: number, nowMs?: number): boolean {
    if (nowMs === undefined) lone.node.readIndex(readId);
    else lone.node.readIndex(readId, nowMs);
    return lone.ready().reads.some((read) => read.readId === readId);
  }

  test('within it, and not at its end', () => {
    expect(answers(leader(), 1, 1_699)).toBe(true);
    expect(answers(leader(), 1, 1_700)).toBe(false);
  });

  test('an answer says whether it is by the lease', () => {
    const lone = leader();
    lone.node.readIndex(1, 1_699);
    const index = lone.node.status().commit;
    expect(lone.ready().reads).toEqual([{ readId: 1, index, byLease: true }]);
    lone.node.readIndex(2);
    lone.flush();
    const { term } = lone.node;
    lone.step({ kind: 'heartbeat-response', from: 2, to: 1, term, reads: 1, sentAt: 1_699 });
    expect(lone.ready().reads).toEqual([{ readId: 2, index }]);
  });

  test('asked without a clock, or with an older time -> proves nothing', () => {
    expect(answers(leader(), 1)).toBe(false);
    expect(answers(leader(), 1, 0)).toBe(false);
    expect(answers(leader(), 1, 999)).toBe(false);
    expect(answers(leader(), 1, Number.NaN)).toBe(false);
  });

  test('one echoes a time that was never sent -> does not count', () => {
    const lone = leader();
    echo(lone, 2, 900_000);
    expect(answers(lone, 1, 1_800)).toBe(false);
  });
});
