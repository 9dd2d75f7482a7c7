/** Elections from the candidate's side: when it asks, whom, and what it makes of the answers. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import type { PeerMessage } from '../../src/raft/index.js';
import { Cluster } from './cluster.js';
import { LoneNode, type LoneOptions } from './lone-node.js';

function vote(lone: LoneNode, from: number, granted = true): void {
  const { term } = lone.node.status();
  lone.step({ kind: 'vote-response', from, to: lone.id, term, granted });
}

function preVote(lone: LoneNode, from: number, granted = true): void {
  const { term } = lone.node.status();
  const answered = granted ? term + 1 : term;
  lone.step({ kind: 'pre-vote-response', from, to: lone.id, term: answered, granted });
}

/** A node that asked for votes, its own vote durable and counted. */
function candidate(options: LoneOptions = {}): LoneNode {
  const lone = new LoneNode(options);
  lone.node.campaign();
  lone.flush();
  return lone;
}

const role = (lone: LoneNode) => lone.node.status().role;
const kinds = (messages: readonly PeerMessage[]) =>
  messages.map((message) => `${message.kind} to ${message.to} in ${message.term}`);

describe('single voter', () => {
  test.each([false, true])('R-21 pre-vote %s -> leads once its own vote is durable', (preVote) => {
    const lone = new LoneNode({ voters: [1], preVote });
    lone.node.campaign();
    expect(role(lone)).not.toBe('leader');
    lone.flush();
    expect(lone.node.status()).toMatchObject({ role: 'leader', term: 1, commit: 1, applied: 1 });
  });

  test('S6 own vote not durable yet -> no leader; own entry not durable yet -> no commit', () => {
    const lone = new LoneNode({ voters: [1] });
    lone.node.campaign();
    lone.ready();
    expect(role(lone)).toBe('candidate');
    lone.completeAppend();
    expect(role(lone)).toBe('leader');
    lone.ready();
    expect(lone.node.status().commit).toBe(0);
    lone.completeAppend();
    expect(lone.node.status().commit).toBe(1);
  });
});

