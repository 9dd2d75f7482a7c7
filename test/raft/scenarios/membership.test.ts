/** Members that come, go and change their capacity: what it does to proposals and to elections. */
import { describe, expect, test } from 'vitest';
import type { ConfChange, ConfChangeV2 } from '../../../src/raft/index.js';
import { Member } from './member.js';
import { Network } from './network.js';

const addThird: ConfChange = { type: 'add-voter', memberId: 3 };

describe('proposing a change', () => {
  test('R-72: leader of two -> appended, and the pending index is its index', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    const index = member.lastIndex + 1;
    member.do((node) => node.proposeConfChange(addThird));
    expect(member.lastIndex).toBe(index);
    expect(member.core.pendingConfIndex).toBe(index);
    member.flush();
    expect(member.disk.log.map(({ type }) => type)).toEqual(['normal', 'config-change']);
  });

  test('R-73: another before the first is applied -> an empty entry, pending index unchanged', () => {
    const member = new Member({ voters: [1, 2] }).lead();
    member.do((node) => node.proposeConfChange(addThird));
    const pending = member.core.pendingConfIndex;
    member.do((node) => node.proposeConfChange({ type: 'add-voter', memberId: 4 }));
    member.flush();
    expect(member.disk.log[pending]).toMatchObject({ type: 'normal', data: new Uint8Array(0) });
    expect(member.lastIndex).toBe(pending + 1);
    expect(member.core.pendingConfIndex).toBe(pending);
  });

  test.each([
    [[], 0],
    [[1], 1],
  ])('R-74: log %j, becomes leader -> pending index %d', (terms, pending) => {
    const member = new Member({ voters: [1, 2], terms }).lead();
    expect(member.core.pendingConfIndex).toBe(pending);
  });
});

describe('applying a change', () => {
  const apply = (member: Member, change: ConfChange | ConfChangeV2) => {
    member.do((node) => node.applyConfChange(change));
    const { voters, learners } = member.node.configuration;
    return { voters, learners, isLearner: member.isLearner };
  };

  test('R-75: voter added -> member', () => {
    const member = new Member({ voters: [1] });
    const expected = { voters: [1, 2], learners: [], isLearner: false };
    expect(apply(member, { type: 'add-voter', memberId: 2 })).toEqual(expected);
    expect([...member.core.progress.keys()]).toEqual([1, 2]);
  });

  test('R-75: learner added and promoted, self demoted and promoted -> flags follow', () => {
    const member = new Member({ voters: [1] });
    const learner = { voters: [1], learners: [2], isLearner: false };
    expect(apply(member, { type: 'add-learner', memberId: 2 })).toEqual(learner);
    const both = { voters: [1, 2], learners: [], isLearner: false };
    expect(apply(member, { type: 'add-voter', memberId: 2 })).toEqual(both);
    const demoted = { voters: [2], learners: [1], isLearner: true };
    expect(apply(member, { type: 'add-learner', memberId: 1 })).toEqual(demoted);
    expect(apply(member, { type: 'add-voter', memberId: 1 })).toEqual(both);
  });

  test('R-75: removal, then removal of the last voter (O6) -> gone; refused, nothing changes', () => {
    const member = new Member({ voters: [1, 2] });
    const alone = { voters: [1], learners: [], isLearner: false };
    expect(apply(member, { type: 'remove', memberId: 2 })).toEqual(alone);
    const before = member.node.status();
    const refusal = expect.objectContaining({ code: 'CONFIGURATION_INVALID' });
    expect(() => apply(member, { type: 'remove', memberId: 1 })).toThrow(refusal);
    expect(member.node.status()).toEqual(before);
    member.node.check();
  });
});

describe('learners', () => {
  const all = { voters: [1], learners: [2] };

  test('R-7: learner, its election timeout passes -> stays follower', () => {
    const net = new Network({ size: 2, all });
    net.tick(2, 40);
    expect(net.at(2).node.status()).toMatchObject({ role: 'follower', term: 0 });
  });

  test('R-8: learner promoted on both, its election timeout passes -> leads, the other follows', () => {
    const net = new Network({ size: 2, all });
    net.tick(1, net.at(1).core.electionTimeout);
    expect(net.roles).toEqual(['leader', 'follower']);
    for (const member of net.members) {
      member.do((node) => node.applyConfChange({ type: 'add-voter', memberId: 2 }));
    }
    expect(net.at(2).isLearner).toBe(false);
    net.tick(2, net.at(2).core.electionTimeout);
    expect(net.roles).toEqual(['follower', 'leader']);
  });

  test('R-9: learner is asked for a vote -> grants it', () => {
    const member = new Member({ ...all, id: 2, hardState: { term: 1, vote: 0, commit: 0 } });
    const last = { term: 11, index: 11 };
    member.step({ kind: 'vote-request', from: 1, to: 2, term: 2, last });
    expect(member.flush()).toEqual([
      { kind: 'vote-response', from: 2, to: 1, term: 2, granted: true },
    ]);
  });

  test('R-100: learner is told to campaign, by its driver and by its leader -> follower', () => {
    const net = new Network({ size: 2, all });
    net.campaign(2);
    expect(net.at(2).node.status()).toMatchObject({ role: 'follower', term: 0 });
    net.campaign(1);
    expect(net.roles).toEqual(['leader', 'follower']);
    net.send({ kind: 'timeout-now', from: 1, to: 2, term: 1 });
    expect(net.at(2).node.status()).toMatchObject({ role: 'follower', term: 1, leader: 1 });
  });
});

