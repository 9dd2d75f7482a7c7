/** Reads that the reference answers too early, or never: rows A-1 to A-6 (O2, O3, O4, O8, O9). */
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import type { MemberId } from '../../../src/raft/index.js';
import { Net } from './net.js';
import { only, Solo } from './solo.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

describe('who is alone', () => {
  test('A-1, O2: restarted with its commit index behind -> reads wait for the opening', () => {
    const hardState = { term: 1, vote: 1, commit: 1 };
    const solo = new Solo({ voters: [1], terms: [1, 1, 1], hardState });
    solo.campaign();
    solo.ready();
    solo.persist();
    expect(solo.node.role).toBe('leader');
    solo.node.readIndex(1);
    solo.ready();
    solo.node.readIndex(2);
    // Entries 2 and 3 may have been acknowledged: nothing may be read before they are known to be.
    expect(solo.ready().reads).toEqual([]);
    expect(solo.reads).toEqual([]);
    solo.persist();
    expect(solo.status.commit).toBe(4);
    solo.flush();
    expect(solo.reads).toEqual([
      { readId: 1, index: 4 },
      { readId: 2, index: 4 },
    ]);
  });

  test.each([0, 800])(
    'A-2, O2: removed by itself from {1,2}, lease of %i ms -> not answered here',
    (leaseMs) => {
      const solo = new Solo({ voters: [1, 2], checkQuorum: true, leaseMs });
      solo.tick(20);
      solo.lead();
      solo.acknowledge(2);
      solo.node.proposeConfChange({ type: 'remove', memberId: 1 });
      solo.flush();
      solo.acknowledge(2);
      expect(solo.node.configuration.voters).toEqual([2]);
      expect(solo.node.role).toBe('leader');
      solo.node.readIndex(1, 10);
      const sent = solo.flush();
      expect(solo.reads).toEqual([]);
      // Only the one that may lead by now can confirm it.
      const [asked] = only(sent, 'heartbeat-request');
      expect(asked).toMatchObject({ to: 2, reads: 1 });
      solo.heard(2, 1);
      expect(solo.reads).toHaveLength(1);
    },
  );

  test('A-2, O2: the same, stepping down as by default -> refused', () => {
    const solo = new Solo({ voters: [1, 2], stepDownOnRemoval: true });
    solo.lead();
    solo.acknowledge(2);
    solo.node.proposeConfChange({ type: 'remove', memberId: 1 });
    solo.flush();
    solo.acknowledge(2);
    expect(() => solo.node.readIndex(1)).toThrow(expect.objectContaining({ code: 'NO_LEADER' }));
  });

  test('A-5, O9: both halves are this very member -> answered at once', () => {
    const solo = new Solo({ voters: [1] });
    solo.lead();
    const update = [{ type: 'update', memberId: 1 }] as const;
    solo.node.proposeConfChange({ transition: 'joint-explicit', changes: update });
    solo.flush();
    expect(solo.node.configuration).toMatchObject({ voters: [1], votersOutgoing: [1] });
    solo.node.readIndex(1);
    solo.flush();
    expect(solo.reads).toEqual([{ readId: 1, index: 2 }]);
  });

  test('A-5, O9: a joint state that another has to confirm -> only with it', () => {
    const configuration = { voters: [1], votersOutgoing: [1, 2] };
    const solo = new Solo({ configuration });
    solo.lead();
    solo.acknowledge(2);
    solo.node.readIndex(1);
    solo.flush();
    expect(solo.reads).toEqual([]);
    solo.heard(2, 1);
    expect(solo.reads).toHaveLength(1);
  });

  test('A-6, O8: early reads of a leadership that was lost -> not answered by the next', () => {
    const solo = new Solo();
    solo.lead();
    solo.node.readIndex(1);
    solo.step({ kind: 'read-request', from: 2, readId: 2 });
    expect(solo.core.reads.hasEarly).toBe(true);
    solo.step({ kind: 'append-response', from: 3, term: 5, index: 0 });
    expect(solo.node.role).toBe('follower');
    solo.flush();
    solo.lead();
    solo.node.readIndex(3);
    const sent = solo.acknowledge(2);
    expect(solo.status.commit).toBe(2);
    sent.push(...solo.heard(2, 1));
    expect(solo.reads).toEqual([{ readId: 3, index: 2 }]);
    expect(only(sent, 'read-response')).toEqual([]);
  });
});

const tickMs = 100;
const leaseMs = 800;

/** Three members with leases, each with ticks of its own; the leader is 1. */
class Leased {
  readonly net: Net;
  nowMs = 10_000;
  readonly #random: Prng;
  readonly #due = new Map<MemberId, number>();

  constructor(seed: number) {
    this.#random = new Prng(seed);
    const preVote = seed % 2 === 0;
    this.net = new Net([1, 2, 3], (id) => ({
      leaseMs,
      checkQuorum: true,
      preVote,
      random: new Prng(seed * 10 + id),
    }));
    for (const id of [1, 2, 3]) this.#due.set(id, this.nowMs + randomInt(this.#random, tickMs));
    // Whoever starts may have pledged before.
    this.run(2 * 10 * tickMs, () => this.net.leaders.length === 1);
  }

