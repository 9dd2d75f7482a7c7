/** Handing leadership over: when it succeeds, what ends it, and what the leader refuses meanwhile. */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../../src/raft/index.js';
import { Member, type MemberSetup } from './member.js';
import { Network } from './network.js';

/** Three members, 1 leads. */
function group(all: MemberSetup = {}): Network {
  const net = new Network({ size: 3, all });
  net.campaign(1);
  expect(net.roles).toEqual(['leader', 'follower', 'follower']);
  return net;
}

/** Three members; 1 leads and waits for 3, which nobody reaches. */
function pendingToThird(): Network {
  const net = group();
  net.isolate(3);
  net.transfer(1, 3);
  expectPending(net);
  return net;
}

function expectPending(net: Network): void {
  expect(net.at(1).node.status()).toMatchObject({ role: 'leader', transferee: 3 });
}

/** Nobody is handed over to, and `leader` leads all that are not cut off. */
function expectLed(net: Network, leader: number, ids: readonly number[] = [1, 2, 3]): void {
  for (const id of ids) {
    const role = id === leader ? 'leader' : 'follower';
    expect(net.at(id).node.status()).toMatchObject({ role, leader, transferee: 0 });
  }
}

function thereAndBack(net: Network, askedThere: number, askedBack: number): void {
  net.transfer(askedThere, 2);
  expectLed(net, 2);
  net.propose(1, 'between');
  net.transfer(askedBack, 1);
  expectLed(net, 1);
  expect(net.at(3).data).toContain('between');
}

describe('succeeds', () => {
  test('R-81: to a member that has everything, and back -> each leads in turn', () => {
    thereAndBack(group(), 1, 2);
  });

  test('R-82: the request given to followers -> passed on, the same', () => {
    thereAndBack(group(), 2, 1);
  });

  test('R-83: quorum check everywhere -> succeeds inside the lease', () => {
    thereAndBack(group({ checkQuorum: true }), 1, 2);
  });

  test('R-84: to a member that missed an entry -> brought up to date, then leads', () => {
    const net = group();
    net.isolate(3);
    net.propose(1, 'missed');
    net.heal();
    expect(net.at(1).progress(3).match).toBe(1);
    net.transfer(1, 3);
    expectLed(net, 3);
    expect(net.at(3).data).toContain('missed');
  });

  test('R-85: to a member that needs a snapshot -> waits for its acknowledgement, then it leads', () => {
    const net = group();
    net.isolate(3);
    net.propose(1, 'compacted');
    const leader = net.at(1);
    leader.disk.compact(leader.core.log.applied, leader.node.configuration);
    net.heal();
    expect(leader.progress(3).match).toBe(1);
    const held: PeerMessage[] = [];
    net.hook = (message) => {
      const isAck = message.kind === 'append-response' && message.hint === undefined;
      if (isAck && message.from === 3) held.push(message);
      return !isAck || message.from !== 3;
    };
    net.transfer(1, 3);
    expectPending(net);
    expect(net.at(3).disk.snapshot?.last.index).toBe(2);
    expect(held).toHaveLength(1);
    net.heal();
    net.send(...held);
    expectLed(net, 3);
  });

  test('R-94: waiting for a silent member, transfer to another -> the other leads', () => {
    const net = pendingToThird();
    net.transfer(1, 2);
    expectLed(net, 2, [1, 2]);
  });
});