describe('asking', () => {
  test('P-5 P-19 an election timeout of silence -> candidate of the next term, asks everyone else', () => {
    const lone = new LoneNode({ terms: [1, 2] });
    lone.tick(19);
    expect(lone.node.status()).toMatchObject({ role: 'candidate', term: 3, vote: 1, leader: 0 });
    const last = { index: 2, term: 2 };
    expect(lone.flush()).toEqual([
      { kind: 'vote-request', from: 1, to: 2, term: 3, last },
      { kind: 'vote-request', from: 1, to: 3, term: 3, last },
    ]);
  });

  test('pre-vote -> asks about the next term without raising its own', () => {
    const lone = new LoneNode({ terms: [1, 2], preVote: true });
    lone.node.campaign();
    expect(lone.node.status()).toMatchObject({ role: 'pre-candidate', term: 2, vote: 0 });
    expect(kinds(lone.flush())).toEqual([
      'pre-vote-request to 2 in 3',
      'pre-vote-request to 3 in 3',
    ]);
    expect(lone.node.status()).toMatchObject({ role: 'pre-candidate', term: 2, vote: 0 });
    expect(lone.store.durable.hardState).toMatchObject({ term: 2, vote: 0 });
  });

  test('O1 requests and own vote -> wait for the write of term and vote, nothing leaves at once', () => {
    const lone = new LoneNode();
    lone.node.campaign();
    const ready = lone.ready();
    expect(ready.messages).toEqual([]);
    expect(ready.append).toMatchObject({ hardState: { term: 1, vote: 1 }, mustSync: true });
    expect(ready.append?.responses.map(({ kind, to }) => `${kind} to ${to}`)).toEqual([
      'vote-response to 1',
      'vote-request to 2',
      'vote-request to 3',
    ]);
  });

  test('O1b A-8 entries still being written -> requests wait behind them', () => {
    const lone = new LoneNode({ terms: [1] });
    const previous = { index: 1, term: 1 };
    const entry = { term: 1, index: 2, type: 'normal', data: new Uint8Array(1) } as const;
    const envelope = { from: 2, to: 1, term: 1 };
    lone.step({ kind: 'append-request', ...envelope, previous, entries: [entry], commit: 0 });
    lone.ready();
    lone.node.campaign();
    expect(lone.ready().messages).toEqual([]);
    expect(kinds(lone.completeAppend())).toEqual(['append-response to 2 in 1']);
    expect(kinds(lone.completeAppend())).toEqual([
      'vote-request to 2 in 2',
      'vote-request to 3 in 2',
    ]);
  });

  test('P-9 R-26 many timeouts -> every value of [electionTicks, 2 electionTicks) and no other', () => {
    const random = new Prng(5);
    const seen = new Map<number, number>();
    for (let round = 0; round < 1_000; round += 1) {
      const cluster = new Cluster({ ids: [1, 2, 3], random });
      let ticks = 0;
      while (cluster.node(1).status().role === 'follower') {
        cluster.tick(1);
        ticks += 1;
      }
      seen.set(ticks, (seen.get(ticks) ?? 0) + 1);
    }
    expect([...seen.keys()].sort((a, b) => a - b)).toEqual([
      10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    ]);
    // 100 each on average; five standard deviations either way.
    for (const count of seen.values()) expect(Math.abs(count - 100)).toBeLessThan(48);
  });

  test('O14 a pre-candidate that tries again -> draws a new timeout', () => {
    const lone = new LoneNode({ preVote: true });
    const waits = new Set<number>();
    let wait = 0;
    for (let tick = 0; tick < 600; tick += 1) {
      lone.tick();
      wait += 1;
      const asked = lone.flush().some(({ kind }) => kind === 'pre-vote-request');
      if (!asked) continue;
      waits.add(wait);
      wait = 0;
    }
    expect(waits.size).toBeGreaterThan(3);
  });

  test('H13 R-45 R-77 not a voter -> never campaigns', () => {
    const lone = new LoneNode({ id: 4, voters: [1, 2, 3] });
    lone.tick(100);
    lone.node.campaign();
    expect(role(lone)).toBe('follower');
    expect(lone.flush()).toEqual([]);
  });

  test('R-79 a leader asked to campaign -> stays the leader of its term', () => {
    const lone = new LoneNode();
    lone.lead();
    lone.node.campaign();
    expect(lone.node.status()).toMatchObject({ role: 'leader', term: 1 });
    expect(lone.node.hasReady()).toBe(false);
  });

  test('R-78 voters given unsorted -> asked in ascending order', () => {
    const lone = new LoneNode({ id: 5, voters: [9, 2, 5, 10, 1] });
    lone.node.campaign();
    expect(lone.flush().map(({ to }) => to)).toEqual([1, 2, 9, 10]);
  });
});

