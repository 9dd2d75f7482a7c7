// Goal: who is told to lead does lead, is told in time when that ends, and never twice for one term.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import { type Leadership, Leaderships } from '../../src/node/leadership.js';
import type { MemberId } from '../../src/raft/types.js';
import { Cluster } from './cluster.js';
import { VirtualTime } from './virtual-time.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
/** Of the members of a `Cluster`: 10 ticks of 100 ms. */
const electionMs = 1_000;

/** What a consumer saw of one member. */
class Consumer {
  readonly seen: Leadership[] = [];
  isDone = false;
  error: unknown;

  constructor(leaderships: AsyncIterable<Leadership>) {
    this.#run(leaderships).catch((error: unknown) => {
      this.error = error;
    });
  }

  get last(): Leadership | undefined {
    return this.seen.at(-1);
  }

  /** The one that goes on. */
  get held(): Leadership | undefined {
    return this.last?.lost.aborted === false ? this.last : undefined;
  }

  async #run(leaderships: AsyncIterable<Leadership>): Promise<void> {
    for await (const leadership of leaderships) this.seen.push(leadership);
    this.isDone = true;
  }
}

describe('a group', () => {
  let cluster: Cluster;
  afterEach(() => cluster.close());

  const isLeading = (id: MemberId) => cluster.node(id).leadTerm !== 0;

  const follow = (id: MemberId) => new Consumer(cluster.node(id).leadership());

  test('a leader that has applied an entry of its term -> yielded there, and nowhere else', async () => {
    cluster = new Cluster();
    for (const id of cluster.ids) await cluster.open(id);
    const consumers = new Map(cluster.ids.map((id) => [id, follow(id)]));
    const leader = await cluster.elect();
    await cluster.time.run(5_000);
    const { term } = cluster.node(leader).status.raft;
    for (const [id, { seen }] of consumers) {
      expect(seen.map((each) => each.term)).toEqual(id === leader ? [term] : []);
    }
    expect(consumers.get(leader)?.held?.term).toBe(term);
  });

  test('its state machine is behind -> not before it has applied an entry of the term', async () => {
    cluster = new Cluster([1]);
    await cluster.open(1);
    const { machine, node } = cluster.member(1);
    machine.hold();
    const consumer = follow(1);
    await cluster.time.run(3_000);
    expect(node.status.raft.role).toBe('leader');
    expect(consumer.seen).toEqual([]);
    machine.release();
    await cluster.time.until(() => consumer.seen.length === 1);
    expect(consumer.held?.term).toBe(node.status.raft.term);
  });

  test('a consumer that comes late -> told of what goes on; two of them -> the same', async () => {
    cluster = await Cluster.led();
    const leader = await cluster.elect();
    await cluster.time.run(10_000);
    const [early, late] = [follow(leader), follow(leader)];
    await cluster.time.until(() => early.held !== undefined && late.held !== undefined);
    expect(late.last?.lost).toBe(early.last?.lost);
  });

  test('the leader is cut off -> lost within an election timeout, before its core notices', async () => {
    cluster = await Cluster.led();
    const old = await cluster.elect();
    const consumers = new Map(cluster.ids.map((id) => [id, follow(id)]));
    const { time } = cluster;
    await time.until(() => consumers.get(old)?.held !== undefined);
    await time.run(3_000);
    const held = consumers.get(old)?.last as Leadership;
    cluster.isolate(old);
    const cutMs = time.monotonicMs();
    await time.until(() => held.lost.aborted);
    expect(time.monotonicMs() - cutMs).toBeLessThanOrEqual(electionMs);
    expect(cluster.node(old).status.raft).toMatchObject({ role: 'leader', term: held.term });
    expect(held.lost.reason).toMatchObject({ code: 'LEADER_CHANGED' });
    const next = await cluster.elect(cluster.followers(old));
    await time.until(() => consumers.get(next)?.held !== undefined);
    expect(consumers.get(next)?.last?.term).toBeGreaterThan(held.term);
    expect(consumers.get(old)?.seen).toHaveLength(1);
  });

  test('leadership is handed over -> lost before the other one begins', async () => {
    cluster = await Cluster.led();
    const old = await cluster.elect();
    const consumers = cluster.ids.map((id) => follow(id));
    const own = consumers[cluster.ids.indexOf(old)] as Consumer;
    await cluster.time.until(() => own.held !== undefined);
    const othersAtLoss: unknown[] = [];
    own.last?.lost.addEventListener('abort', () => {
      // Before the word leaves: by its core it leads still.
      othersAtLoss.push(cluster.ids.filter(isLeading));
    });
    // A leader whose disk is full hands over.
    Object.defineProperty(cluster.member(old).log, 'hasSpace', { value: false });
    await cluster.time.until(() => consumers.some((each) => each !== own && each.held));
    expect(othersAtLoss).toEqual([[old]]);
    expect(own.seen).toHaveLength(1);
  });

  test('nobody asks -> no round of heartbeats is spent on it', async () => {
    cluster = await Cluster.led();
    const leader = await cluster.elect();
    await cluster.time.run(5_000);
    expect(cluster.node(leader).metrics().readRounds).toBe(0);
  });

  test('the member is closed -> lost, and the iteration is done', async () => {
    cluster = await Cluster.led();
    const leader = await cluster.elect();
    const consumer = follow(leader);
    await cluster.time.until(() => consumer.held !== undefined);
    await cluster.time.settle(cluster.node(leader).close());
    expect(consumer.last?.lost.aborted).toBe(true);
    expect(consumer).toMatchObject({ isDone: true, error: undefined });
    expect(cluster.time.uncaught).toEqual([]);
  });

  test('the member fails -> lost for that reason, which the iteration throws', async () => {
    cluster = await Cluster.led();
    const leader = await cluster.elect();
    const consumer = follow(leader);
    await cluster.time.until(() => consumer.held !== undefined);
    const error = kontikiError('STORAGE_IO', 'the disk is gone');
    cluster.node(leader).fail(error);
    await cluster.time.run(10);
    expect(consumer.last?.lost.reason).toBe(error);
    expect(consumer.error).toBe(error);
    await expect(cluster.node(leader).leadership().next()).rejects.toBe(error);
  });

  test('its term was given up, and then the others are removed -> the lone voter leads another term', async () => {
    cluster = new Cluster([1, 2]);
    for (const id of cluster.ids) await cluster.open(id);
    const { time } = cluster;
    const leader = await cluster.elect();
    const other = leader === 1 ? 2 : 1;
    const consumer = follow(leader);
    await time.until(() => consumer.held !== undefined);
    await time.run(2_000);
    cluster.isolate(leader);
    await time.until(() => consumer.held === undefined);
    await time.run(20);
    cluster.heal();
    await time.run(500);
    expect(isLeading(leader)).toBe(true);
    await time.settle(cluster.node(leader).members.remove(other, { timeoutMs: 5_000 }));
    await time.run(60_000);
    expect(isLeading(leader)).toBe(true);
    expect(consumer.held).toBeDefined();
    expect(consumer.seen).toHaveLength(2);
  });

  const seeds = Array.from({ length: Math.max(1, Math.round(6 * depth)) }, (_, nth) => nth + 1);
  test.each(seeds)(
    "members cut off at random, seed %i -> a term is one member's, and never told twice",
    async (seed) => {
      const random = new Prng(seed);
      cluster = new Cluster();
      for (const id of cluster.ids) await cluster.open(id);
      const consumers = cluster.ids.map((id) => ({ id, consumer: follow(id), cutMs: Infinity }));
      const { time } = cluster;
      const check = () => {
        for (const { id, consumer, cutMs } of consumers) {
          const { held } = consumer;
          if (held === undefined) continue;
          expect(cluster.node(id).leadTerm).toBe(held.term);
          expect(time.monotonicMs() - cutMs).toBeLessThanOrEqual(electionMs);
        }
      };
      for (let round = 0; round < 12; round += 1) {
        const cut = consumers[randomInt(random, 3)]!;
        cluster.isolate(cut.id);
        cut.cutMs = time.monotonicMs();
        for (let step = randomInt(random, 80); step >= 0; step -= 1) {
          await time.run(25);
          check();
        }
        cluster.heal();
        cut.cutMs = Infinity;
        for (let step = randomInt(random, 80); step >= 0; step -= 1) {
          await time.run(25);
          check();
        }
      }
      // A leader whose proof ran out hands over: in the end somebody leads who may say so.
      await time.until(() => consumers.some(({ consumer }) => consumer.held !== undefined));
      const terms = consumers.flatMap((each) => each.consumer.seen.map(({ term }) => term));
      expect(new Set(terms).size).toBe(terms.length);
      for (const each of consumers) {
        const own = each.consumer.seen.map(({ term }) => term);
        expect(own).toEqual([...own].sort((a, b) => a - b));
      }
    },
  );
});

