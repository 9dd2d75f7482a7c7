// Goal: while leaders read by lease, what a lease answers keeps nobody acting who leads no more.
import { afterEach, describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { Leadership } from '../../src/node/leadership.js';
import { leaseMsOf } from '../../src/node/lease.js';
import type { MemberId } from '../../src/raft/types.js';
import { Cluster } from './cluster.js';
import { RecordingMachine } from './recording-machine.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
/** Of the members of a `Cluster`: 10 ticks of 100 ms. */
const leaseMs = leaseMsOf(100, 10);

/** Lease reads were switched on long ago. */
class LeaseMachine extends RecordingMachine {
  readonly durableReadLease;

  constructor(length: number) {
    super();
    this.durableReadLease = { leaseMs: length, everMs: length };
  }
}

describe('leaderships while leaders read by lease', () => {
  let cluster: Cluster;
  let isReading = false;
  afterEach(async () => {
    isReading = false;
    await cluster.close();
  });

  /** What each member was told last, while it goes on. */
  const followed = new Map<MemberId, Leadership[]>();
  const held = (id: MemberId) => {
    const last = followed.get(id)?.at(-1);
    return last?.lost.aborted === false ? last : undefined;
  };
  const acting = () => cluster.ids.filter((id) => held(id) !== undefined);

  async function follow(id: MemberId): Promise<void> {
    const seen: Leadership[] = [];
    followed.set(id, seen);
    for await (const leadership of cluster.node(id).leadership()) seen.push(leadership);
  }

  /** One read after another, on whoever leads: those of the others are never answered by lease. */
  function readAllTheTime(): void {
    isReading = true;
    const next = (): void => {
      if (!isReading) return;
      for (const node of cluster.ids.map((id) => cluster.node(id))) {
        if (node.leadTerm !== 0) node.readIndex().catch(() => undefined);
      }
      cluster.time.after(5, next);
    };
    next();
  }

  async function opened(length = leaseMs): Promise<MemberId> {
    cluster = new Cluster();
    for (const id of cluster.ids) {
      await cluster.open(id, { machine: new LeaseMachine(length) });
      void follow(id);
    }
    await cluster.time.until(() => acting().length > 0);
    return acting()[0] as MemberId;
  }

  test('reads are answered by lease all the time -> the same leadership goes on', async () => {
    const leader = await opened();
    readAllTheTime();
    await cluster.time.run(20_000);
    const all = [...followed.values()].flat();
    expect(all).toHaveLength(1);
    expect(held(leader)?.term).toBe(all[0]?.term);
    // They were: hardly any took a round of heartbeats.
    const { messagesSent, readRounds } = cluster.node(leader).metrics();
    expect(readRounds).toBeGreaterThan(3_000);
    expect(messagesSent['heartbeat-request']).toBeLessThan(readRounds / 4);
  });

  test.each([false, true])(
    'the leader is cut off, reads there: %s -> lost before anybody else can be elected',
    async (reads) => {
      const old = await opened();
      const { time } = cluster;
      if (reads) readAllTheTime();
      await time.run(3_000);
      const leadership = held(old) as Leadership;
      cluster.isolate(old);
      // The last heartbeats that were answered left before: nobody pledged for longer.
      await time.run(leaseMs);
      expect(leadership.lost.aborted).toBe(true);
      expect(cluster.node(old).status.raft).toMatchObject({ role: 'leader' });
      await time.until(() => acting().length > 0);
      expect(acting()).not.toContain(old);
    },
  );

  /** Its proof ran out, another one led for a moment, and it leads again, sooner than it would look by itself. */
  async function ledAgain(): Promise<{ readonly id: MemberId; readonly signal: AbortSignal }> {
    const id = await opened();
    const { time } = cluster;
    const [other] = cluster.followers(id);
    const signalOf = (nth: number) => followed.get(id)?.[nth]?.lost as AbortSignal;
    await time.run(3_000);
    cluster.isolate(id);
    const first = signalOf(0);
    await time.until(() => first.aborted);
    await time.run(20);
    cluster.heal();
    const within = { timeoutMs: 5_000 };
    await time.settle(cluster.node(id).members.transferLeadership(other, within));
    await time.settle(cluster.node(other).members.transferLeadership(id, within));
    await time.until(() => followed.get(id)?.length === 2);
    // As a consumer has it: looked at, not asked for again.
    return { id, signal: signalOf(1) };
  }

  test('led again soon after a term that was given up -> asks for rounds at once, and acts no longer than proven', async () => {
    const { id, signal } = await ledAgain();
    cluster.isolate(id);
    await cluster.time.run(leaseMs + 1);
    expect(signal.aborted).toBe(true);
  });

  test('led again soon after a term that was given up, nothing happens -> it goes on', async () => {
    const { signal } = await ledAgain();
    await cluster.time.run(10_000);
    expect(signal.aborted).toBe(false);
  });

  test('leases of a member with shorter timings -> nobody acts for longer than others stand by', async () => {
    const old = await opened(300);
    await cluster.time.run(3_000);
    const leadership = held(old) as Leadership;
    cluster.isolate(old);
    await cluster.time.run(300);
    expect(leadership.lost.aborted).toBe(true);
  });

  test('a leader that is cut off, its lease not over -> says nothing final about the membership', async () => {
    const leader = await opened();
    await cluster.time.run(3_000);
    cluster.isolate(leader);
    const { members } = cluster.node(leader);
    const removed = members.remove(99, { timeoutMs: 300 });
    // By its lease it reads still; it could be over if clocks did not run at one rate.
    await cluster.time.settle(cluster.node(leader).readIndex(), 10);
    await expect(cluster.time.settle(removed)).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  const seeds = Array.from({ length: Math.max(1, Math.round(4 * depth)) }, (_, nth) => nth + 1);
  test.each(seeds)(
    'members cut off at random, seed %i -> never two that act at once',
    async (seed) => {
      const random = new Prng(seed);
      await opened();
      readAllTheTime();
      for (let round = 0; round < 12; round += 1) {
        const [leader] = acting();
        cluster.isolate(leader ?? cluster.ids[randomInt(random, 3)]!);
        for (let step = 100 + randomInt(random, 100); step >= 0; step -= 1) {
          await cluster.time.run(20);
          expect(acting().length).toBeLessThanOrEqual(1);
        }
        cluster.heal();
        await cluster.time.until(() => acting().length > 0);
        await cluster.time.run(randomInt(random, 1_000));
      }
    },
  );
});
