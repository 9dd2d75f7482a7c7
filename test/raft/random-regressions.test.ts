/** What the random clusters have found, each in its smallest form. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import {
  type ConfChange,
  type ConfState,
  decodeConfChange,
  type Entry,
  encodeConfChange,
  isSameConfState,
  type MemberId,
  type Message,
  RawNode,
  type StorageApply,
} from '../../src/raft/index.js';
import { LoneNode } from './lone-node.js';
import { MemberStore } from './member-store.js';

const add4: ConfChange = { type: 'add-learner', memberId: 4 };

function normal(index: number, term = 1): Entry {
  return { term, index, type: 'normal', data: new Uint8Array(0) };
}

function snapshotOf(index: number, voters: readonly MemberId[]): Message {
  const last = { index, term: 1 };
  const snapshot = { last, configuration: { voters }, data: new Uint8Array(0) };
  return { kind: 'snapshot-request', from: 2, to: 1, term: 1, snapshot };
}

/** A follower whose state machine is busy with a change at 1, when a snapshot at 9 arrives. */
function busyFollower(): LoneNode {
  const lone = new LoneNode({ hardState: { term: 1, vote: 2, commit: 0 } });
  const previous = { index: 0, term: 0 };
  const entries = [{ term: 1, index: 1, ...encodeConfChange(add4) }, normal(2)];
  lone.step({ kind: 'append-request', from: 2, to: 1, term: 1, previous, entries, commit: 2 });
  lone.ready();
  lone.completeAppend();
  expect(lone.ready().apply?.entries).toHaveLength(2);
  lone.step(snapshotOf(9, [1, 2, 3]));
  return lone;
}

function late(index: number): StorageApply {
  const response = {
    kind: 'storage-apply-response',
    from: 1,
    to: 1,
    term: 0,
    index,
    payloadBytes: 0,
    encodedBytes: 0,
  } as const;
  return { entries: [], response };
}

describe('found by random clusters', () => {
  test('a change below a snapshot is applied late -> the configuration stays the snapshot one', () => {
    const { node } = busyFollower();
    const kept = node.applyConfChange(add4);
    // What the state machine has at 1 ...
    expect(isSameConfState(kept, { voters: [1, 2, 3], learners: [4] })).toBe(true);
    // ... is not what the member goes by.
    expect(isSameConfState(node.configuration, { voters: [1, 2, 3] })).toBe(true);
  });

  test('a late change and then one of the time after the snapshot -> only the second counts', () => {
    const lone = busyFollower();
    lone.node.applyConfChange(add4);
    lone.completeApply(late(2));
    lone.flush();
    expect(lone.node.status()).toMatchObject({ applied: 9, commit: 9 });
    lone.node.applyConfChange({ type: 'add-learner', memberId: 5 });
    expect(lone.node.configuration.learners).toEqual([5]);
  });

  test('entries behind a snapshot -> applied only once those before it are', () => {
    const lone = busyFollower();
    lone.ready();
    lone.completeAppend();
    const previous = { index: 9, term: 1 };
    const entries = [{ term: 1, index: 10, ...encodeConfChange(add4) }];
    const append = { from: 2, to: 1, term: 1, previous, entries, commit: 10 };
    lone.step({ kind: 'append-request', ...append });
    lone.ready();
    lone.completeAppend();
    // Made now, the change would go to the configuration of the entries that were overtaken.
    expect(lone.node.hasReady()).toBe(false);
    lone.completeApply(late(2));
    expect(lone.ready().apply?.entries.map(({ index }) => index)).toEqual([10]);
    lone.node.applyConfChange(add4);
    expect(lone.node.configuration.learners).toEqual([4]);
  });

  test('a leader removes itself while its own write is under way -> its answer is taken', () => {
    const lone = new LoneNode();
    lone.lead();
    lone.propose('a');
    lone.ready();
    lone.node.applyConfChange({ type: 'remove', memberId: 1 });
    expect(() => lone.completeAppend()).not.toThrow();
  });

  test('a snapshot from before a member was added -> not sent to it, a newer one is', () => {
    let voters = [1, 2];
    const lone = new LoneNode({
      voters: [1, 2],
      terms: [1, 1, 1],
      applied: 3,
      hardState: { term: 1, vote: 0, commit: 3 },
      latestSnapshot: () => ({
        last: { index: 3, term: 1 },
        configuration: { voters },
        data: new Uint8Array(0),
      }),
    });
    lone.store.compact(3);
    lone.lead();
    lone.node.applyConfChange({ type: 'add-voter', memberId: 3 });
    lone.flush();
    const sent = lone.reject(3, 3, { index: 0, term: 0 });
    expect(sent.map(({ kind }) => kind)).not.toContain('snapshot-request');
    voters = [1, 2, 3];
    expect(lone.heard(3).map(({ kind }) => kind)).toContain('snapshot-request');
  });

  /**
   * The leader, 3, made itself a learner and stepped down. It refuses 4, whose log is shorter than its
   * own, and may not lead; 4 refuses 2 for the same reason, and does not know that it no longer needs
   * 3. Without the commit index in the answers to vote requests nobody would ever lead again.
   */
  test('the news of a change is lost with its leader -> the voters tell it, and somebody leads', () => {
    const nodes = withoutNews(1);
    pass(nodes, 200);
    expect(nodes.map(({ node }) => node.role)).toContain('leader');
  });

  test('the same, but the news has arrived -> somebody leads', () => {
    const nodes = withoutNews(2);
    pass(nodes, 200);
    expect(nodes.map(({ node }) => node.role)).toContain('leader');
  });
});

