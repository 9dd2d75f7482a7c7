// The leader's decisions about leases, against a node whose every answer is in the test's hands.
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { kontikiError } from '../../src/base/errors.js';
import { decodeCommand } from '../../src/codec/command-codec.js';
import type { LeaseCommand, LeaseEntry } from '../../src/mvcc/lease-types.js';
import type { ProposeOptions } from '../../src/node/index.js';
import { LeaseExpiry } from '../../src/store/lease-expiry.js';
import { VirtualTime } from '../node/virtual-time.js';

interface Proposed {
  readonly command: LeaseCommand;
  readonly options: ProposeOptions;
  readonly outcome: Deferred<unknown>;
}

class World {
  readonly time = new VirtualTime();
  readonly leases = new Map<bigint, LeaseEntry>();
  readonly proposed: Proposed[] = [];
  /** Whether reads were for a quorum alone, or may be answered by a read lease, too. */
  readonly asked: ('quorum' | 'any')[] = [];
  leadTerm = 0;
  /** While present, nothing is confirmed. */
  held: Deferred<void> | undefined;
  readonly expiry: LeaseExpiry;

  constructor(...leases: LeaseEntry[]) {
    for (const lease of leases) this.leases.set(lease.id, lease);
    const world = this;
    this.expiry = new LeaseExpiry({
      node: {
        get leadTerm() {
          return world.leadTerm;
        },
        readIndex: async (options) => {
          world.asked.push(options?.byQuorum === true ? 'quorum' : 'any');
          await world.held?.promise;
        },
        propose: (encode, options) => {
          const bytes = encode({ session: 1, seq: 1, doneBelow: 1 });
          const command = decodeCommand(bytes).command as LeaseCommand;
          const outcome = new Deferred<unknown>();
          world.proposed.push({ command, options, outcome });
          return outcome.promise;
        },
      },
      keyspace: () => ({
        lease: (id) => world.leases.get(id),
        leases: () => world.leases.values(),
      }),
      ...{ clock: this.time, timers: this.time, checkpointIntervalMs: 10_000 },
    });
  }

  async lead(term: number): Promise<void> {
    this.leadTerm = term;
    this.expiry.check();
    await this.time.run(1);
  }

  /** The revoke is applied here. */
  async revoked({ command, outcome }: Proposed): Promise<void> {
    if (command.op !== 'lease-revoke') throw new Error('no revoke');
    this.leases.delete(command.id);
    this.expiry.applied({ op: 'lease-revoke', revision: 1, id: command.id, deleted: 0 });
    outcome.resolve(undefined);
    await this.time.run(1);
  }
}

const lease = (id: bigint, fields: Partial<LeaseEntry> = {}): LeaseEntry => {
  return { id, ttlSeconds: 5, remainingMs: 0, generation: 3, ...fields };
};
const unknown = () => kontikiError('TIMEOUT', 'not applied in time', { outcome: 'unknown' });
const rejected = () => kontikiError('OVERLOADED', 'too many', { outcome: 'rejected' });
const one = [{ id: 1n, generation: 3 }];

