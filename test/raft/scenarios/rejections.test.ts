/** What a follower makes of appends and heartbeats, and how the leader finds where two logs agree. */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../../src/raft/index.js';
import { entriesOf } from '../member-store.js';
import { Member, only } from './member.js';

const appends = (messages: readonly PeerMessage[]) => only('append-request', messages);

describe('follower', () => {
  test('R-27: stored term 2, append of term 1 -> ignored, its sender is told', () => {
    const member = new Member({ hardState: { term: 2, vote: 0, commit: 0 } });
    const previous = { index: 0, term: 0 };
    const append = { kind: 'append-request', from: 2, to: 1, term: 1, previous } as const;
    member.step({ ...append, entries: entriesOf([1]), commit: 1 });
    const told = { kind: 'append-response', from: 1, to: 2, term: 2, index: 0 };
    expect(member.flush()).toEqual([told]);
    expect(member.node.status()).toMatchObject({ term: 2, leader: 0, lastIndex: 0 });
  });

  test.each([
    [{ term: 3, index: 2 }, [], 3, undefined, undefined],
    [{ term: 3, index: 3 }, [], 3, undefined, undefined],
    [{ term: 1, index: 1 }, [], 1, 2, 1],
    [{ term: 0, index: 0 }, [2], 1, 1, 1],
    [{ term: 2, index: 2 }, [2, 2], 3, 4, 3],
    [{ term: 2, index: 2 }, [2], 4, 3, 3],
    [{ term: 1, index: 1 }, [2], 4, 2, 2],
    [{ term: 1, index: 1 }, [], 3, 2, 1],
    [{ term: 1, index: 1 }, [2], 3, 2, 2],
    [{ term: 2, index: 2 }, [], 3, 2, 2],
    [{ term: 2, index: 2 }, [], 4, 2, 2],
  ])(
    'R-28: log [1,2], previous %j, entries %j, commit %d -> last %s, commit %s',
    (previous, terms, commit, last, committed) => {
      const member = new Member({ terms: [1, 2] });
      const append = { kind: 'append-request', from: 2, to: 1, term: 2, previous } as const;
      member.step({ ...append, entries: entriesOf(terms, previous.index + 1), commit });
      expect(member.lastIndex).toBe(last ?? 2);
      expect(member.commit).toBe(committed ?? 0);
      const answers = only('append-response', member.flush());
      expect(answers).toHaveLength(1);
      expect(answers[0]?.hint !== undefined).toBe(last === undefined);
    },
  );

  test.each([
    [3, 3],
    [1, 2],
  ])(
    'R-29: log of 3, commit 2, heartbeat with commit %d -> commit %d, and an answer',
    (told, commit) => {
      const member = new Member({ terms: [1, 2, 3], hardState: { term: 3, vote: 0, commit: 2 } });
      const heartbeat = { kind: 'heartbeat-request', from: 2, to: 1, term: 3 } as const;
      member.step({ ...heartbeat, commit: told, reads: 0, sentAt: 0 });
      expect(member.commit).toBe(commit);
      expect(member.flush()).toEqual([
        { kind: 'heartbeat-response', from: 1, to: 2, term: 3, reads: 0, sentAt: 0 },
      ]);
    },
  );
});

describe('proposals that are passed on', () => {
  test('from the member it takes for the leader -> NOT_LEADER, not sent back to it', () => {
    const member = new Member({ id: 1 });
    const heartbeat = { kind: 'heartbeat-request', from: 2, to: 1, term: 1 } as const;
    member.step({ ...heartbeat, commit: 0, reads: 0, sentAt: 0 });
    member.flush();
    const proposals = [{ type: 'normal', data: new Uint8Array([1]) }] as const;
    const passedOn = { kind: 'propose-request', to: 1, term: 0, proposals } as const;
    expect(() => member.step({ ...passedOn, from: 2 })).toThrow(/leader/);
    expect(member.flush()).toEqual([]);
    member.step({ ...passedOn, from: 3 });
    expect(member.flush()).toMatchObject([{ kind: 'propose-request', from: 3, to: 2 }]);
  });
});