/** A member without a group: what is asked is noted, and answered by the test. */
function alone({ isAlone = false, proofMs = (): number => 800 } = {}) {
  const time = new VirtualTime();
  const probes: number[] = [];
  const giveUp = vi.fn();
  const leaderships: Leaderships = new Leaderships({
    clock: time,
    timers: time,
    proofMs,
    probe: () => {
      probes.push(probes.length);
      leaderships.readAsked(probes.length - 1);
    },
    isAlone: () => isAlone,
    giveUp,
  });
  const answer = () => leaderships.readAnswered(probes.length - 1);
  return { time, leaderships, answer, giveUp, probes };
}

describe('proofs', () => {
  test('answered in time -> it goes on, and a round is asked for four times as often', async () => {
    const { time, leaderships, answer, probes } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    for (let nth = 0; nth < 50; nth += 1) {
      await time.run(200);
      answer();
    }
    expect(consumer.held?.term).toBe(3);
    expect(probes.length).toBeGreaterThan(45);
    expect(probes.length).toBeLessThan(60);
  });

  test('proofs become shorter -> one that was given keeps its length, and it goes on', async () => {
    let lengthMs = 800;
    const { time, leaderships, answer } = alone({ proofMs: () => lengthMs });
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    await time.run(150);
    lengthMs = 90;
    for (let nth = 0; nth < 50; nth += 1) {
      answer();
      await time.run(20);
    }
    expect(consumer.last?.lost.aborted).toBe(false);
    await time.run(800);
    expect(consumer.last?.lost.aborted).toBe(true);
  });

  test('not answered -> lost exactly when the last proof ends, given up, and not told again', async () => {
    const { time, leaderships, answer, giveUp } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    await time.run(799);
    expect(consumer.held?.term).toBe(3);
    expect(giveUp).not.toHaveBeenCalled();
    await time.run(2);
    expect(consumer.last?.lost.aborted).toBe(true);
    expect(giveUp).toHaveBeenCalledTimes(1);
    answer();
    await time.run(3_000);
    expect(consumer.seen).toHaveLength(1);
    const late = new Consumer(leaderships.stream());
    leaderships.readAsked(99);
    leaderships.readAnswered(99);
    await time.run(1);
    expect(late.seen).toEqual([]);
    // Each attempt may hold up proposals.
    expect(giveUp.mock.calls.length).toBeLessThan(4);
    leaderships.stepped(0);
    leaderships.stepped(5);
    leaderships.applied(5);
    await time.run(1);
    expect(consumer.held?.term).toBe(5);
  });

  test('an answer counts from when it was asked for, and mends no gap', async () => {
    const { time, leaderships, probes } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    await time.run(1);
    expect(probes).toHaveLength(1);
    await time.run(700);
    // Of the first round, asked for 700 ms ago: it lasts for 100 ms more.
    leaderships.readAnswered(0);
    await time.run(98);
    expect(consumer.held?.term).toBe(3);
    await time.run(5);
    expect(consumer.held).toBeUndefined();
  });

  test('answered by a lease -> proves nothing', async () => {
    const { time, leaderships, probes } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    await time.run(700);
    leaderships.readAsked(99);
    leaderships.readAnswered(99, true);
    // Once more, of the same question: it is answered.
    leaderships.readAnswered(99);
    await time.run(98);
    expect(consumer.held?.term).toBe(3);
    await time.run(3);
    expect(consumer.last?.lost.aborted).toBe(true);
    // It was asked for a quorum's word all the same.
    expect(probes.length).toBeGreaterThan(3);
  });

  test('nobody looked while a proof ran out -> the next one does not cover it up', async () => {
    const { time, leaderships } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    await time.run(1);
    const lost = consumer.last?.lost;
    const clock = vi.spyOn(time, 'monotonicMs').mockReturnValue(2_000);
    leaderships.readAsked(99);
    leaderships.readAnswered(99);
    expect(lost?.aborted).toBe(true);
    clock.mockRestore();
  });

  test('a new leader that needs long for its first entry -> not told before a round is answered', async () => {
    const { time, leaderships, answer } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    await time.run(2_000);
    leaderships.applied(3);
    await time.run(10);
    expect(consumer.seen).toEqual([]);
    answer();
    await time.run(1);
    expect(consumer.held?.term).toBe(3);
  });

  test('a stalled process -> who looks at `lost` learns before any timer runs', async () => {
    const { time, leaderships } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(3);
    leaderships.applied(3);
    await time.run(1);
    const leadership = consumer.last as Leadership;
    vi.spyOn(time, 'monotonicMs').mockReturnValue(5_000);
    expect(leadership.lost.aborted).toBe(true);
  });

  test('the only voter -> no silence takes it away', async () => {
    const { time, leaderships } = alone({ isAlone: true });
    const consumer = new Consumer(leaderships.stream());
    leaderships.stepped(1);
    leaderships.applied(1);
    await time.run(60_000);
    expect(consumer.held?.term).toBe(1);
  });

  test('entries of earlier terms, or while another leads -> nothing is told', async () => {
    const { time, leaderships } = alone();
    const consumer = new Consumer(leaderships.stream());
    leaderships.applied(2);
    leaderships.stepped(3);
    leaderships.applied(2);
    await time.run(50);
    expect(consumer.seen).toEqual([]);
    leaderships.stepped(0);
    leaderships.applied(3);
    await time.run(50);
    expect(consumer.seen).toEqual([]);
  });

  test('nobody iterates any more: what was yielded is watched on, and all timers end', async () => {
    const { time, leaderships } = alone();
    const stream = leaderships.stream();
    leaderships.stepped(3);
    leaderships.applied(3);
    const { value } = await stream.next();
    await stream.return();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(value?.lost.aborted).toBe(false);
    await time.run(900);
    expect(value?.lost.aborted).toBe(true);
    await time.run(5_000);
    expect(time.pending).toBe(0);
  });

  test('one consumer at a time; return() ends a waiting next()', async () => {
    const { leaderships } = alone();
    const stream = leaderships.stream();
    const waiting = stream.next();
    await expect(stream.next()).rejects.toMatchObject({ code: 'ITERATOR_BUSY' });
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('a listener that asks again while it is told of the end -> no harm', async () => {
    const { time, leaderships } = alone();
    const stream = leaderships.stream();
    leaderships.stepped(3);
    leaderships.applied(3);
    const { value } = await stream.next();
    let again: Consumer | undefined;
    value?.lost.addEventListener('abort', () => {
      again = new Consumer(leaderships.stream());
    });
    leaderships.stepped(4);
    leaderships.applied(4);
    await time.run(1);
    expect(again?.held?.term).toBe(4);
    expect((await stream.next()).value?.term).toBe(4);
  });
});
