/** Quorum checks: leaders that hear nobody step down, followers that hear a leader stand by it. */
import { describe, expect, test } from 'vitest';
import type { HeartbeatRequest } from '../../../src/raft/index.js';
import { Member } from './member.js';
import { Network } from './network.js';

const all = { checkQuorum: true };

function heartbeat(from: number, to: number, term: number): HeartbeatRequest {
  return { kind: 'heartbeat-request', from, to, term, commit: 0, reads: 0, sentAt: 0 };
}

describe('the leader', () => {
  test('R-40: one of two peers answers before every tick -> stays leader', () => {
    const member = new Member(all).lead();
    for (let tick = 0; tick < 11; tick += 1) {
      member.heard(2);
      member.tick();
    }
    expect(member.node.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  test('R-41: an election timeout and a tick of silence -> follower of the same term', () => {
    const member = new Member(all).lead();
    member.tick(11);
    expect(member.node.status()).toMatchObject({ role: 'follower', term: 1, leader: 0 });
  });

  test('R-76: a member added one tick before the check -> stays, and steps down one check later', () => {
    const net = new Network({ size: 1, all });
    net.campaign(1);
    const member = net.at(1);
    member.tick(9);
    member.do((node) => node.applyConfChange({ type: 'add-voter', memberId: 2 }));
    member.tick();
    expect(member.role).toBe('leader');
    member.tick(10);
    expect(member.role).toBe('follower');
  });
});

describe('the others', () => {
  /** Time passes for a member that does not campaign; what it says is lost. */
  function silence(net: Network, id: number, ticks: number): void {
    const { core } = net.at(id);
    if (core.role !== 'leader') core.electionTimeout = 19;
    net.at(id).tick(ticks);
    net.at(id).flush();
  }

  test('R-42: campaign under a live leader -> ignored, until a follower has not heard from it', () => {
    const net = new Network({ size: 3, all });
    net.campaign(1);
    expect(net.roles).toEqual(['leader', 'follower', 'follower']);
    net.campaign(3);
    expect(net.roles).toEqual(['leader', 'follower', 'candidate']);
    silence(net, 2, 10);
    net.campaign(3);
    expect(net.at(3).role).toBe('leader');
  });

  test('R-43: fresh group -> the first campaign wins at once, the next after an election timeout', () => {
    const net = new Network({ size: 3, all });
    net.campaign(1);
    expect(net.roles).toEqual(['leader', 'follower', 'follower']);
    silence(net, 1, 10);
    expect(net.at(1).role).toBe('leader');
    silence(net, 2, 10);
    net.campaign(3);
    expect(net.roles).toEqual(['follower', 'follower', 'leader']);
  });

  test('R-44: candidate stuck in later terms hears the old leader -> frees itself, then leads', () => {
    const net = new Network({ size: 3, all });
    net.campaign(1);
    net.isolate(1);
    for (const term of [2, 3]) {
      net.campaign(3);
      expect(net.at(2).node.status()).toMatchObject({ role: 'follower', term: 1 });
      expect(net.at(3).node.status()).toMatchObject({ role: 'candidate', term });
    }
    net.heal();
    net.send(heartbeat(1, 3, 1));
    expect(net.at(1).node.status()).toMatchObject({ role: 'follower', term: 3 });
    net.campaign(3);
    expect(net.at(3).role).toBe('leader');
  });

  test('R-45: member that applied its own removal -> never campaigns, follows the leader', () => {
    const net = new Network({ size: 2, all });
    const removed = net.at(2);
    removed.do((node) => node.applyConfChange({ type: 'remove', memberId: 2 }));
    expect(removed.core.promotable).toBe(false);
    net.tick(2, 40);
    expect(removed.node.status()).toMatchObject({ role: 'follower', term: 0 });
    net.campaign(1);
    expect(net.roles).toEqual(['leader', 'follower']);
    expect(removed.node.status().leader).toBe(1);
  });

  test('R-46: follower times out just before a late heartbeat -> the leader steps down at its term', () => {
    const net = new Network({ size: 3, all });
    net.campaign(1);
    net.tick(3, net.at(3).core.electionTimeout);
    expect(net.roles).toEqual(['leader', 'follower', 'candidate']);
    expect(net.terms).toEqual([1, 1, 2]);
    net.send(heartbeat(1, 3, 1));
    expect(net.roles).toEqual(['follower', 'follower', 'candidate']);
    expect(net.terms).toEqual([2, 1, 2]);
  });

  test('R-47: the same with pre-vote and a lagging member -> the leader stays', () => {
    const hardState = { term: 1, vote: 0, commit: 0 };
    const net = new Network({ size: 3, all: { ...all, preVote: true, hardState } });
    net.campaign(1);
    net.isolate(3);
    for (const command of ['a', 'b', 'c']) net.propose(1, command);
    net.heal();
    net.campaign(3);
    expect(net.roles).toEqual(['leader', 'follower', 'pre-candidate']);
    expect(net.terms).toEqual([2, 2, 2]);
    net.send(heartbeat(1, 3, 2));
    expect(net.at(1).role).toBe('leader');
    expect(net.terms).toEqual([2, 2, 2]);
  });
});
