/** What a follower does with appends and heartbeats (semantics §8.3, §8.5). */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../src/raft/index.js';
import { LoneNode, type LoneOptions } from './lone-node.js';
import { entriesOf } from './member-store.js';

/** Steps an append of entries with these terms after `previous`; returns what is answered. */
function append(
  lone: LoneNode,
  fields: {
    readonly term: number;
    readonly previous: readonly [term: number, index: number];
    readonly terms?: readonly number[];
    readonly commit?: number;
  },
): PeerMessage[] {
  const [term, index] = fields.previous;
  lone.step({
    kind: 'append-request',
    from: 2,
    to: lone.id,
    term: fields.term,
    previous: { term, index },
    entries: entriesOf(fields.terms ?? [], index + 1),
    commit: fields.commit ?? 0,
  });
  return lone.flush();
}

function follower(terms: readonly number[], commit = 0, options: LoneOptions = {}): LoneNode {
  const term = terms[terms.length - 1] ?? 0;
  return new LoneNode({ ...options, terms, hardState: { term, vote: 0, commit } });
}

describe('append: accepted or not', () => {
  test.each([
    { previous: [0, 0], answer: { index: 1 } },
    { previous: [1, 1], answer: { index: 1 } },
    { previous: [2, 2], answer: { index: 2 } },
    { previous: [1, 2], answer: { index: 2, hint: { index: 1, term: 1 } } },
    { previous: [3, 3], answer: { index: 3, hint: { index: 2, term: 2 } } },
  ] as const)('P-16 log [1,2], commit 1, previous (term, index) $previous -> $answer', (row) => {
    const lone = follower([1, 2], 1);
    const answers = append(lone, { term: 2, previous: row.previous });
    const envelope = { kind: 'append-response', from: 1, to: 2, term: 2 };
    expect(answers).toEqual([{ ...envelope, ...row.answer }]);
  });

  test.each([
    { previous: [2, 2], terms: [3], log: [1, 2, 3], written: [3] },
    { previous: [1, 1], terms: [3, 4], log: [1, 3, 4], written: [2, 3] },
    { previous: [0, 0], terms: [1], log: [1, 2], written: [] },
    { previous: [0, 0], terms: [3], log: [3], written: [1] },
  ] as const)(
    'P-17 log [1,2], append $terms after $previous -> log $log, writes $written',
    (row) => {
      const lone = follower([1, 2]);
      const [term, index] = row.previous;
      const entries = entriesOf(row.terms, index + 1);
      const envelope = { from: 2, to: 1, term: 4, previous: { term, index }, commit: 0 };
      lone.step({ kind: 'append-request', ...envelope, entries });
      const { append: write } = lone.ready();
      expect(write?.entries.map((entry) => entry.index)).toEqual(row.written);
      expect(lone.terms).toEqual(row.log);
    },
  );

  test('S1 a tail that was not compared -> is not acknowledged', () => {
    const lone = follower([1, 1, 1, 1]);
    expect(append(lone, { term: 2, previous: [1, 1], terms: [1] })).toMatchObject([{ index: 2 }]);
    expect(append(lone, { term: 2, previous: [1, 1] })).toMatchObject([{ index: 1 }]);
    expect(lone.terms).toEqual([1, 1, 1, 1]);
  });

  test('S3 entries below the commit index -> acknowledged with the commit index, not compared', () => {
    const lone = follower([1, 1, 1], 3);
    expect(append(lone, { term: 2, previous: [2, 1], terms: [2] })).toEqual([
      { kind: 'append-response', from: 1, to: 2, term: 2, index: 3 },
    ]);
    expect(lone.terms).toEqual([1, 1, 1]);
  });

  test('P-17 in-flight entries replaced -> only what is durable is acknowledged, in order', () => {
    const lone = follower([1]);
    const envelope = { kind: 'append-request', from: 2, to: 1, commit: 0 } as const;
    const previous = { term: 1, index: 1 };
    lone.step({ ...envelope, term: 1, previous, entries: entriesOf([1, 1], 2) });
    lone.ready();
    lone.step({ ...envelope, from: 3, term: 2, previous, entries: entriesOf([2], 2) });
    lone.ready();
    expect(lone.completeAppend()).toMatchObject([{ to: 2, term: 1, index: 3 }]);
    expect(lone.completeAppend()).toMatchObject([{ to: 3, term: 2, index: 2 }]);
    expect(lone.store.durable.entries.map(({ term }) => term)).toEqual([1, 2]);
  });
});