describe('counting', () => {
  test.each([
    { size: 3, yes: 2, no: 0, becomes: 'leader' },
    { size: 3, yes: 1, no: 0, becomes: 'leader' },
    { size: 3, yes: 0, no: 2, becomes: 'follower' },
    { size: 3, yes: 0, no: 1, becomes: 'candidate' },
    { size: 3, yes: 0, no: 0, becomes: 'candidate' },
    { size: 5, yes: 4, no: 0, becomes: 'leader' },
    { size: 5, yes: 2, no: 0, becomes: 'leader' },
    { size: 5, yes: 2, no: 2, becomes: 'leader' },
    { size: 5, yes: 0, no: 4, becomes: 'follower' },
    { size: 5, yes: 1, no: 3, becomes: 'follower' },
    { size: 5, yes: 1, no: 0, becomes: 'candidate' },
    { size: 5, yes: 1, no: 2, becomes: 'candidate' },
    { size: 5, yes: 0, no: 2, becomes: 'candidate' },
  ])('P-6 $size voters, $yes others grant, $no refuse -> $becomes', (row) => {
    const lone = candidate({ voters: [1, 2, 3, 4, 5].slice(0, row.size) });
    for (let id = 2; id < 2 + row.yes + row.no; id += 1) {
      if (role(lone) === 'candidate') vote(lone, id, id < 2 + row.yes);
    }
    expect(lone.node.status()).toMatchObject({ role: row.becomes, term: 1 });
  });

  test('the same voter again, with another answer -> the first stands', () => {
    const lone = candidate({ voters: [1, 2, 3, 4, 5] });
    vote(lone, 2, true);
    vote(lone, 2, true);
    expect(role(lone)).toBe('candidate');
    vote(lone, 3, false);
    vote(lone, 3, true);
    expect(role(lone)).toBe('candidate');
    vote(lone, 4, true);
    expect(role(lone)).toBe('leader');
  });

  test('votes of another term -> not counted', () => {
    const lone = candidate({ hardState: { term: 4, vote: 0, commit: 0 } });
    expect(lone.node.status().term).toBe(5);
    lone.step({ kind: 'vote-response', from: 2, to: 1, term: 4, granted: true });
    expect(role(lone)).toBe('candidate');
  });

  test('R-38 pre-votes, then votes -> own answers count only when durable', () => {
    const lone = new LoneNode({ preVote: true });
    lone.node.campaign();
    lone.ready();
    lone.completeAppend();
    expect(lone.node.status()).toMatchObject({ role: 'pre-candidate', term: 0 });
    preVote(lone, 2);
    expect(lone.node.status()).toMatchObject({ role: 'candidate', term: 1, vote: 1 });
    lone.ready();
    vote(lone, 2);
    expect(role(lone)).toBe('candidate');
    lone.completeAppend();
    expect(role(lone)).toBe('leader');
  });

  test('votes while pre-candidate, pre-votes while candidate -> ignored', () => {
    const asking = new LoneNode({ preVote: true, hardState: { term: 1, vote: 0, commit: 0 } });
    asking.node.campaign();
    asking.flush();
    vote(asking, 2);
    vote(asking, 3);
    expect(asking.node.status()).toMatchObject({ role: 'pre-candidate', term: 1 });
    const running = candidate();
    preVote(running, 2);
    preVote(running, 3);
    expect(running.node.status()).toMatchObject({ role: 'candidate', term: 1 });
  });

  test('H8 A-13 a second round of pre-votes -> votes of the first do not count', () => {
    const lone = new LoneNode({ preVote: true, voters: [1, 2, 3, 4, 5] });
    lone.node.campaign();
    lone.flush();
    preVote(lone, 2);
    lone.node.campaign();
    lone.flush();
    preVote(lone, 3);
    expect(role(lone)).toBe('pre-candidate');
    preVote(lone, 2);
    expect(role(lone)).toBe('candidate');
  });

  test('a pre-vote refused by a later term -> follower of that term', () => {
    const lone = new LoneNode({ preVote: true });
    lone.node.campaign();
    lone.flush();
    lone.step({ kind: 'pre-vote-response', from: 2, to: 1, term: 7, granted: false });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 7, vote: 0, leader: 0 });
  });

  test('pre-votes lost -> follower of the old term', () => {
    const lone = new LoneNode({ preVote: true, hardState: { term: 3, vote: 0, commit: 0 } });
    lone.node.campaign();
    lone.flush();
    preVote(lone, 2, false);
    preVote(lone, 3, false);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 3, vote: 0 });
  });

  test.each(['append-request', 'heartbeat-request'] as const)(
    'P-8 H1 %s of the own term -> follower of its sender, the vote kept',
    (kind) => {
      const lone = candidate();
      const previous = { index: 0, term: 0 };
      const envelope = { from: 2, to: 1, term: 1, commit: 0 };
      if (kind === 'append-request') lone.step({ kind, ...envelope, previous, entries: [] });
      else lone.step({ kind, ...envelope, reads: 0, sentAt: 0 });
      expect(lone.node.status()).toMatchObject({ role: 'follower', term: 1, leader: 2, vote: 1 });
      vote(lone, 3);
      expect(role(lone)).toBe('follower');
      // Somebody else asks late in this term: the vote is gone.
      lone.step({ kind: 'vote-request', from: 3, to: 1, term: 1, last: { index: 9, term: 1 } });
      expect(lone.flush()).toContainEqual(
        expect.objectContaining({ kind: 'vote-response', to: 3, granted: false }),
      );
    },
  );

  test('R-37 the winner is heard before the own vote is durable -> follower, own vote not counted', () => {
    const lone = new LoneNode();
    lone.node.campaign();
    lone.ready();
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    lone.completeAppend();
    expect(lone.node.status()).toMatchObject({ role: 'follower', leader: 2, vote: 1 });
  });
});