interface Stored {
  readonly node: RawNode;
  readonly store: MemberStore;
}

/** @param commit - what member 4 knows to be committed; 2 leaves the joint configuration */
function withoutNews(commit: number): readonly Stored[] {
  const done = { voters: [2, 4], learners: [3] };
  const joint = { voters: [2, 4], votersOutgoing: [3, 4], learnersNext: [3], autoLeave: true };
  return [
    member(2, 4, { configuration: done, applied: 2, commit: 2 }),
    member(3, 6, { configuration: done, applied: 2, commit: 2 }),
    member(4, 5, { configuration: joint, applied: 1, commit }),
  ];
}

function pass(nodes: readonly Stored[], ticks: number): void {
  for (let tick = 0; tick < ticks; tick += 1) {
    for (const { node } of nodes) node.tick();
    exchange(nodes);
  }
}

/** A member whose log goes up to `last`; its second entry leaves a joint configuration. */
function member(
  id: MemberId,
  last: number,
  state: { readonly configuration: ConfState; readonly applied: number; readonly commit: number },
): Stored {
  const store = new MemberStore([]);
  const leave: Entry = { ...normal(2), type: 'config-change-v2' };
  const entries = Array.from({ length: last }, (_, i) => (i === 1 ? leave : normal(i + 1)));
  const { configuration, applied, commit } = state;
  const hardState = { term: 1, vote: 3, commit };
  store.accept({ entries, hardState, mustSync: true, responses: [] });
  store.complete();
  store.configuration = configuration;
  const node = new RawNode({ id, reader: store, random: new Prng(id), applied });
  return { node, store };
}

/** Everything is written, applied and delivered, until nobody has anything to say. */
function exchange(nodes: readonly Stored[]): void {
  while (nodes.some(({ node }) => node.hasReady())) {
    for (const { node, store } of nodes) {
      if (!node.hasReady()) continue;
      const { append, messages, apply } = node.ready();
      if (append !== undefined) store.accept(append);
      for (const entry of apply?.entries ?? []) {
        if (entry.type !== 'normal') node.applyConfChange(decodeConfChange(entry));
      }
      const answers = store.complete()?.responses ?? [];
      for (const message of [...messages, ...answers, ...(apply ? [apply.response] : [])]) {
        nodes.find((each) => each.node.id === message.to)?.node.step(message);
      }
    }
  }
}