  get leader(): MemberId {
    const [leader] = this.net.leaders;
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }

  /** Time passes, ms by ms. */
  run(ms: number, until: () => boolean = () => false): void {
    for (let end = this.nowMs + ms; this.nowMs < end && !until(); this.nowMs += 1) {
      for (const [id, due] of this.#due) {
        if (due > this.nowMs) continue;
        this.#due.set(id, due + tickMs);
        this.net.at(id).tick(1, () => this.nowMs);
        this.net.settle();
      }
    }
  }

  /** Whether a read is answered by the lease, now. */
  reads(id: MemberId, readId: number): boolean {
    const solo = this.net.at(id);
    if (solo.node.role !== 'leader') return false;
    const before = solo.reads.length;
    solo.node.readIndex(readId, this.nowMs);
    this.net.settle();
    return solo.reads.length > before;
  }
}

describe('leases', () => {
  test('A-3, O3: cut off right after a contact -> reads end before anybody else can lead', () => {
    let readsAfterCut = 0;
    for (let seed = 1; seed <= 20 * depth; seed += 1) {
      const group = new Leased(seed);
      const old = group.leader;
      group.net.at(old).propose('x');
      group.net.settle();
      group.run(3_000 + seed * 37);
      expect(group.net.at(old).node.role).toBe('leader');
      // The last heartbeat that was answered left at the leader's last tick.
      const sentAt = Math.max(
        ...only(group.net.sent, 'heartbeat-response').map((message) => message.sentAt),
      );
      group.net.isolate(old);
      let last = 0;
      let next: number | undefined;
      let readId = 1;
      const others = () => group.net.leaders.filter((id) => id !== old).length > 0;
      for (let step = 0; step < 400; step += 1) {
        group.run(10);
        if (next === undefined && others()) next = group.nowMs;
        if (group.reads(old, readId)) last = group.nowMs;
        readId += 1;
      }
      if (last > 0) readsAfterCut += 1;
      expect(next, `seed ${seed}: another leads`).toBeDefined();
      expect(last, `seed ${seed}`).toBeLessThan(sentAt + leaseMs);
      expect(last, `seed ${seed}`).toBeLessThan(next!);
    }
    expect(readsAfterCut).toBeGreaterThan(0);
  });

  test('A-3, O3: the others hear of a later term, one restarts, both campaign -> in vain', () => {
    for (let seed = 1; seed <= 10 * depth; seed += 1) {
      const group = new Leased(seed);
      const old = group.leader;
      group.net.at(old).propose('x');
      group.net.settle();
      group.run(3_000 + seed * 37);
      group.net.isolate(old);
      const others = [1, 2, 3].filter((id) => id !== old).map((id) => group.net.at(id));
      const term = others[0]!.node.term + 5;
      if (seed % 3 === 0) others[0]!.restart({ applied: 0 });
      for (const solo of others) {
        const [from] = others.map(({ id }) => id).filter((id) => id !== solo.id);
        solo.step({ kind: 'append-response', from: from!, term, index: 0 });
      }
      let last = 0;
      let next: number | undefined;
      for (let step = 0; step < 400; step += 1) {
        others[step % 2]!.campaign();
        group.net.settle();
        if (next === undefined && others.some(({ node }) => node.role === 'leader')) {
          next = group.nowMs;
        }
        if (group.reads(old, step + 1)) last = group.nowMs;
        group.run(5);
      }
      expect(last, `seed ${seed}: reads after the cut`).toBeGreaterThan(0);
      expect(next, `seed ${seed}: another leads`).toBeDefined();
      expect(last, `seed ${seed}`).toBeLessThan(next!);
    }
  });

  test('A-4, O4: a transfer was started -> no lease read again in this term', () => {
    const group = new Leased(2);
    const leader = group.leader;
    group.net.at(leader).propose('x');
    group.net.settle();
    group.run(500);
    expect(group.reads(leader, 1)).toBe(true);
    const solo = group.net.at(leader);
    const { term } = solo.node;
    // The word to campaign is lost, or late: nobody can tell.
    group.net.loses = ({ kind }) => kind === 'timeout-now';
    solo.node.transferLeader(leader === 1 ? 2 : 1);
    group.net.settle();
    for (let read = 2; read < 40; read += 1) {
      group.net.loses = ({ kind }) => kind === 'timeout-now' || kind === 'heartbeat-request';
      // Without a round of heartbeats it is not answered...
      expect(group.reads(leader, 100 + read)).toBe(false);
      group.net.loses = ({ kind }) => kind === 'timeout-now';
      group.run(50);
    }
    // ... and with one it is, long after the transfer was given up.
    expect(solo.status).toMatchObject({ term, role: 'leader', transferee: 0 });
    expect(group.reads(leader, 200)).toBe(true);
  });
});