describe('a change that is committed and not applied', () => {
  const removal = { type: 'remove', memberId: 2 } as const;
  const changes: [string, ConfChange | ConfChangeV2][] = [
    ['V1', removal],
    ['V2', { transition: 'auto', changes: [removal] }],
  ];

  test('removal of 2 that the leader has not applied -> nobody hears of it, of the next leader neither', () => {
    const net = new Network({ size: 3 });
    net.campaign(1);
    net.at(1).holdApplies = true;
    net.at(1).do((node) => node.proposeConfChange(removal));
    net.settle();
    // Neither with entries behind it, nor with heartbeats.
    net.at(1).do((node) => node.propose([new Uint8Array(1)]));
    net.settle();
    net.tick(1, 3);
    expect(net.commits).toEqual([3, 1, 1]);
    net.at(3).holdApplies = true;
    net.transfer(1, 3);
    net.tick(3, 3);
    expect(net.roles).toEqual(['follower', 'follower', 'leader']);
    expect(net.commits).toEqual([3, 1, 4]);
    net.at(3).holdApplies = false;
    net.settle();
    // Who was removed is told by whoever it asks.
    expect(net.commits).toEqual([4, 1, 4]);
  });

  test('joint while leadership is on its way to one that does not take over -> left without anything else', () => {
    const net = new Network({ size: 3 });
    net.campaign(1);
    net.at(1).holdApplies = true;
    net
      .at(1)
      .do((node) => node.proposeConfChange({ transition: 'joint-implicit', changes: [removal] }));
    net.settle();
    net.ignore('timeout-now');
    net.transfer(1, 3);
    net.at(1).holdApplies = false;
    net.settle();
    expect(net.at(1).node.configuration.votersOutgoing).toEqual([1, 2, 3]);
    net.tick(1, 20);
    for (const id of [1, 3]) {
      expect(net.at(id).node.configuration).toMatchObject({ voters: [1, 3], votersOutgoing: [] });
    }
  });

  // A leader of two that crashed before it had applied its own removal knew of the commit when it came back,
  // applied it, and stopped for good; the other, which had not heard, waited for it for ever.
  test('removal of the leader, not applied -> the others hear of it at once, of one that it inherited, too', () => {
    const removeFirst = { type: 'remove', memberId: 1 } as const;
    const own = new Network({ size: 2 });
    own.campaign(1);
    own.at(1).holdApplies = true;
    own.at(1).do((node) => node.proposeConfChange(removeFirst));
    own.settle();
    expect(own.commits).toEqual([2, 2]);
    const inherited = new Network({ size: 2 });
    inherited.campaign(2);
    inherited.ignore('append-response');
    inherited.at(2).do((node) => node.proposeConfChange(removeFirst));
    inherited.settle();
    expect(inherited.commits).toEqual([1, 1]);
    inherited.heal();
    inherited.at(1).holdApplies = true;
    inherited.campaign(1);
    expect(inherited.roles).toEqual(['leader', 'follower']);
    expect(inherited.commits).toEqual([3, 3]);
  });

  test('one in the log that nobody can make -> its leader leads, and the next one does', () => {
    const net = new Network({ size: 3, all: { disableConfChangeValidation: true } });
    for (const member of net.members) member.acceptsChanges = false;
    net.campaign(1);
    net.at(1).holdApplies = true;
    const proposals = [{ type: 'config-change', data: new Uint8Array(1) }] as const;
    net.send({ kind: 'propose-request', from: 2, to: 1, term: 0, proposals });
    expect(net.commits).toEqual([2, 2, 2]);
    net.transfer(1, 3);
    expect(net.roles).toEqual(['follower', 'follower', 'leader']);
    expect(net.commits).toEqual([3, 3, 3]);
  });

  test('two removals under way, unchecked -> nobody hears of the first before the leader has applied both', () => {
    const net = new Network({ size: 3, all: { disableConfChangeValidation: true } });
    net.campaign(1);
    net.at(1).holdApplies = true;
    for (const memberId of [2, 3]) {
      net.at(1).do((node) => node.proposeConfChange({ type: 'remove', memberId }));
      net.settle();
    }
    expect(net.commits).toEqual([3, 1, 1]);
  });

  test('removal of the leader -> the others hear of it before it steps down', () => {
    const net = new Network({ size: 3, all: { stepDownOnRemoval: true } });
    net.campaign(1);
    net.at(1).do((node) => node.proposeConfChange({ type: 'remove', memberId: 1 }));
    net.settle();
    expect(net.roles).toEqual(['follower', 'follower', 'follower']);
    expect(net.commits).toEqual([2, 2, 2]);
  });

  test.each(changes)(
    'R-103: removal of 2 in %s -> nobody campaigns before applying it',
    (_, change) => {
      const net = new Network({ size: 3 });
      // The application turns the change down in the end; until then only the leader has applied it,
      // without which it would not tell the others that it is committed.
      for (const member of net.members) member.acceptsChanges = false;
      net.campaign(1);
      for (const id of [2, 3]) net.at(id).holdApplies = true;
      net.at(1).do((node) => node.proposeConfChange(change));
      net.settle();
      expect(net.commits).toEqual([2, 2, 2]);
      const applyOn = (id: number) => {
        net.at(id).holdApplies = false;
        net.at(id).flush();
        expect(net.at(id).core.log.applied).toBe(net.at(id).commit);
      };

      net.tick(2, 40);
      expect(net.at(2).node.status()).toMatchObject({ role: 'follower', term: 1 });
      net.transfer(1, 2);
      expect(net.roles).toEqual(['leader', 'follower', 'follower']);
      net.tick(1, 10);
      expect(net.at(1).core.transferee).toBe(0);

      applyOn(2);
      net.transfer(1, 2);
      expect(net.roles).toEqual(['follower', 'leader', 'follower']);
      applyOn(3);
      net.at(3).tick(net.at(3).core.electionTimeout);
      expect(net.at(3).role).toBe('candidate');
    },
  );
});
