/** Linearizable reads: which index they get, from whom, and when there must be no answer. */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../../src/raft/index.js';
import { Member, type MemberSetup, only } from './member.js';
import { Network } from './network.js';

/** Before each read, ten proposals: asks the readers in turn. */
function readInTurn(net: Network, readers: readonly number[]): void {
  let expected = 1;
  for (const reader of readers) {
    for (let at = 0; at < 10; at += 1) net.propose(1, 'x');
    expected += 10;
    const readId = net.read(reader);
    expect(net.at(reader).reads.splice(0)).toEqual([{ readId, index: expected }]);
  }
  for (const { reads } of net.members) expect(reads).toEqual([]);
}

describe('confirmed reads', () => {
  test('R-31: read of a peer -> one heartbeat; its answer answers the read', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    member.ack(2, member.lastIndex);
    const { commit } = member;
    member.step({ kind: 'read-request', from: 2, to: 1, term: 1, readId: 77 });
    const heartbeat = { kind: 'heartbeat-request', from: 1, to: 2, term: 1, commit, sentAt: 0 };
    expect(member.flush()).toEqual([{ ...heartbeat, reads: 1 }]);
    expect(member.core.reads.size).toBe(1);
    expect(member.heard(2, 1)).toEqual([
      { kind: 'read-response', from: 1, to: 2, term: 1, readId: 77, index: commit },
    ]);
    expect(member.core.reads.size).toBe(0);
  });

  test('R-48: reads on leader and followers -> each gets the commit index of its time', () => {
    const net = new Network({ size: 3 });
    net.campaign(1);
    readInTurn(net, [1, 2, 3, 1, 2, 3]);
  });

  test('R-49: one voter and a learner -> each gets the commit index of its time', () => {
    const net = new Network({ size: 2, all: { voters: [1], learners: [2] } });
    net.campaign(1);
    readInTurn(net, [1, 2, 1, 2]);
  });

  test('R-51: new leader behind its voters -> no answer before it committed in its own term', () => {
    const behind = (commit: number): MemberSetup => {
      return { terms: [1, 1], hardState: { term: 1, vote: 0, commit }, applied: commit };
    };
    const net = new Network({ size: 3, members: { 1: behind(1), 2: behind(2), 3: behind(2) } });
    net.ignore('append-request');
    net.campaign(1);
    expect(net.at(1).role).toBe('leader');
    const first = net.read(1);
    expect(net.at(1).reads).toEqual([]);
    net.heal();
    net.at(1).tick();
    net.propose(1, 'x');
    expect(net.at(1).commit).toBe(4);
    expect(net.at(1).reads).toEqual([{ readId: first, index: 4 }]);
    const second = net.read(1);
    expect(net.at(1).reads).toEqual([
      { readId: first, index: 4 },
      { readId: second, index: 4 },
    ]);
  });

  test('R-52: deposed leader, repeated request and old answers arrive -> confirm no later read', () => {
    const net = new Network({ size: 3 });
    net.campaign(1);
    const late: PeerMessage[] = [];
    net.hook = (message) => {
      if (message.kind === 'heartbeat-response') late.push(message);
      return message.kind !== 'heartbeat-response';
    };
    const readId = net.read(2);
    expect(late).toHaveLength(2);
    net.heal();
    net.tick(1);
    expect(net.at(2).reads).toEqual([{ readId, index: 1 }]);
    net.isolate(1);
    net.campaign(2);
    net.propose(2, 'acknowledged');
    expect(net.at(2).commit).toBe(3);
    expect(net.at(1).node.status()).toMatchObject({ role: 'leader', term: 1, commit: 1 });
    net.read(1);
    net.heal();
    const old = net.at(1);
    old.step({ kind: 'read-request', from: 2, to: 1, term: 1, readId });
    for (const message of late) old.step(message);
    expect(only('read-response', old.flush())).toEqual([]);
    expect(old.reads).toEqual([]);
    net.settle();
    net.tick(1, 3);
    expect(old.reads).toEqual([]);
    expect(net.at(2).reads).toHaveLength(1);
  });
});

describe('lease reads', () => {
  test('R-50: leases by answered send times (O3) -> the same indexes; the leader asks nobody', () => {
    const leases = { checkQuorum: true, leaseMs: 50 };
    const net = new Network({ size: 3, all: leases });
    // A member that has just started may have pledged before: it waits an election timeout.
    for (const member of net.members) {
      member.core.electionTimeout = 19;
      member.tick(10);
    }
    net.campaign(1);
    let nowMs = 1_000;
    let expected = 1;
    for (const reader of [1, 2, 3, 1, 2, 3]) {
      for (let at = 0; at < 10; at += 1) net.propose(1, 'x');
      expected += 10;
      nowMs += 10;
      net.at(1).tick(1, nowMs);
      net.settle();
      let asked = 0;
      net.hook = ({ kind }) => {
        if (kind === 'heartbeat-request') asked += 1;
        return true;
      };
      const readId = net.read(reader, nowMs + 5);
      const byLease = reader === 1 ? { byLease: true } : {};
      expect(net.at(reader).reads.splice(0)).toEqual([{ readId, index: expected, ...byLease }]);
      // Only the leader itself knows what time it is for its lease: others are always confirmed.
      expect(asked).toBe(reader === 1 ? 0 : 2);
    }
  });
});
