// What a driver may say about its member: that it had better not campaign, or not lead.
import { describe, expect, test } from 'vitest';
import { LoneNode } from './lone-node.js';

/** Member 1 of three, which leads term 1. */
function leader(): LoneNode {
  const lone = new LoneNode();
  lone.node.campaign();
  lone.flush();
  lone.step({ kind: 'vote-response', from: 2, to: 1, term: 1, granted: true });
  lone.flush();
  expect(lone.node.role).toBe('leader');
  return lone;
}

describe('a member that may not campaign', () => {
  test('its timer runs out, it is asked to, its leader hands over -> it does nothing', () => {
    const lone = new LoneNode({ electionTicks: 10 });
    lone.node.mayCampaign = false;
    lone.tick(100);
    lone.node.campaign();
    lone.step({
      ...{ kind: 'heartbeat-request', from: 2, to: 1, term: 1, commit: 0, reads: 0, sentAt: 0 },
    } as const);
    lone.step({ kind: 'timeout-now', from: 2, to: 1, term: 1 });
    const kinds = lone.flush().map(({ kind }) => kind);
    expect(kinds).toEqual(['heartbeat-response']);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 1 });
  });

  test('it votes for others', () => {
    const lone = new LoneNode();
    lone.node.mayCampaign = false;
    lone.step({ kind: 'vote-request', from: 3, to: 1, term: 1, last: { term: 0, index: 0 } });
    expect(lone.flush()).toMatchObject([{ kind: 'vote-response', granted: true }]);
  });

  test('it may again -> with the next end of its timer', () => {
    const lone = new LoneNode({ electionTicks: 10 });
    lone.node.mayCampaign = false;
    lone.tick(100);
    lone.node.mayCampaign = true;
    lone.tick(1);
    expect(lone.node.role).toBe('candidate');
  });

  test('a leader stays one', () => {
    const lone = leader();
    lone.node.mayCampaign = false;
    lone.tick(1);
    expect(lone.node.role).toBe('leader');
  });
});

describe('stepDown', () => {
  test('a leader -> a follower of nobody, in the same term and with its vote', () => {
    const lone = leader();
    lone.node.transferLeader(3);
    lone.node.stepDown();
    lone.node.check();
    const status = lone.node.status();
    expect(status).toMatchObject({ role: 'follower', leader: 0, term: 1, vote: 1, transferee: 0 });
    expect(() => lone.propose('a')).toThrow(expect.objectContaining({ code: 'NOT_LEADER' }));
    // Somebody else may win a later term, and this one may, too.
    lone.step({ kind: 'vote-request', from: 3, to: 1, term: 2, last: { term: 1, index: 1 } });
    expect(lone.flush()).toMatchObject([{ kind: 'vote-response', granted: true, term: 2 }]);
  });

  test('a follower, a candidate -> nothing', () => {
    const lone = new LoneNode();
    lone.node.stepDown();
    expect(lone.node.hasReady()).toBe(false);
    lone.node.campaign();
    lone.node.stepDown();
    expect(lone.node.role).toBe('candidate');
  });
});

test('durableIndex: what the storage has confirmed, and no more', () => {
  const lone = leader();
  lone.propose('a', 'b');
  const before = lone.node.status();
  lone.ready();
  expect(lone.node.status().durableIndex).toBe(before.durableIndex);
  lone.completeAppend();
  expect(lone.node.status()).toMatchObject({ durableIndex: 3, lastIndex: 3 });
});