describe('expiry', () => {
  test('proposed a TTL after it leads, for this term and this lease, to this member alone', async () => {
    const world = new World(lease(1n), lease(2n, { ttlSeconds: 60, remainingMs: 2_000 }));
    await world.time.run(10_000);
    expect(world.proposed).toEqual([]);
    await world.lead(7);
    await world.time.run(1_990);
    expect(world.proposed).toEqual([]);
    await world.time.run(10);
    const revoke = (id: bigint) => {
      return { op: 'lease-revoke', id, expired: { term: 7, generation: 3 } };
    };
    expect(world.proposed.map(({ command }) => command)).toEqual([revoke(2n)]);
    expect(world.proposed[0]!.options.ownTerm).toBe(7);
    await world.time.run(3_000);
    expect(world.proposed.map(({ command }) => command)).toEqual([revoke(2n), revoke(1n)]);
    world.expiry.close();
  });

  test('nothing counts before what earlier terms left is applied', async () => {
    const world = new World(lease(1n));
    world.held = new Deferred();
    await world.lead(7);
    await world.time.run(20_000);
    expect(world.proposed).toEqual([]);
    // Granted anew by then: what counts is the state after the wait.
    world.leases.set(1n, lease(1n, { ttlSeconds: 8, generation: 4 }));
    world.held.resolve();
    world.held = undefined;
    await world.time.run(7_900);
    expect(world.proposed).toEqual([]);
    await world.time.run(200);
    expect(world.proposed[0]?.command).toMatchObject({ expired: { generation: 4 } });
    world.expiry.close();
  });

  test('a leader that is not confirmed lets nothing expire', async () => {
    const world = new World(lease(1n));
    await world.lead(7);
    world.held = new Deferred();
    await world.time.run(60_000);
    expect(world.proposed).toEqual([]);
    world.leadTerm = 0;
    world.expiry.check();
    world.held.resolve();
    await world.time.run(60_000);
    expect(world.proposed).toEqual([]);
    world.expiry.close();
    expect(world.time.pending).toBe(0);
  });

  test('a refused revoke is tried again; one that may have taken effect is not given up', async () => {
    const world = new World(lease(1n));
    await world.lead(7);
    await world.time.run(5_000);
    world.proposed[0]!.outcome.reject(rejected());
    await world.time.run(1_100);
    expect(world.proposed).toHaveLength(2);
    world.proposed[1]!.outcome.reject(unknown());
    const kept = world.expiry.keepAlive(one);
    await world.time.run(1_100);
    expect(world.proposed).toHaveLength(3);
    world.proposed[2]!.outcome.reject(rejected());
    await world.time.run(1_100);
    await world.revoked(world.proposed[3]!);
    expect(await world.time.settle(kept)).toEqual([0]);
    expect(world.time.pending).toBe(0);
  });

  test('no more revokes under way than the limit, and all of them in the end', async () => {
    const leases = Array.from({ length: 300 }, (_, nth) => lease(BigInt(nth + 1)));
    const world = new World(...leases);
    await world.lead(7);
    await world.time.run(6_000);
    expect(world.proposed).toHaveLength(128);
    for (let nth = 0; nth < 300; nth += 1) await world.revoked(world.proposed[nth]!);
    expect(world.leases.size).toBe(0);
    expect(world.time.pending).toBe(0);
  });
});

describe('keep-alive', () => {
  test('20616 while a revoke is under way: it waits, and says that the lease is gone', async () => {
    const world = new World(lease(1n));
    await world.lead(7);
    await world.time.run(5_000);
    let answer: number[] | undefined;
    void world.expiry.keepAlive(one).then((it) => {
      answer = it;
    });
    await world.time.run(1_000);
    expect(answer).toBeUndefined();
    await world.revoked(world.proposed[0]!);
    expect(answer).toEqual([0]);
  });

  test('after a refused revoke it renews', async () => {
    const world = new World(lease(1n));
    await world.lead(7);
    await world.time.run(5_000);
    const kept = world.expiry.keepAlive(one);
    world.proposed[0]!.outcome.reject(rejected());
    expect(await world.time.settle(kept)).toEqual([5]);
    await world.time.run(4_900);
    expect(world.proposed).toHaveLength(1);
    await world.time.run(200);
    expect(world.proposed).toHaveLength(2);
    world.expiry.close();
  });

  test('another generation, an unknown id -> 0; generation 0 -> whichever there is', async () => {
    const world = new World(lease(1n));
    await world.lead(7);
    const names = [
      { id: 1n, generation: 2 },
      { id: 9n, generation: 0 },
      { id: 1n, generation: 0 },
    ];
    expect(await world.expiry.keepAlive(names)).toEqual([0, 0, 5]);
    const [other, unknownId, any] = names;
    expect(await world.expiry.timeToLive(other!)).toBeUndefined();
    expect(await world.expiry.timeToLive(unknownId!)).toBeUndefined();
    expect(await world.expiry.timeToLive(any!)).toMatchObject({ ttlSeconds: 5 });
    world.expiry.close();
  });

  test('renewed, or ended when it runs out -> by the word of a quorum; what it has left is only read', async () => {
    const world = new World(lease(1n));
    await world.lead(7);
    world.asked.length = 0;
    await world.expiry.keepAlive(one);
    await world.expiry.timeToLive(one[0]!);
    await world.time.run(5_000);
    expect(world.proposed).toHaveLength(1);
    const [renewed, read, ...ended] = world.asked;
    expect([renewed, read, ...new Set(ended)]).toEqual(['quorum', 'any', 'quorum']);
    world.expiry.close();
  });

  test('a noted lease: the reset is proposed, and the answer waits for it', async () => {
    const world = new World(lease(1n, { ttlSeconds: 60 }));
    await world.lead(7);
    await world.time.run(10_000);
    expect(world.proposed[0]!.command).toEqual({
      ...{ op: 'lease-checkpoint', term: 7 },
      leases: [{ id: 1n, generation: 3, remainingMs: 50_000 }],
    });
    let isAnswered = false;
    const kept = world.expiry.keepAlive(one).finally(() => {
      isAnswered = true;
    });
    await world.time.run(100);
    expect(isAnswered).toBe(false);
    expect(world.proposed[1]!.command).toMatchObject({ leases: [{ id: 1n, remainingMs: 0 }] });
    expect(world.proposed[1]!.options.ownTerm).toBe(7);
    world.proposed[1]!.outcome.resolve(undefined);
    expect(await world.time.settle(kept)).toEqual([60]);
    // The next one needs none.
    expect(await world.time.settle(world.expiry.keepAlive(one))).toEqual([60]);
    expect(world.proposed).toHaveLength(2);
    world.expiry.close();
  });

  test('a follower, a deposed leader -> LEADER_CHANGED', async () => {
    const world = new World(lease(1n));
    const changed = { code: 'LEADER_CHANGED' };
    await expect(world.expiry.keepAlive(one)).rejects.toMatchObject(changed);
    await world.lead(7);
    world.held = new Deferred();
    const kept = world.expiry.keepAlive(one);
    world.leadTerm = 9;
    world.held.resolve();
    await expect(kept).rejects.toMatchObject(changed);
    world.expiry.close();
  });
});

