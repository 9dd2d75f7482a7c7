/** What a leader does: proposals, replication, commit (semantics §8, §11). */
import { describe, expect, test } from 'vitest';
import { KontikiError } from '../../src/base/errors.js';
import { Cluster } from './cluster.js';
import { appends, LoneNode, type LoneOptions } from './lone-node.js';
import { MemberStore } from './member-store.js';

/** A leader of three at term 1 whose empty entry everybody has. */
function leader(options: LoneOptions = {}): LoneNode {
  const lone = new LoneNode(options);
  lone.lead();
  const { lastIndex } = lone.node.status();
  for (const id of lone.voters) if (id !== lone.id) lone.acknowledge(id, lastIndex);
  return lone;
}

function caught(act: () => unknown): KontikiError {
  try {
    act();
  } catch (error) {
    if (error instanceof KontikiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('taking office', () => {
  test('P-11 won -> an empty entry of the own term goes to everyone, after the old last entry', () => {
    const lone = new LoneNode({ terms: [1, 1, 2] });
    const sent = lone.lead();
    expect(appends(sent)).toEqual(['2: 3+1', '3: 3+1']);
    expect(sent[0]).toMatchObject({ term: 3, previous: { index: 3, term: 2 }, commit: 0 });
    expect(lone.store.written.entries[3]).toMatchObject({ term: 3, index: 4, type: 'normal' });
    expect(lone.store.written.entries[3]?.data).toHaveLength(0);
  });

  test('R-1 S6 S7 own progress -> counts the new entries only once they are durable', () => {
    const lone = new LoneNode({ terms: [1] });
    lone.node.campaign();
    lone.flush();
    lone.step({ kind: 'vote-response', from: 2, to: 1, term: 2, granted: true });
    lone.propose('a', 'b');
    expect(lone.progress(1)).toMatchObject({ match: 1, next: 2, state: 'replicate' });
    lone.ready();
    lone.completeAppend();
    expect(lone.progress(1)).toMatchObject({ match: 4, next: 5 });
  });

  test('P-14 R-17 old entries -> commit through the new empty entry', () => {
    const lone = new LoneNode({ terms: [1, 2] });
    lone.lead();
    lone.acknowledge(2, 3);
    expect(lone.node.status().commit).toBe(3);
    expect(lone.applied.map(({ term }) => term)).toEqual([1, 2, 3]);
  });
});

describe('heartbeats', () => {
  test('P-4 every heartbeatTicks -> one to each other member', () => {
    const lone = leader({ heartbeatTicks: 2 });
    lone.tick();
    expect(lone.flush()).toEqual([]);
    lone.tick();
    expect(lone.flush().map(({ kind, to }) => `${kind} ${to}`)).toEqual([
      'heartbeat-request 2',
      'heartbeat-request 3',
    ]);
  });

  test('R-54 S4 commit -> never above what the member acknowledged', () => {
    const lone = new LoneNode();
    lone.lead();
    lone.acknowledge(2, 1);
    lone.propose('a', 'b');
    lone.flush();
    lone.acknowledge(2, 3);
    expect(lone.node.status().commit).toBe(3);
    lone.tick();
    expect(lone.flush()).toMatchObject([
      { kind: 'heartbeat-request', to: 2, commit: 3, reads: 0, sentAt: 0 },
      { kind: 'heartbeat-request', to: 3, commit: 0, reads: 0, sentAt: 0 },
    ]);
  });

  test('R-30 answered by a member that lags -> append each time; once it has all, none', () => {
    const lone = leader();
    lone.propose('a');
    lone.flush();
    expect(appends(lone.heard(2))).toEqual(['2: 2+0']);
    expect(appends(lone.heard(2))).toEqual(['2: 2+0']);
    lone.acknowledge(2, 2);
    expect(appends(lone.heard(2))).toEqual([]);
  });

  test('R-57 R-2 a probed member -> nothing more after the first entries until it is heard', () => {
    const lone = new LoneNode();
    expect(appends(lone.lead())).toEqual(['2: 0+1', '3: 0+1']);
    for (let i = 0; i < 10; i += 1) lone.propose('a');
    expect(appends(lone.flush())).toEqual([]);
    lone.tick();
    expect(appends(lone.flush())).toEqual([]);
    expect(appends(lone.heard(2))).toEqual(['2: 0+11']);
    expect(lone.progress(2)).toMatchObject({ state: 'probe', paused: true });
  });
});

describe('check-quorum', () => {
  const options = { checkQuorum: true, electionTicks: 10 };

  test('R-41 nobody heard for two windows -> steps down, keeps the term', () => {
    const lone = leader(options);
    lone.tick(10);
    expect(lone.node.status().role).toBe('leader');
    lone.tick(10);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 1, leader: 0, vote: 1 });
  });

  test('R-40 one of two peers heard in each window -> stays', () => {
    const lone = leader(options);
    for (let window = 0; window < 5; window += 1) {
      lone.heard(3);
      lone.tick(10);
    }
    expect(lone.node.status().role).toBe('leader');
  });

  test('off -> stays without anybody', () => {
    const lone = leader({ checkQuorum: false });
    lone.tick(100);
    expect(lone.node.status().role).toBe('leader');
  });
});

describe('proposals', () => {
  test('P-11 P-12 -> appended, sent at once, committed with a majority', () => {
    const lone = leader();
    expect(lone.propose('a', 'b')).toEqual({ term: 1, index: 2 });
    const ready = lone.ready();
    expect(appends(ready.messages)).toEqual(['2: 1+2', '3: 1+2']);
    expect(ready.append).toMatchObject({ mustSync: true });
    lone.completeAppend();
    expect(lone.node.status().commit).toBe(1);
    const sent = lone.acknowledge(3, 3);
    expect(lone.node.status().commit).toBe(3);
    expect(sent).toMatchObject([
      { to: 2, commit: 3, entries: [] },
      { to: 3, commit: 3, entries: [] },
    ]);
    expect(lone.applied.map(({ data }) => new TextDecoder().decode(data))).toEqual(['', 'a', 'b']);
  });

  test.each([
    { size: 1, acked: [], commits: true },
    { size: 3, acked: [], commits: false },
    { size: 3, acked: [2], commits: true },
    { size: 5, acked: [2], commits: false },
    { size: 5, acked: [2, 3], commits: true },
    { size: 5, acked: [5, 4], commits: true },
  ])('P-13 $size voters, $acked have it -> committed: $commits', ({ size, acked, commits }) => {
    const lone = new LoneNode({ voters: [1, 2, 3, 4, 5].slice(0, size) });
    lone.lead();
    const { index } = lone.propose('a');
    lone.flush();
    for (const id of acked) lone.acknowledge(id, index);
    expect(lone.node.status().commit >= index).toBe(commits);
  });

  test('a follower without, and with, a leader -> NOT_LEADER, rejected, naming the leader', () => {
    const lone = new LoneNode();
    const lost = caught(() => lone.propose('a'));
    expect(lost).toMatchObject({ code: 'NOT_LEADER', outcome: 'rejected' });
    expect((lost as { leaderId?: number }).leaderId).toBeUndefined();
    lone.step({
      kind: 'heartbeat-request',
      from: 3,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    const known = caught(() => lone.propose('a'));
    expect(known).toMatchObject({ code: 'NOT_LEADER', outcome: 'rejected', leaderId: 3 });
    expect(lone.node.status().lastIndex).toBe(0);
  });

  test('R-5 W-11 too much unapplied -> PROPOSAL_DROPPED, nothing appended; applying frees it', () => {
    const lone = new LoneNode({ uncommittedBytesMax: 10 });
    lone.lead();
    lone.acknowledge(2, 1);
    lone.propose('12345', '12345');
    const before = lone.node.status();
    const dropped = caught(() => lone.propose('6'));
    expect(dropped).toMatchObject({ code: 'PROPOSAL_DROPPED', outcome: 'rejected' });
    expect(lone.node.status()).toEqual(before);
    // An empty command takes no room.
    lone.propose('');
    lone.flush();
    expect(caught(() => lone.propose('6')).code).toBe('PROPOSAL_DROPPED');
    lone.acknowledge(2, 4);
    lone.propose('6');
  });

  test('H6 the first proposal -> may exceed the limit; a second not until it is applied', () => {
    const lone = leader({ uncommittedBytesMax: 3 });
    lone.propose('far too long');
    expect(caught(() => lone.propose('a')).code).toBe('PROPOSAL_DROPPED');
    lone.flush();
    lone.acknowledge(2, 2);
    lone.propose('a');
    expect(lone.node.status().lastIndex).toBe(3);
  });

  test('a new term of office -> starts with an empty budget', () => {
    const lone = leader({ uncommittedBytesMax: 3 });
    lone.propose('abc');
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 2,
      commit: 1,
      reads: 0,
      sentAt: 0,
    });
    lone.flush();
    lone.lead();
    lone.propose('abc');
    expect(caught(() => lone.propose('a')).code).toBe('PROPOSAL_DROPPED');
  });

  test('nothing to propose -> ARGUMENT_INVALID', () => {
    expect(caught(() => leader().node.propose([])).code).toBe('ARGUMENT_INVALID');
  });
});

describe('commit', () => {
  test.each([
    { acked: 1, commit: 0 },
    { acked: 2, commit: 0 },
    { acked: 3, commit: 3 },
  ])('P-21 H3 figure 8: log [1,2,3], a majority has $acked -> commit $commit', (row) => {
    const lone = new LoneNode({ terms: [1, 2] });
    lone.lead();
    lone.acknowledge(2, row.acked);
    expect(lone.node.status().commit).toBe(row.commit);
  });

  test('R-16 figure 8: old entries everywhere, no entry of the own term yet -> not committed', () => {
    const cluster = new Cluster({
      ids: [1, 2, 3, 4, 5],
      options: () => ({ preVote: false, checkQuorum: false, appendBytesMax: 1 }),
    });
    cluster.elect(1);
    cluster.isolate(1, 2);
    cluster.propose(1, 'a', 'b');
    cluster.settle();
    expect(cluster.terms(2)).toEqual([1, 1, 1]);
    expect(cluster.node(2).status().commit).toBe(1);
    // Node 2 takes over, but of its entries only the old ones get through.
    cluster.loses = (message) =>
      message.from === 1 ||
      (message.kind === 'append-request' &&
        message.entries.some(({ term }) => term === 2) &&
        message.previous.index <= cluster.terms(message.to).length);
    cluster.elect(2);
    cluster.pass(3);
    for (const id of [3, 4, 5]) expect(cluster.terms(id)).toEqual([1, 1, 1]);
    const { progress } = cluster.node(2).status();
    expect(progress.filter(({ match }) => match === 3)).toHaveLength(3);
    expect(cluster.node(2).status().commit).toBe(1);
    cluster.heal();
    cluster.pass(3);
    expect(cluster.node(2).status()).toMatchObject({ role: 'leader', commit: 4 });
    for (const id of [1, 3, 4, 5]) expect(cluster.terms(id)).toEqual([1, 1, 1, 2]);
  });

  test('an acknowledgement beyond the own log -> ignored', () => {
    const lone = leader();
    lone.acknowledge(2, 99);
    expect(lone.progress(2).match).toBe(1);
  });

  test('S17 a member that lags the commit index -> told with an empty append', () => {
    const lone = leader();
    lone.propose('a');
    lone.flush();
    lone.acknowledge(2, 2);
    const sent = lone.acknowledge(3, 2);
    expect(sent).toEqual([]);
    lone.tick();
    lone.flush();
    lone.propose('b');
    lone.flush();
    expect(lone.acknowledge(2, 3)).toMatchObject([
      { to: 2, commit: 3 },
      { to: 3, commit: 3 },
    ]);
  });
});

describe('rejections: conflict hints', () => {
  test.each([
    {
      own: [1, 2, 2, 4, 4, 4, 4],
      theirs: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
      hint: { term: 3, index: 7 },
      next: { term: 2, index: 3 },
    },
    {
      own: [1, 2, 2, 3, 4, 4, 4, 5],
      theirs: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
      hint: { term: 3, index: 8 },
      next: { term: 3, index: 4 },
    },
    {
      own: [1, 1, 1, 1],
      theirs: [1, 2, 2, 4],
      hint: { term: 1, index: 1 },
      next: { term: 1, index: 1 },
    },
    {
      own: [1, 1, 1, 1, 1, 1],
      theirs: [1, 2, 2, 4],
      hint: { term: 1, index: 1 },
      next: { term: 1, index: 1 },
    },
    {
      own: [1, 1, 1, 1],
      theirs: [1, 2, 2, 4, 4, 4],
      hint: { term: 1, index: 1 },
      next: { term: 1, index: 1 },
    },
    {
      own: [1, 1, 1, 4, 5],
      theirs: [1, 1, 1, 4],
      hint: { term: 4, index: 4 },
      next: { term: 4, index: 4 },
    },
    {
      own: [2, 5, 5, 5, 5, 5, 5, 5, 5],
      theirs: [2, 4, 4, 4, 4, 4],
      hint: { term: 4, index: 6 },
      next: { term: 2, index: 1 },
    },
    {
      own: [2, 2, 2, 2, 2],
      theirs: [2, 4, 4, 4, 4, 4, 4, 4],
      hint: { term: 2, index: 1 },
      next: { term: 2, index: 1 },
    },
  ])('R-104 leader $own, follower $theirs -> hint $hint, next probe after $next', (row) => {
    // The follower's answer comes from a real follower, not from the table.
    const term = 9;
    const options = { hardState: { term: term - 1, vote: 0, commit: 0 } };
    const lone = new LoneNode({ ...options, terms: row.own });
    const other = new LoneNode({ ...options, id: 2, terms: row.theirs });
    const [first] = lone.lead().filter(({ to }) => to === 2);
    other.step(first!);
    const [answer] = other.flush();
    expect(answer).toMatchObject({ index: row.own.length, hint: row.hint });
    lone.step(answer!);
    const [second] = lone.flush();
    expect(second).toMatchObject({ kind: 'append-request', to: 2, previous: row.next });
  });

  test('P-18 figure 7: six followers of every kind -> all end with the log of the leader', () => {
    const own = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const figure7 = [
      [1, 1, 1, 4, 4, 5, 5, 6, 6],
      [1, 1, 1, 4],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4],
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    const ids = [1, 2, 3];
    for (const theirs of figure7) {
      const hardState = { term: 8, vote: 0, commit: 0 };
      const logs = [own, theirs, []];
      const stores = new Map(
        ids.map((id, i) => [id, MemberStore.of(ids, { terms: logs[i]!, hardState })]),
      );
      const cluster = new Cluster({ ids, stores, options: () => ({ preVote: false }) });
      cluster.elect(1);
      cluster.propose(1, 'a');
      cluster.settle();
      for (const id of [2, 3]) expect(cluster.terms(id)).toEqual([...own, 9, 9]);
      expect(cluster.node(2).status().commit).toBe(12);
    }
  });

  test('one probe per differing term -> not one per entry', () => {
    // 300 entries apart, in three terms.
    const run = (term: number) => Array.from({ length: 100 }, () => term);
    const hardState = { term: 7, vote: 0, commit: 0 };
    const lone = new LoneNode({ hardState, terms: [1, ...run(3), ...run(5), ...run(7)] });
    const other = new LoneNode({ hardState, id: 2, terms: [1, ...run(2), ...run(4), ...run(6)] });
    let queue = lone.lead().filter(({ to }) => to === 2);
    let probes = 0;
    while (lone.progress(2).match < lone.node.status().lastIndex) {
      probes += queue.length;
      for (const message of queue) other.step(message);
      for (const answer of other.flush()) lone.step(answer);
      queue = lone.flush().filter(({ to }) => to === 2);
    }
    expect(probes).toBeLessThanOrEqual(7);
    expect(other.terms).toEqual(lone.terms);
  });
});

describe('acknowledgements: late, doubled, out of order', () => {
  test('R-53 H4 stale rejections and acknowledgements -> never lower what is known', () => {
    const lone = new LoneNode({ terms: [1, 1] });
    lone.lead();
    expect(lone.progress(2)).toMatchObject({ match: 0, next: 3, state: 'probe' });
    expect(lone.reject(2, 3, { index: 3, term: 1 })).toEqual([]);
    expect(lone.progress(2).next).toBe(3);
    expect(appends(lone.reject(2, 2, { index: 1, term: 1 }))).toEqual(['2: 1+2']);
    expect(lone.progress(2)).toMatchObject({ next: 2, paused: true });
    lone.acknowledge(2, 3);
    expect(lone.progress(2)).toMatchObject({ match: 3, next: 4, state: 'replicate' });
    lone.acknowledge(2, 1);
    lone.acknowledge(2, 0);
    lone.reject(2, 2, { index: 0, term: 0 });
    lone.reject(2, 3, { index: 0, term: 0 });
    expect(lone.progress(2)).toMatchObject({ match: 3, next: 4, state: 'replicate' });
  });

  test('R-105 H4 a rejection while streaming -> goes back to match, whatever it hints', () => {
    const lone = leader();
    for (let i = 0; i < 3; i += 1) {
      lone.propose('a');
      lone.flush();
    }
    expect(lone.progress(2)).toMatchObject({ match: 1, next: 5, state: 'replicate' });
    lone.acknowledge(2, 2);
    expect(appends(lone.reject(2, 3, { index: 0, term: 0 }))).toEqual(['2: 2+2']);
    expect(lone.progress(2)).toMatchObject({ match: 2, next: 3, state: 'probe', paused: true });
    // The same rejection again is of no message that is under way.
    expect(lone.reject(2, 3, { index: 0, term: 0 })).toEqual([]);
  });

  test('R-32 a member is heard of an old entry -> gets what it lacks, the others nothing', () => {
    const lone = new LoneNode();
    lone.lead();
    lone.acknowledge(2, 1);
    lone.propose('a');
    expect(appends(lone.flush())).toEqual(['2: 1+1']);
    expect(appends(lone.acknowledge(3, 1))).toEqual(['3: 1+1']);
  });

  test('an empty acknowledgement of a probed member that has nothing -> streams to it', () => {
    const lone = new LoneNode();
    lone.lead();
    // As H12 sends it, from a member that then joined this term.
    expect(appends(lone.acknowledge(2, 0))).toEqual(['2: 0+1']);
    expect(lone.progress(2)).toMatchObject({ match: 0, next: 2, state: 'replicate' });
  });
});

describe('the window', () => {
  test('F-1 F-2 full -> nothing more; each acknowledgement lets one more out', () => {
    const lone = leader({ inflightMessagesMax: 4 });
    const sent: string[] = [];
    for (let i = 0; i < 8; i += 1) {
      lone.propose('a');
      sent.push(...appends(lone.flush()).filter((each) => each.startsWith('2')));
    }
    expect(sent).toEqual(['2: 1+1', '2: 2+1', '2: 3+1', '2: 4+1']);
    expect(lone.progress(2)).toMatchObject({ inflightFull: true, paused: true, next: 6 });
    // All that waited goes out in one message.
    expect(appends(lone.acknowledge(2, 2)).filter((each) => each.startsWith('2'))[0]).toBe(
      '2: 5+4',
    );
    expect(lone.progress(2)).toMatchObject({ inflightCount: 4, inflightFull: true });
    lone.acknowledge(2, 1);
    expect(lone.progress(2)).toMatchObject({ inflightFull: true, paused: true });
  });

  test('F-3 H26 full and everything lost -> each heartbeat answer gives one empty append', () => {
    const lone = leader({ inflightMessagesMax: 2 });
    for (let i = 0; i < 5; i += 1) lone.propose('a');
    lone.flush();
    for (let round = 0; round < 3; round += 1) {
      expect(appends(lone.heard(2))).toEqual(['2: 3+0']);
      expect(lone.progress(2)).toMatchObject({ inflightFull: true, paused: true });
      lone.propose('b');
      expect(appends(lone.flush()).filter((each) => each.startsWith('2'))).toEqual([]);
    }
    // It turns out that the follower misses everything after 1.
    expect(appends(lone.reject(2, 3, { index: 1, term: 1 }))).toEqual(['2: 1+8']);
  });

  test('R-4 bytes in flight -> bounded, one message may overshoot', () => {
    const lone = leader({ appendBytesMax: 10, inflightBytesMax: 10 });
    for (let i = 0; i < 4; i += 1) lone.propose('123456');
    expect(appends(lone.flush()).filter((each) => each.startsWith('2'))).toEqual([
      '2: 1+1',
      '2: 2+1',
    ]);
    expect(lone.progress(2).inflightFull).toBe(true);
  });

  test('N-6 A-23 appendBytesMax -> bounds each message, but one entry always travels', () => {
    const size = 24 + 100;
    const text = 'x'.repeat(100);
    const lone = new LoneNode({ appendBytesMax: 2 * size + 1 });
    lone.lead();
    lone.propose(text, text, text, text, text);
    lone.flush();
    expect(appends(lone.acknowledge(2, 1)).filter((each) => each.startsWith('2'))).toEqual([
      '2: 1+2',
      '2: 3+2',
      '2: 5+1',
    ]);
    const narrow = new LoneNode({ appendBytesMax: 1 });
    narrow.lead();
    narrow.propose(text, text);
    narrow.flush();
    expect(appends(narrow.acknowledge(3, 1)).filter((each) => each.startsWith('3'))).toEqual([
      '3: 1+1',
      '3: 2+1',
    ]);
  });
});

describe('entries that must be loaded first', () => {
  /** A leader whose first four entries are committed, applied and no longer in memory. */
  function forgetful(): LoneNode {
    const lone = new LoneNode({
      terms: [1, 1, 1, 1],
      hardState: { term: 1, vote: 0, commit: 4 },
      applied: 4,
    });
    lone.lead();
    lone.store.evictedTo = 4;
    return lone;
  }

  test('pending -> asked for once, nothing sent until loaded, then goes on', () => {
    const lone = forgetful();
    lone.step({
      kind: 'append-response',
      from: 3,
      to: 1,
      term: 2,
      index: 4,
      hint: { index: 1, term: 1 },
    });
    const ready = lone.ready();
    expect(ready.fetch).toEqual([{ lo: 2, hi: 6 }]);
    expect(ready.messages).toEqual([]);
    // Neither news nor heartbeats ask a second time or send anything.
    lone.propose('a');
    expect(appends(lone.heard(3))).toEqual([]);
    expect(lone.node.hasReady()).toBe(false);
    lone.store.load(2);
    lone.node.entriesFetched({ lo: 2, hi: 6 });
    expect(appends(lone.flush())).toEqual(['3: 1+5']);
  });

  test('two members wait for the same entries -> one fetch serves both', () => {
    const lone = forgetful();
    for (const from of [2, 3]) {
      const envelope = { from, to: 1, term: 2, index: 4 };
      lone.step({ kind: 'append-response', ...envelope, hint: { index: 1, term: 1 } });
    }
    expect(lone.ready().fetch).toEqual([{ lo: 2, hi: 6 }]);
    lone.store.load(2);
    lone.node.entriesFetched({ lo: 2, hi: 6 });
    expect(appends(lone.flush())).toEqual(['2: 1+4', '3: 1+4']);
  });

  test('loaded and gone again -> asked for again', () => {
    const lone = forgetful();
    lone.reject(2, 4, { index: 0, term: 0 });
    lone.node.entriesFetched({ lo: 1, hi: 6 });
    expect(lone.ready().fetch).toEqual([{ lo: 1, hi: 6 }]);
  });

  test('loaded after office was lost, or for nobody -> nothing happens', () => {
    const lone = forgetful();
    lone.reject(2, 4, { index: 1, term: 1 });
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 9,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    lone.flush();
    lone.store.load(2);
    lone.node.entriesFetched({ lo: 2, hi: 6 });
    lone.node.entriesFetched({ lo: 77, hi: 78 });
    expect(lone.node.hasReady()).toBe(false);
  });

  test('a member that acknowledged more meanwhile -> waits for what it lacks now', () => {
    const lone = forgetful();
    lone.step({
      kind: 'append-response',
      from: 2,
      to: 1,
      term: 2,
      index: 4,
      hint: { index: 1, term: 1 },
    });
    lone.ready();
    lone.step({ kind: 'append-response', from: 2, to: 1, term: 2, index: 3 });
    expect(lone.ready().fetch).toEqual([{ lo: 4, hi: 6 }]);
    lone.store.load(2);
    lone.node.entriesFetched({ lo: 2, hi: 6 });
    expect(appends(lone.flush())).toEqual([]);
    lone.node.entriesFetched({ lo: 4, hi: 6 });
    expect(appends(lone.flush())).toEqual(['2: 3+2']);
  });
});
