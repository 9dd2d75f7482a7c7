/** Linearizable reads without a log entry (semantics §14, thesis §6.4). */
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import type { PeerMessage } from '../../src/raft/index.js';
import { Cluster } from './cluster.js';
import { LoneNode } from './lone-node.js';

/** A leader of three whose term has a commit: entry 1 of term 1. */
function committedLeader(term = 1): LoneNode {
  const lone = new LoneNode({ hardState: { term: term - 1, vote: 0, commit: 0 } });
  lone.lead();
  lone.acknowledge(2, 1);
  return lone;
}

const heartbeats = (messages: readonly PeerMessage[]) =>
  messages.flatMap((m) => (m.kind === 'heartbeat-request' ? [`${m.to}: ${m.reads}`] : []));

/** Carries everything out; the reads that may be served and what left. */
function flush(lone: LoneNode) {
  const reads: string[] = [];
  const out: PeerMessage[] = [];
  while (lone.node.hasReady()) {
    const ready = lone.ready();
    reads.push(...ready.reads.map(({ readId, index }) => `${readId}@${index}`));
    out.push(...ready.messages);
    while (lone.store.pendingAppends > 0) out.push(...lone.completeAppend());
    lone.completeApply(ready.apply);
  }
  return { reads, out };
}

const confirm = (lone: LoneNode, from: number, reads: number) => {
  const { term } = lone.node.status();
  lone.step({ kind: 'heartbeat-response', from, to: lone.id, term, reads, sentAt: 0 });
  return flush(lone).reads;
};