describe('does nothing', () => {
  test('R-86: to oneself -> nothing', () => {
    const net = group();
    net.transfer(1, 1);
    expectLed(net, 1);
    expect(net.terms).toEqual([1, 1, 1]);
  });

  test('R-87: to an unknown id -> nothing', () => {
    const net = group();
    net.transfer(1, 4);
    expectLed(net, 1);
    net.propose(1, 'goes on');
    expect(net.commits).toEqual([2, 2, 2]);
  });

  test('R-96: member outside its configuration is told to campaign -> stays follower', () => {
    const member = new Member({ voters: [2, 3, 4] });
    // From its leader, so that it is not refused for its sender (O11).
    const envelope = { from: 2, to: 1, term: 1 };
    member.step({ kind: 'heartbeat-request', ...envelope, commit: 0, reads: 0, sentAt: 0 });
    member.step({ kind: 'timeout-now', ...envelope });
    for (const from of [2, 3]) member.vote(from);
    expect(member.node.status()).toMatchObject({ role: 'follower', term: 1, vote: 0 });
    expect(member.flush().map(({ kind }) => kind)).toEqual(['heartbeat-response']);
  });
});

describe('ends', () => {
  test('R-88: silent member -> still waits after a heartbeat, aborted after an election timeout', () => {
    const net = group();
    net.isolate(3);
    // The time that counts is that of the transfer, wherever the leader was in its own.
    net.tick(1, 5);
    net.transfer(1, 3);
    net.tick(1);
    expectPending(net);
    net.tick(1, 8);
    expectPending(net);
    net.tick(1);
    expectLed(net, 1, [1, 2]);
    net.propose(1, 'goes on');
    expect(net.at(2).commit).toBe(2);
  });

  test('R-89: waiting -> proposals are dropped, nothing is appended', () => {
    const net = pendingToThird();
    const before = net.at(1).node.status();
    const dropped = expect.objectContaining({ code: 'PROPOSAL_DROPPED' });
    expect(() => net.propose(1, 'dropped')).toThrow(dropped);
    expect(net.at(1).node.status()).toEqual(before);
  });

  test('R-90: waiting, another campaigns -> follows it, waits no more', () => {
    const net = pendingToThird();
    net.campaign(2);
    expectLed(net, 2, [1, 2]);
    expect(net.at(1).term).toBe(2);
  });

  test('R-91: the order to campaign was lost, the member is removed -> aborted', () => {
    const net = group();
    net.ignore('timeout-now');
    net.transfer(1, 3);
    expectPending(net);
    net.at(1).do((node) => node.applyConfChange({ type: 'remove', memberId: 3 }));
    expect(net.at(1).node.status()).toMatchObject({ role: 'leader', transferee: 0 });
  });

  test('R-92: the order to campaign was lost, the member is demoted -> aborted', () => {
    const net = group();
    net.ignore('timeout-now');
    net.transfer(1, 3);
    expectPending(net);
    const changes = [
      { type: 'remove', memberId: 3 },
      { type: 'add-learner', memberId: 3 },
    ] as const;
    net.at(1).do((node) => node.applyConfChange({ transition: 'auto', changes }));
    net.at(1).do((node) => node.applyConfChange({ transition: 'auto', changes: [] }));
    expect(net.at(1).node.configuration).toMatchObject({ voters: [1, 2], learners: [3] });
    expect(net.at(1).node.status()).toMatchObject({ role: 'leader', transferee: 0 });
  });

  test('R-93: waiting, transfer to oneself -> aborted', () => {
    const net = pendingToThird();
    net.transfer(1, 1);
    expectLed(net, 1, [1, 2]);
  });

  test('R-95: waiting, asked again -> aborted on the first deadline', () => {
    const net = pendingToThird();
    net.tick(1);
    net.transfer(1, 3);
    net.tick(1, 8);
    expectPending(net);
    net.tick(1);
    expectLed(net, 1, [1, 2]);
  });

  test('waiting, the member and the leader itself are removed -> aborted, though the leader goes on', () => {
    const member = new Member().lead();
    member.do((node) => node.transferLeader(3));
    const changes = [
      { type: 'remove', memberId: 1 },
      { type: 'remove', memberId: 3 },
    ] as const;
    member.do((node) => node.applyConfChange({ transition: 'auto', changes }));
    member.do((node) => node.applyConfChange({ transition: 'auto', changes: [] }));
    expect(member.node.status()).toMatchObject({ role: 'leader', transferee: 0 });
  });
});