describe('leases of one message', () => {
  test('one that is being revoked holds up no other', async () => {
    const world = new World(lease(1n), lease(2n, { ttlSeconds: 10 }));
    await world.lead(7);
    await world.time.run(5_000);
    expect(world.proposed.map(({ command }) => command)).toMatchObject([
      { op: 'lease-revoke', id: 1n },
    ]);
    const kept = world.expiry.keepAlive([
      { id: 1n, generation: 3 },
      { id: 2n, generation: 3 },
    ]);
    await world.time.run(5_500);
    expect(world.proposed).toHaveLength(1);
    await world.revoked(world.proposed[0]!);
    expect(await world.time.settle(kept)).toEqual([0, 10]);
    world.expiry.close();
  });

  test('the revoke of one was refused, that of another takes long -> it is renewed meanwhile', async () => {
    const world = new World(lease(1n), lease(2n));
    await world.lead(7);
    await world.time.run(5_000);
    expect(world.proposed).toHaveLength(2);
    const kept = world.expiry.keepAlive([
      { id: 1n, generation: 3 },
      { id: 2n, generation: 3 },
    ]);
    await world.time.run(100);
    world.proposed[1]!.outcome.reject(rejected());
    await world.time.run(4_900);
    expect(world.proposed).toHaveLength(2);
    await world.revoked(world.proposed[0]!);
    expect(await world.time.settle(kept)).toEqual([0, 5]);
    world.expiry.close();
  });

  test('one that runs out while it waits for another -> its own revoke is waited for, too', async () => {
    const world = new World(lease(1n), lease(2n, { ttlSeconds: 6 }));
    await world.lead(7);
    await world.time.run(5_000);
    let answer: number[] | undefined;
    void world.expiry
      .keepAlive([
        { id: 1n, generation: 3 },
        { id: 2n, generation: 3 },
      ])
      .then((it) => {
        answer = it;
      });
    await world.time.run(6_500);
    expect(world.proposed.map(({ command }) => command)).toMatchObject([{ id: 1n }, { id: 2n }]);
    await world.revoked(world.proposed[0]!);
    await world.time.run(1_000);
    expect(answer).toBeUndefined();
    await world.revoked(world.proposed[1]!);
    expect(answer).toEqual([0, 0]);
  });

  test('deposed while it waits for one -> LEADER_CHANGED for all, whatever it renewed', async () => {
    const world = new World(lease(1n), lease(2n, { ttlSeconds: 10 }));
    await world.lead(7);
    await world.time.run(5_000);
    const kept = world.expiry.keepAlive([
      { id: 2n, generation: 3 },
      { id: 1n, generation: 3 },
    ]);
    await world.time.run(100);
    world.leadTerm = 0;
    world.expiry.check();
    world.proposed[0]!.outcome.reject(unknown());
    await expect(world.time.settle(kept)).rejects.toMatchObject({ code: 'LEADER_CHANGED' });
    // Leading again, it counts from what the log says.
    await world.lead(9);
    await world.time.run(9_500);
    expect(world.proposed).toHaveLength(2);
    await world.time.run(1_000);
    expect(world.proposed.at(-1)!.command).toMatchObject({ id: 2n, expired: { term: 9 } });
    world.expiry.close();
  });
});