describe('elections in a cluster', () => {
  const ids = [1, 2, 3];

  test.each([false, true])('R-10 pre-vote %s, each campaigns in turn -> each wins', (preVote) => {
    const cluster = new Cluster({ ids, options: () => ({ preVote, checkQuorum: false }) });
    for (const id of ids) {
      cluster.elect(id);
      const others = ids.filter((each) => each !== id);
      for (const other of others) {
        expect(cluster.node(other).status()).toMatchObject({ role: 'follower', leader: id });
      }
    }
    expect(cluster.node(3).status().term).toBe(3);
  });

  test('R-18 pre-vote off, a cut-off member campaigns -> its term deposes the leader', () => {
    const cluster = new Cluster({ ids, options: () => ({ preVote: false, checkQuorum: false }) });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.campaign(3);
    cluster.settle();
    expect(cluster.node(3).status()).toMatchObject({ role: 'candidate', term: 2 });
    cluster.heal();
    cluster.campaign(3);
    cluster.settle();
    expect(ids.map((id) => cluster.node(id).status().role)).not.toContain('candidate');
    expect(cluster.node(1).status()).toMatchObject({ role: 'follower', term: 3 });
  });

  test('R-19 pre-vote on, a cut-off member campaigns -> nobody is disturbed', () => {
    const cluster = new Cluster({ ids, options: () => ({ checkQuorum: false }) });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, 'a');
    cluster.settle();
    for (let round = 0; round < 5; round += 1) cluster.campaign(3);
    cluster.settle();
    expect(cluster.node(3).status()).toMatchObject({ role: 'pre-candidate', term: 1 });
    cluster.heal();
    cluster.campaign(3);
    cluster.settle();
    cluster.pass(2);
    expect(cluster.node(1).status()).toMatchObject({ role: 'leader', term: 1 });
    expect(cluster.node(3).status()).toMatchObject({ role: 'follower', term: 1, leader: 1 });
    expect(cluster.terms(3)).toEqual(cluster.terms(1));
  });

  test('R-98 two pre-candidates at once after the leader died -> somebody leads in the end', () => {
    const cluster = new Cluster({ ids, random: new Prng(3) });
    cluster.elect(1);
    cluster.crash(1);
    cluster.campaign(2);
    cluster.campaign(3);
    cluster.settle();
    cluster.pass(100);
    expect(cluster.leaders).toHaveLength(1);
  });

  test('a healthy cluster -> nobody else ever campaigns', () => {
    const cluster = new Cluster({ ids: [1, 2, 3, 4, 5], random: new Prng(9) });
    cluster.pass(60);
    const [leader] = cluster.leaders;
    const { progress: _, ...before } = leader?.up.status() ?? {};
    cluster.pass(300);
    expect(cluster.leaders).toEqual([leader]);
    expect(leader?.up.status()).toMatchObject(before);
  });

  test('silence everywhere -> one of five leads before long', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const cluster = new Cluster({ ids: [1, 2, 3, 4, 5], random: new Prng(seed) });
      cluster.pass(100);
      expect(cluster.leaders, `seed ${seed}`).toHaveLength(1);
    }
  });
});
