/**
 * What the reference's node wrapper is tested for, of our core and our driver: rows N. Where the driver
 * in `src/node` adds nothing, the harness of these scenarios drives the core.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { encodedBytes } from '../../../src/raft/log.js';
import { Cluster } from '../../node/cluster.js';
import { Disk, entriesOf, entryOf } from './disk.js';
import { Net } from './net.js';
import { only, Solo, type SoloOptions, texts } from './solo.js';

const error = (code: string, outcome: string) => expect.objectContaining({ code, outcome });
const thousand = () => new Uint8Array(1_000);

describe('what followers pass on', () => {
  test('N-1: proposals on two followers, one not to forward -> passed on; refused', () => {
    const net = new Net([1, 2, 3], (id) => ({ proposalForwarding: id !== 3 }));
    net.elect(1);
    const refusal = expect.objectContaining({
      code: 'NOT_LEADER',
      outcome: 'rejected',
      leaderId: 1,
    });
    expect(() => net.at(3).propose('lost')).toThrow(refusal);
    net.propose(2, 'kept');
    for (const solo of net.members.values()) expect(texts(solo.applied)).toEqual(['kept']);
    expect(only(net.sent, 'propose-request')).toMatchObject([{ from: 2, to: 1, term: 0 }]);
  });

  // Ours name the term they are meant for: an old leader drops them, and their readers ask again.
  test('N-2: reads asked of an old leader that arrive after the next was elected -> dropped', () => {
    const net = new Net([1, 2, 3]);
    net.elect(1);
    net.at(2).node.readIndex(20);
    net.at(3).node.readIndex(30);
    const late = [...net.at(2).flush(), ...net.at(3).flush()];
    expect(late).toMatchObject([
      { kind: 'read-request', from: 2, to: 1, term: 1, readId: 20 },
      { kind: 'read-request', from: 3, to: 1, term: 1, readId: 30 },
    ]);
    net.elect(3);
    for (const message of late) net.at(1).step(message);
    expect(net.at(1).flush()).toEqual([]);
    net.settle();
    expect([net.at(2).reads, net.at(3).reads]).toEqual([[], []]);
    net.at(2).node.readIndex(21);
    net.settle();
    expect(net.at(2).reads).toEqual([{ readId: 21, index: 2 }]);
  });
});

describe('the driver', () => {
  let cluster: Cluster | undefined;
  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  test('N-3: proposed without a leader -> waits, and succeeds once there is one', async () => {
    cluster = new Cluster();
    await cluster.open(1);
    let isSettled = false;
    const done = cluster.propose(1, 'a', 60_000).finally(() => {
      isSettled = true;
    });
    await cluster.time.run(3_000);
    expect(isSettled).toBe(false);
    await cluster.open(2);
    expect(await cluster.time.settle(done)).toBe('did a');
  });

  test('N-3: waiting for a leader -> cancelled and closed at once', async () => {
    cluster = new Cluster();
    const node = await cluster.open(1);
    const abort = new AbortController();
    const cancelled = cluster.propose(1, 'a', 60_000, abort.signal);
    const closed = cluster.propose(1, 'b', 60_000);
    await cluster.time.run(1_000);
    const before = cluster.time.monotonicMs();
    abort.abort(new Error('enough'));
    await expect(cluster.time.settle(cancelled)).rejects.toThrow('enough');
    const closing = node.close();
    await expect(cluster.time.settle(closed)).rejects.toEqual(error('CLOSED', 'rejected'));
    await cluster.time.settle(closing);
    expect(cluster.time.monotonicMs() - before).toBeLessThan(100);
  });

  test('N-4: the core takes no more -> the caller hears that nothing was done', async () => {
    cluster = new Cluster([1]);
    await cluster.open(1);
    await cluster.time.settle(cluster.propose(1, 'a'));
    const { machine } = cluster.member(1);
    machine.hold();
    // Together above the limit of what may be unapplied; the first always passes.
    const large = 'x'.repeat(34 * 1_024 * 1_024);
    const first = cluster.propose(1, `${large}1`);
    const second = cluster.propose(1, `${large}2`);
    await expect(cluster.time.settle(second)).rejects.toEqual(error('OVERLOADED', 'rejected'));
    machine.release();
    await cluster.time.settle(first);
    expect(machine.applied.map(({ length }) => length)).toEqual([1, large.length + 1]);
  });

  test('N-12: closed twice, and asked afterwards -> once, and a status that says so', async () => {
    cluster = new Cluster([1]);
    const node = await cluster.open(1);
    await cluster.time.settle(cluster.propose(1, 'a'));
    await cluster.time.settle(Promise.all([node.close(), node.close()]));
    await cluster.time.settle(node.close());
    expect(cluster.member(1).machine.closed).toBe(1);
    expect(node.status).toMatchObject({ lifecycle: 'closed', pendingProposals: 0 });
    expect(node.status.failure).toBeUndefined();
    await expect(cluster.time.settle(cluster.propose(1, 'b'))).rejects.toEqual(
      error('CLOSED', 'rejected'),
    );
  });
});

describe('what is handed out', () => {
  const sync: SoloOptions = { voters: [1], asyncStorageWrites: false };

  test('N-5: begun with one peer -> its change, a vote, the opening, a proposal, its commit', () => {
    const solo = new Solo({ voters: [], asyncStorageWrites: false });
    solo.node.bootstrap([{ id: 1 }]);
    const carryOut = () => {
      const ready = solo.ready();
      solo.persist();
      solo.apply(ready.apply);
      solo.node.advance();
      return ready;
    };
    const first = carryOut();
    expect(first.append).toMatchObject({
      hardState: { term: 1, vote: 0, commit: 1 },
      entries: [{ term: 1, index: 1, type: 'config-change' }],
      mustSync: true,
    });
    expect(first.apply?.entries).toEqual(first.append?.entries);
    solo.campaign();
    expect(carryOut().append).toMatchObject({
      hardState: { term: 2, vote: 1, commit: 1 },
      mustSync: true,
    });
    const opening = carryOut();
    expect(opening.append?.entries).toMatchObject([{ term: 2, index: 2 }]);
    solo.propose('foo');
    const second = carryOut();
    expect(second.append).toMatchObject({
      hardState: { term: 2, vote: 1, commit: 2 },
      entries: [{ term: 2, index: 3 }],
      mustSync: true,
    });
    expect(texts(second.append?.entries ?? [])).toEqual(['foo']);
    expect(second.apply?.entries).toMatchObject([{ term: 2, index: 2 }]);
    const last = carryOut();
    expect(last.append).toMatchObject({
      hardState: { term: 2, vote: 1, commit: 3 },
      entries: [],
      mustSync: false,
    });
    expect(last.apply?.entries).toMatchObject([{ term: 2, index: 3 }]);
    expect(solo.node.hasReady()).toBe(false);
  });

  test('N-6: messages of 2048 bytes, five proposals for members that come back -> cut to size', () => {
    const net = new Net([1, 2, 3], () => ({ appendBytesMax: 2_048 }));
    net.elect(1);
    net.isolate(1);
    for (let nth = 0; nth < 5; nth += 1) net.propose(1, thousand());
    net.heal();
    const before = net.sent.length;
    net.tick(1, [1]);
    const sizes = only(net.sent.slice(before), 'append-request').map(({ entries }) =>
      entries.reduce((sum, entry) => sum + encodedBytes(entry), 0),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_048);
    expect(Math.max(...sizes)).toBeGreaterThan(1_024);
    for (const id of [1, 2, 3]) expect(net.at(id).status.commit).toBe(6);
  });

  test('N-7: an apply budget of 2048 bytes, three proposals -> two, then one', () => {
    const solo = new Solo({ ...sync, applyBytesMax: 2_048 });
    solo.lead();
    solo.propose(thousand());
    solo.propose(thousand());
    solo.propose(thousand());
    const counts: number[] = [];
    while (solo.node.hasReady()) {
      const before = solo.applied.length;
      solo.turn();
      if (solo.applied.length > before) counts.push(solo.applied.length - before);
    }
    expect(counts).toEqual([2, 1]);
  });

  test('N-8: the same asynchronously -> the third only after an answer of the state machine', () => {
    const solo = new Solo({ voters: [1], applyBytesMax: 2_048 });
    solo.lead();
    for (let nth = 0; nth < 3; nth += 1) {
      const entry = entryOf(1, 2 + nth, thousand());
      expect(encodedBytes(entry)).toBe(1_024);
      solo.propose(entry.data);
    }
    const batches: ReturnType<Solo['ready']>['apply'][] = [];
    const drain = () => {
      while (solo.node.hasReady()) {
        const { apply } = solo.ready();
        if (apply !== undefined) batches.push(apply);
        solo.persist();
      }
      return batches.map((batch) => batch?.entries.map(({ index }) => index));
    };
    expect(drain()).toEqual([[2, 3]]);
    expect(solo.status.commit).toBe(4);
    solo.apply(batches[0]);
    expect(drain()).toEqual([[2, 3], [4]]);
  });

  test('N-9: restart over a store that returns more than asked -> the commit index stays', () => {
    const entries = entriesOf(Array.from({ length: 10 }, () => 1));
    const hardState = { term: 1, vote: 1, commit: 10 };
    const disk = new Disk({ entries, hardState, configuration: { voters: [1] } });
    disk.overshoot = 1;
    const applyBytesMax = entries.slice(0, 9).reduce((sum, each) => sum + encodedBytes(each), -1);
    const solo = new Solo({ ...sync, disk, applyBytesMax });
    while (solo.node.hasReady()) {
      const ready = solo.ready();
      expect(ready.append?.hardState?.commit ?? 10).toBeGreaterThanOrEqual(10);
      solo.persist();
      solo.apply(ready.apply);
      solo.node.advance();
    }
    expect(solo.applied.map(({ index }) => index)).toEqual(entries.map(({ index }) => index));
    expect(solo.status.commit).toBe(10);
  });

  test('N-10: a learner added -> counted once applied, and by the next process', () => {
    const solo = new Solo({ voters: [1] });
    solo.lead();
    solo.node.proposeConfChange({ type: 'add-learner', memberId: 2 });
    expect(solo.node.configuration.learners).toEqual([]);
    solo.flush();
    expect(solo.node.configuration).toMatchObject({ voters: [1], learners: [2] });
    solo.restart({ applied: solo.status.applied });
    expect(solo.node.configuration).toMatchObject({ voters: [1], learners: [2] });
  });
});

describe('what counts as news', () => {
  const heartbeat = { kind: 'heartbeat-request', from: 2, reads: 0, sentAt: 0 } as const;
  const follower = () => {
    const solo = new Solo({ terms: [3, 3], hardState: { term: 3, vote: 0, commit: 1 } });
    solo.step({ ...heartbeat, commit: 0 });
    solo.flush();
    return solo;
  };
  const last = { index: 2, term: 3 };
  /** Answers are news of their own: only the states are looked at. */
  const states = (solo: Solo) => {
    const { softState, append } = solo.ready();
    return { soft: softState, hard: append?.hardState };
  };

  test('N-11: hard state -> told when any one field differs, only then', () => {
    const term = follower();
    term.step({ kind: 'append-response', from: 2, term: 4, index: 0 });
    expect(states(term).hard).toEqual({ term: 4, vote: 0, commit: 1 });

    const vote = follower();
    vote.node.forgetLeader();
    vote.step({ kind: 'vote-request', from: 3, last });
    expect(states(vote).hard).toEqual({ term: 3, vote: 3, commit: 1 });

    const commit = follower();
    commit.step({ ...heartbeat, commit: 2 });
    expect(states(commit)).toEqual({ soft: undefined, hard: { term: 3, vote: 0, commit: 2 } });

    const same = follower();
    same.step({ ...heartbeat, commit: 1 });
    expect(states(same)).toEqual({ soft: undefined, hard: undefined });
    // Nothing written is the same as all zero.
    expect(new Solo().node.hasReady()).toBe(false);
  });

  test('N-11: soft state -> told when leader or role differs, only then', () => {
    const leader = follower();
    leader.step({ ...heartbeat, from: 3, commit: 1 });
    expect(states(leader).soft).toEqual({ leader: 3, role: 'follower' });
    expect(states(leader).soft).toBeUndefined();

    const role = new Solo();
    role.campaign();
    expect(states(role).soft).toEqual({ leader: 0, role: 'candidate' });

    // There and back between two looks is no news.
    const back = follower();
    back.node.forgetLeader();
    back.step({ ...heartbeat, commit: 1 });
    expect(states(back).soft).toBeUndefined();
  });
});
