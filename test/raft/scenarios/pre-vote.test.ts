/** Pre-votes: members that come back, split votes, and a group in which not everybody asks first. */
import { describe, expect, test } from 'vitest';
import type { MemberSetup } from './member.js';
import { Network } from './network.js';

/** Everybody has seen term 1. */
const all: MemberSetup = { preVote: true, hardState: { term: 1, vote: 0, commit: 0 } };

describe('pre-vote', () => {
  test('R-97: member with an earlier term comes back as the leader goes -> there is a leader', () => {
    const net = new Network({ size: 3, all });
    net.isolate(3);
    net.campaign(1);
    net.campaign(3);
    net.campaign(2);
    expect(net.roles).toEqual(['follower', 'leader', 'pre-candidate']);
    expect(net.terms).toEqual([3, 3, 1]);
    net.heal();
    net.isolate(2);
    net.campaign(3);
    net.campaign(1);
    expect([net.at(1).role, net.at(3).role]).toContain('leader');
  });

  test('R-98: two campaign together without the leader -> split vote, the next campaign wins', () => {
    const net = new Network({ size: 3, all });
    net.campaign(1);
    net.isolate(1);
    net.campaign(2, 3);
    expect(net.roles.slice(1)).toEqual(['candidate', 'candidate']);
    expect(net.terms.slice(1)).toEqual([3, 3]);
    net.campaign(2);
    expect(net.roles.slice(1)).toEqual(['leader', 'follower']);
    expect(net.terms.slice(1)).toEqual([4, 4]);
  });

  test('R-99: quorum check too, the leader isolated, both others campaign -> one of them leads', () => {
    const net = new Network({ size: 3, all: { ...all, checkQuorum: true } });
    net.campaign(1);
    net.isolate(1);
    net.campaign(3);
    net.campaign(2);
    expect(net.roles.slice(1)).toContain('leader');
  });
});

describe('pre-vote switched on later', () => {
  /** 1 leads term 2, 2 follows, 3 is a candidate of term 4 with a shorter log that now asks first. */
  function migrated(): Network {
    const net = new Network({ size: 3, all, members: { 3: { ...all, preVote: false } } });
    net.campaign(1);
    net.isolate(3);
    net.propose(1, 'missed');
    net.campaign(3);
    net.campaign(3);
    expect(net.roles).toEqual(['leader', 'follower', 'candidate']);
    expect(net.terms).toEqual([2, 2, 4]);
    expect(net.logs.map((log) => log.length)).toEqual([2, 2, 1]);
    Object.assign(net.at(3).core.config, { preVote: true });
    net.heal();
    return net;
  }

  test('R-101: the leader goes -> 2 leads, or 3 follows', () => {
    const net = migrated();
    net.isolate(1);
    for (const id of [3, 2, 3, 2]) net.campaign(id);
    expect(net.at(2).role === 'leader' || net.at(3).role === 'follower').toBe(true);
    // And in the end somebody leads, whose log has everything.
    for (const id of [2, 3, 2]) net.campaign(id);
    expect(net.at(2).role).toBe('leader');
  });

  test('R-102: the candidate asks first, then hears the leader -> disturbs nobody, then is freed', () => {
    const net = migrated();
    for (let round = 0; round < 2; round += 1) {
      net.campaign(3);
      expect(net.roles).toEqual(['leader', 'follower', 'pre-candidate']);
      expect(net.terms).toEqual([2, 2, 4]);
    }
    const heartbeat = { kind: 'heartbeat-request', from: 1, to: 3, term: 2, commit: 0 } as const;
    net.send({ ...heartbeat, reads: 0, sentAt: 0 });
    expect(net.at(1).node.status()).toMatchObject({ role: 'follower', term: 4 });
    expect(net.at(3).term).toBe(4);
  });
});
