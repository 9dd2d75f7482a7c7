/** Sentences of the Raft paper, §5.3 and §5.4.2: replication and commitment. */
import { describe, expect, test } from 'vitest';
import type { AppendRequest, Entry, LogId } from '../../../src/raft/index.js';
import { entriesOf } from '../member-store.js';
import { Member, only } from './member.js';
import { Network } from './network.js';

function append(
  term: number,
  previous: LogId,
  terms: readonly number[],
  commit = 0,
): AppendRequest {
  const entries = entriesOf(terms, previous.index + 1);
  return { kind: 'append-request', from: 2, to: 1, term, previous, entries, commit };
}

/** Leads with its empty entry committed. */
function leader(setup: ConstructorParameters<typeof Member>[0] = {}): Member {
  const member = new Member(setup).lead();
  const { voters } = member.node.configuration;
  for (const id of voters) if (id !== 1) member.ack(id, member.lastIndex);
  expect(member.commit).toBe(member.lastIndex);
  return member;
}

describe('the leader appends', () => {
  test('P-11: committed empty entry, proposal -> appended, sent to both, offered for writing', () => {
    const member = leader();
    const li = member.lastIndex;
    member.propose('some data');
    expect(member.node.status()).toMatchObject({ lastIndex: li + 1, commit: li });
    const data = new TextEncoder().encode('some data');
    const entry: Entry = { term: 1, index: li + 1, type: 'normal', data };
    const { messages, append: write } = member.ready();
    const sent = { kind: 'append-request', from: 1, term: 1, previous: { index: li, term: 1 } };
    expect(messages).toEqual([
      { ...sent, to: 2, entries: [entry], commit: li },
      { ...sent, to: 3, entries: [entry], commit: li },
    ]);
    expect(write?.entries).toEqual([entry]);
  });

  test('P-12: both accept -> committed, applied, and the next appends say so', () => {
    const member = leader();
    const li = member.lastIndex;
    member.propose('some data');
    member.flush();
    const { term } = member;
    for (const from of [2, 3]) {
      member.step({ kind: 'append-response', from, to: 1, term, index: li + 1 });
    }
    expect(member.commit).toBe(li + 1);
    const { messages, apply } = member.ready();
    expect(apply?.entries.map((entry) => entry.index)).toEqual([li + 1]);
    const sent = only('append-request', messages);
    expect(sent.map(({ to, commit }) => [to, commit])).toEqual([
      [2, li + 1],
      [3, li + 1],
    ]);
  });

  test.each([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [5, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4], true],
    [5, [2, 3, 4, 5], true],
  ])('P-13: %d voters, %j accept -> committed %s', (size, acceptors, committed) => {
    const member = leader({ voters: Array.from({ length: size }, (_, at) => at + 1) });
    member.propose('x');
    member.flush();
    const index = member.lastIndex;
    for (const id of acceptors) member.ack(id, index);
    expect(member.commit >= index).toBe(committed);
  });

  test.each([[[]], [[2]], [[1, 2]], [[1]]])(
    'P-14: stored log %j, leads term 3, proposal accepted -> old entries, empty one, proposal',
    (terms) => {
      const member = new Member({ terms, hardState: { term: 2, vote: 0, commit: 0 } }).lead();
      expect(member.term).toBe(3);
      member.propose('new');
      member.flush();
      for (const id of [2, 3]) member.ack(id, member.lastIndex);
      const old = terms.map((term, at) => `${at + 1}@${term}`);
      expect(member.data).toEqual([...old, '', 'new']);
      expect(member.applied.map((entry) => entry.index)).toEqual(
        Array.from({ length: terms.length + 2 }, (_, at) => at + 1),
      );
    },
  );

  test.each([
    [1, 0],
    [2, 0],
    [3, 3],
  ])(
    'P-21: log [1,2], leads term 3 of two, acknowledged up to %d -> commit %d',
    (index, commit) => {
      const member = new Member({ voters: [1, 2], terms: [1, 2] }).lead();
      member.propose('x');
      member.flush();
      member.ack(2, index);
      expect(member.commit).toBe(commit);
    },
  );
});

describe('the follower takes over', () => {
  test.each([
    [[1], 1],
    [[1, 1], 2],
    [[1, 1], 1],
  ])('P-15: entries %j, commit %d -> exactly that prefix is applied', (terms, commit) => {
    const member = new Member({ hardState: { term: 1, vote: 0, commit: 0 } });
    member.become('follower', 2);
    member.step(append(1, { index: 0, term: 0 }, terms, commit));
    member.flush();
    expect(member.commit).toBe(commit);
    expect(member.applied).toEqual(entriesOf(terms).slice(0, commit));
  });

  test.each([
    [0, 0, { index: 1 }],
    [1, 1, { index: 1 }],
    [2, 2, { index: 2 }],
    [1, 2, { index: 2, hint: { index: 1, term: 1 } }],
    [3, 3, { index: 3, hint: { index: 2, term: 2 } }],
  ])('P-16: log [1,2], previous term %d index %d -> answer %j', (term, index, answer) => {
    const member = new Member({ terms: [1, 2], hardState: { term: 2, vote: 0, commit: 1 } });
    member.step(append(2, { term, index }, []));
    expect(member.flush()).toEqual([
      { kind: 'append-response', from: 1, to: 2, term: 2, ...answer },
    ]);
  });

  test.each([
    [{ term: 2, index: 2 }, [3], [1, 2, 3], [3]],
    [{ term: 1, index: 1 }, [3, 4], [1, 3, 4], [3, 4]],
    [{ term: 0, index: 0 }, [1], [1, 2], []],
    [{ term: 0, index: 0 }, [3], [3], [3]],
  ])(
    'P-17: log [1,2], previous %j with %j -> log %j, written %j',
    (previous, terms, log, written) => {
      const member = new Member({ terms: [1, 2] });
      member.step(append(Math.max(2, ...terms), previous, terms));
      expect(member.ready().append?.entries.map((entry) => entry.term)).toEqual(written);
      member.flush();
      expect(member.disk.terms).toEqual(log);
    },
  );

  const figure7 = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  test.each(Object.entries(figure7))(
    'P-18: figure 7 (%s), follower with log %j -> ends with the log of the leader',
    (_, terms) => {
      const leading = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
      const net = new Network({
        size: 3,
        silent: [3],
        members: {
          1: { terms: leading, hardState: { term: 8, vote: 0, commit: leading.length } },
          2: { terms, hardState: { term: 7, vote: 0, commit: 0 } },
        },
      });
      net.campaign(1);
      net.send({ kind: 'vote-response', from: 3, to: 1, term: 9, granted: true });
      expect(net.at(1).node.status()).toMatchObject({ role: 'leader', term: 9 });
      net.propose(1, 'x');
      expect(net.at(1).disk.terms).toEqual([...leading, 9, 9]);
      expect(net.at(2).disk.log).toEqual(net.at(1).disk.log);
      expect(net.at(2).commit).toBe(12);
    },
  );
});