describe('append: commit index', () => {
  test.each([
    // log [1,2] at term 2.
    { previous: [1, 1], terms: [], commit: 1, log: [1, 2], committed: 1 },
    { previous: [0, 0], terms: [2], commit: 1, log: [2], committed: 1 },
    { previous: [2, 2], terms: [2, 2], commit: 3, log: [1, 2, 2, 2], committed: 3 },
    { previous: [2, 2], terms: [2], commit: 4, log: [1, 2, 2], committed: 3 },
    { previous: [1, 1], terms: [2], commit: 4, log: [1, 2], committed: 2 },
    { previous: [1, 1], terms: [], commit: 3, log: [1, 2], committed: 1 },
    { previous: [1, 1], terms: [2], commit: 3, log: [1, 2], committed: 2 },
    { previous: [2, 2], terms: [], commit: 3, log: [1, 2], committed: 2 },
    { previous: [2, 2], terms: [], commit: 4, log: [1, 2], committed: 2 },
  ] as const)('R-28 S4 $terms after $previous, leader commit $commit -> $committed', (row) => {
    const lone = follower([1, 2]);
    append(lone, { term: 2, ...row });
    expect(lone.terms).toEqual(row.log);
    expect(lone.node.status().commit).toBe(row.committed);
    expect(lone.applied.map(({ index }) => index)).toEqual(
      Array.from({ length: row.committed }, (_, i) => i + 1),
    );
  });

  test('P-15 committed before its own write is durable -> applied only afterwards', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    const previous = { term: 0, index: 0 };
    const envelope = { from: 2, to: 1, term: 1, commit: 2 };
    lone.step({ kind: 'append-request', ...envelope, previous, entries: entriesOf([1, 1]) });
    const ready = lone.ready();
    expect(lone.node.status().commit).toBe(2);
    expect(ready.apply).toBeUndefined();
    expect(ready.append).toMatchObject({ hardState: { commit: 2 }, mustSync: true });
    lone.completeAppend();
    expect(lone.ready().apply?.entries).toHaveLength(2);
  });
});

describe('append: leader and timer', () => {
  test.each(['append', 'heartbeat'] as const)(
    '%s -> its sender leads, the timeout starts anew',
    (kind) => {
      const lone = follower([1]);
      lone.tick(9);
      if (kind === 'append') append(lone, { term: 1, previous: [1, 1] });
      else
        lone.step({
          kind: 'heartbeat-request',
          from: 2,
          to: 1,
          term: 1,
          commit: 0,
          reads: 0,
          sentAt: 0,
        });
      expect(lone.node.status().leader).toBe(2);
      expect(lone.ready().softState ?? { leader: 2 }).toMatchObject({ leader: 2 });
      lone.tick(9);
      expect(lone.node.status()).toMatchObject({ role: 'follower', leader: 2 });
    },
  );

  test('S8 another sender in the same term -> simply leads now', () => {
    const lone = follower([1]);
    append(lone, { term: 1, previous: [1, 1] });
    lone.step({
      kind: 'heartbeat-request',
      from: 3,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    expect(lone.node.status().leader).toBe(3);
  });
});

describe('heartbeat', () => {
  test.each([
    { commit: 3, committed: 3 },
    { commit: 2, committed: 2 },
    { commit: 1, committed: 2 },
  ])('R-29 log of 3, commit 2, heartbeat says $commit -> $committed', ({ commit, committed }) => {
    const lone = follower([1, 2, 3], 2);
    lone.step({ kind: 'heartbeat-request', from: 2, to: 1, term: 3, commit, reads: 0, sentAt: 0 });
    expect(lone.node.status().commit).toBe(committed);
    const ready = lone.ready();
    expect(ready.messages).toEqual([
      { kind: 'heartbeat-response', from: 1, to: 2, term: 3, reads: 0, sentAt: 0 },
    ]);
    if (commit === 3) expect(ready.append).toMatchObject({ mustSync: false, entries: [] });
    else expect(ready.append).toBeUndefined();
  });

  test('O10 A-10 commit beyond the own log -> MEMBER_ROLLED_BACK, nothing committed', () => {
    const lone = follower([1, 2, 3], 2);
    const step = () =>
      lone.step({
        kind: 'heartbeat-request',
        from: 2,
        to: 1,
        term: 3,
        commit: 4,
        reads: 0,
        sentAt: 0,
      });
    expect(step).toThrow(expect.objectContaining({ code: 'MEMBER_ROLLED_BACK' }));
    expect(lone.node.status()).toMatchObject({ commit: 2, lastIndex: 3 });
    expect(lone.ready().messages).toEqual([]);
  });
});