describe('read index on a leader', () => {
  test('R-48 a quorum confirms -> the commit index of when the read began', () => {
    const lone = committedLeader();
    lone.node.readIndex(7);
    const { reads, out } = flush(lone);
    expect(reads).toEqual([]);
    expect(heartbeats(out)).toEqual(['2: 1', '3: 1']);
    lone.propose('later');
    flush(lone);
    lone.acknowledge(2, 2);
    expect(lone.node.status().commit).toBe(2);
    expect(confirm(lone, 3, 1)).toEqual(['7@1']);
  });

  test('all reads of a turn -> one round', () => {
    const lone = committedLeader();
    for (const id of [1, 2, 3]) lone.node.readIndex(id);
    expect(heartbeats(flush(lone).out)).toEqual(['2: 3', '3: 3']);
    expect(confirm(lone, 2, 3)).toEqual(['1@1', '2@1', '3@1']);
  });

  test('H31 a late answer -> confirms only what its heartbeat was asked for', () => {
    const lone = committedLeader();
    lone.node.readIndex(1);
    flush(lone);
    lone.node.readIndex(2);
    flush(lone);
    expect(confirm(lone, 2, 1)).toEqual(['1@1']);
    expect(confirm(lone, 3, 1)).toEqual([]);
    expect(confirm(lone, 3, 2)).toEqual(['2@1']);
  });

  test('answers to heartbeats without reads -> confirm nothing', () => {
    const lone = committedLeader();
    lone.node.readIndex(1);
    flush(lone);
    expect(confirm(lone, 2, 0)).toEqual([]);
    expect(confirm(lone, 3, 0)).toEqual([]);
  });

  test('five voters -> two answers beside the own', () => {
    const lone = new LoneNode({ voters: [1, 2, 3, 4, 5] });
    lone.lead();
    lone.acknowledge(2, 1);
    lone.acknowledge(3, 1);
    lone.node.readIndex(1);
    flush(lone);
    expect(confirm(lone, 4, 1)).toEqual([]);
    expect(confirm(lone, 4, 1)).toEqual([]);
    expect(confirm(lone, 5, 1)).toEqual(['1@1']);
  });

  test('H30 nothing committed in the own term -> waits for the first commit, then asks', () => {
    const lone = new LoneNode({ terms: [1, 1], hardState: { term: 1, vote: 0, commit: 1 } });
    lone.lead();
    lone.node.readIndex(1);
    const before = flush(lone);
    expect([before.reads, heartbeats(before.out)]).toEqual([[], []]);
    expect(confirm(lone, 2, 1)).toEqual([]);
    lone.step({ kind: 'append-response', from: 2, to: 1, term: 2, index: 3 });
    expect(heartbeats(flush(lone).out)).toEqual(['2: 1', '3: 1']);
    expect(confirm(lone, 2, 1)).toEqual(['1@3']);
  });

  test('O2 a single voter, restarted with a commit that lags -> only after its own entry', () => {
    const lone = new LoneNode({
      voters: [1],
      terms: [1, 1, 1],
      hardState: { term: 1, vote: 1, commit: 2 },
    });
    lone.node.campaign();
    lone.flush();
    lone.node.readIndex(1);
    expect(flush(lone).reads).toEqual(['1@4']);
  });

  test('O8 steps down -> the reads are dropped, and not answered by a later leadership', () => {
    const lone = committedLeader();
    lone.node.readIndex(1);
    flush(lone);
    lone.step({ kind: 'append-response', from: 2, to: 1, term: 5, index: 0 });
    flush(lone);
    lone.lead();
    const { term } = lone.node.status();
    lone.step({ kind: 'append-response', from: 2, to: 1, term, index: 2 });
    flush(lone);
    expect(confirm(lone, 2, 1)).toEqual([]);
    lone.node.readIndex(2);
    flush(lone);
    expect(confirm(lone, 3, 1)).toEqual(['2@2']);
  });

  test('more reads than may wait -> OVERLOADED; those of peers are dropped', () => {
    const lone = committedLeader();
    for (let id = 1; id <= limits.readsMax; id += 1) lone.node.readIndex(id);
    expect(() => lone.node.readIndex(0)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    lone.step({ kind: 'read-request', from: 2, to: 1, term: 1, readId: 5 });
    expect(heartbeats(flush(lone).out)).toEqual([`2: ${limits.readsMax}`, `3: ${limits.readsMax}`]);
    expect(confirm(lone, 2, limits.readsMax)).toHaveLength(limits.readsMax);
  });
});

describe('read index on other members', () => {
  test('a follower -> asks its leader, and gets the index', () => {
    const cluster = new Cluster({ ids: [1, 2, 3] });
    cluster.elect(1);
    expect(cluster.read(2)).toBe(true);
    expect(cluster.network).toMatchObject([{ kind: 'read-request', from: 2, to: 1, term: 1 }]);
    cluster.settle();
    expect(cluster.checker.answeredReads).toBe(1);
  });

  test('no leader known -> NO_LEADER', () => {
    const lone = new LoneNode();
    expect(() => lone.node.readIndex(1)).toThrow(expect.objectContaining({ code: 'NO_LEADER' }));
  });

  test('an answer of another than the leader, or of another term -> ignored', () => {
    const lone = new LoneNode();
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 3,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    lone.node.readIndex(1);
    lone.flush();
    lone.step({ kind: 'read-response', from: 3, to: 1, term: 3, readId: 1, index: 9 });
    lone.step({ kind: 'read-response', from: 2, to: 1, term: 2, readId: 1, index: 9 });
    expect(flush(lone).reads).toEqual([]);
    lone.step({ kind: 'read-response', from: 2, to: 1, term: 3, readId: 1, index: 4 });
    expect(flush(lone).reads).toEqual(['1@4']);
  });

  test('a request that reaches no leader, or a leader of another term -> no answer', () => {
    const follower = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    follower.step({ kind: 'read-request', from: 2, to: 1, term: 1, readId: 1 });
    expect(follower.flush()).toEqual([]);
    const leader = committedLeader(2);
    leader.step({ kind: 'read-request', from: 2, to: 1, term: 1, readId: 1 });
    expect(flush(leader).out).toEqual([]);
  });

  test('a leader that was replaced unnoticed -> never answers', () => {
    const cluster = new Cluster({ ids: [1, 2, 3], options: () => ({ checkQuorum: false }) });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.elect(2);
    cluster.propose(2, 'newer');
    cluster.settle();
    expect(cluster.read(1)).toBe(true);
    cluster.settle();
    expect(cluster.checker.answeredReads).toBe(0);
    cluster.heal();
    cluster.pass(20);
    expect(cluster.checker.answeredReads).toBe(0);
  });
});