describe('leader', () => {
  type Case = [
    leading: readonly number[],
    following: readonly number[],
    rejected: readonly [term: number, index: number],
    next: readonly [term: number, index: number],
    compacted: number,
  ];
  const cases: readonly Case[] = [
    [[1, 2, 2, 4, 4, 4, 4], [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3], [3, 7], [2, 3], 0],
    [[1, 2, 2, 3, 4, 4, 4, 5], [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3], [3, 8], [3, 4], 0],
    [[1, 1, 1, 1], [1, 2, 2, 4], [1, 1], [1, 1], 0],
    [[1, 1, 1, 1, 1, 1], [1, 2, 2, 4], [1, 1], [1, 1], 0],
    [[1, 1, 1, 1], [1, 2, 2, 4, 4, 4], [1, 1], [1, 1], 0],
    [[1, 1, 1, 4, 5], [1, 1, 1, 4], [4, 4], [4, 4], 0],
    [[2, 5, 5, 5, 5, 5, 5, 5, 5], [2, 4, 4, 4, 4, 4], [4, 6], [2, 1], 0],
    [[2, 2, 2, 2, 2], [2, 4, 4, 4, 4, 4, 4, 4], [2, 1], [2, 1], 0],
    [[1, 1, 3], [1, 1, 3, 3, 3], [0, 3], [1, 2], 5],
  ];

  test.each(cases)(
    'R-104: leader %j, follower %j -> rejected with %j (term, index), next append at %j',
    (leading, following, rejected, next, compacted) => {
      const term = Math.max(...leading, ...following);
      const leader = new Member({ terms: leading, hardState: { term, vote: 0, commit: 0 } }).lead();
      const hardState = { term, vote: 1, commit: 0 };
      const follower = new Member({ id: 2, terms: following, hardState });
      if (compacted > 0) {
        // More than it may compact: what it asks about is gone, however that came to be.
        follower.checked = false;
        follower.disk.compact(compacted, follower.node.configuration);
      }
      leader.tick();
      const toFollower = (messages: readonly PeerMessage[]) => {
        const own = messages.filter(({ to }) => to === 2);
        expect(own).toHaveLength(1);
        return own[0]!;
      };
      follower.step(toFollower(leader.flush()));
      for (const answer of follower.flush()) leader.step(answer);
      follower.step(toFollower(leader.flush()));
      const [rejection] = only('append-response', follower.flush());
      expect([rejection?.hint?.term, rejection?.hint?.index]).toEqual(rejected);
      leader.step(rejection!);
      const [probe] = appends(leader.flush());
      expect([probe?.previous.term, probe?.previous.index]).toEqual(next);
    },
  );

  test('R-105: late rejection of a reordered append, peer unreachable meanwhile -> starts at the match', () => {
    const leader = new Member({ voters: [1, 2] }).lead();
    const follower = new Member({ id: 2, voters: [1, 2] });
    const exchange = (messages: readonly PeerMessage[]) => {
      for (const message of messages) follower.step(message);
      return only('append-response', follower.flush());
    };
    leader.tick();
    for (const message of leader.flush()) follower.step(message);
    for (const message of follower.flush()) leader.step(message);
    for (const message of exchange(leader.flush())) leader.step(message);
    leader.flush();
    expect(leader.progress(2)).toMatchObject({ state: 'replicate', match: 1 });
    leader.propose('one');
    const first = appends(leader.flush());
    leader.propose('two');
    const second = appends(leader.flush());
    const rejection = exchange(second);
    expect(rejection).toMatchObject([{ index: 2, hint: { index: 1, term: 1 } }]);
    for (const message of exchange(first)) leader.step(message);
    leader.flush();
    expect(leader.progress(2).match).toBe(2);
    leader.do((node) => node.reportUnreachable(2));
    for (const message of rejection) leader.step(message);
    leader.propose('three');
    const [next] = appends(leader.flush());
    expect(next?.previous).toEqual({ index: 2, term: 1 });
  });
});
