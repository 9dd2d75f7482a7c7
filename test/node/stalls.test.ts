// Members that stand still: a process that is suspended, a disk that does not answer, an engine that
// does not come to an end.
import { describe, expect, test } from 'vitest';
import type { StallFact } from '../../src/node/index.js';
import { Stalls } from '../../src/node/stalls.js';
import type { RawNode } from '../../src/raft/raw-node.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

const electionMs = 1_000;

/** Some members, three by default, on virtual machines, and what each of them tells. */
async function leading(seed: number, members?: number) {
  const cluster = storeCluster({ seed, members });
  const { sim } = cluster;
  await cluster.startAll();
  await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
  const leader = cluster.leader() as string;
  await sim.complete(cluster.service(leader).put('a', '1'), 10_000);
  // Everybody knows who leads, and all is flushed.
  await sim.run(500);
  const stalls: [name: string, fact: StallFact][] = [];
  for (const name of cluster.names) {
    cluster.service(name).on('stall', (fact) => stalls.push([name, fact]));
  }
  const others = cluster.names.filter((name) => name !== leader);
  const term = cluster.service(leader).status().term;
  const put = (name: string, value: string, timeoutMs = 20_000) =>
    cluster.service(name).put('a', value, { timeoutMs });
  const anotherLeads = () => {
    const now = cluster.leader();
    return now !== undefined && now !== leader;
  };
  return { cluster, sim, leader, others, term, stalls, put, anotherLeads };
}

const status = ({ cluster }: Awaited<ReturnType<typeof leading>>, name: string) =>
  cluster.service(name).status();

describe('a disk that does not answer', () => {
  test('the leader of three -> another one leads within its bound, and writes go on', async () => {
    const group = await leading(1);
    const { cluster, sim, leader, others, stalls, put, anotherLeads } = group;
    cluster.machine(leader).disk.slowByUs = 60_000_000;
    const fromMs = sim.nowMs;
    const first = put(leader, '2').catch(() => undefined);
    await sim.runUntil(anotherLeads, 10_000);
    expect(sim.nowMs - fromMs).toBeLessThan(2.5 * electionMs);
    expect(stalls).toEqual([[leader, { part: 'log', ms: 2 * electionMs, isOver: false }]]);
    await sim.complete(put(others[0] as string, '3'), 5_000);
    const { role } = status(group, leader);
    expect(role).toBe('follower');
    // It does not come back while the disk is as it is.
    const { term } = status(group, others[0] as string);
    await sim.run(20_000);
    expect(status(group, others[0] as string).term).toBe(term);
    cluster.machine(leader).disk.slowByUs = 0;
    await sim.complete(first, 60_000);
    // What it was asked for while it was slow takes its time.
    await sim.runUntil(() => stalls.length === 2, 60_000);
    expect(stalls[1]).toMatchObject([leader, { part: 'log', isOver: true }]);
    expect(cluster.service(leader).metrics().stalls).toEqual({ log: 1 });
    await sim.run(5_000);
    expect(status(group, others[0] as string).term).toBe(term);
  });

  test('a follower of five, then the leader dies -> it does not ask for votes', async () => {
    const group = await leading(2, 5);
    const { cluster, sim, leader, others, put, anotherLeads } = group;
    const [slow, healthy] = others as [string, string];
    cluster.machine(slow).disk.slowByUs = 60_000_000;
    await sim.complete(put(healthy, '2'), 5_000);
    await sim.run(2 * electionMs);
    cluster.crash(leader, 'power');
    await sim.runUntil(anotherLeads, 5_000);
    await sim.complete(put(healthy, '3'), 5_000);
    expect(cluster.leader()).not.toBe(slow);
    expect(cluster.service(slow).metrics().campaigns).toBe(0);
  });

  test('all of them alike -> the leader stays, and everything that was asked for is done', async () => {
    const group = await leading(3);
    const { cluster, sim, leader, term, put } = group;
    for (const name of cluster.names) cluster.machine(name).disk.slowByUs = 1_500_000;
    const writes = Array.from({ length: 3 }, (_, at) => put(leader, `${at}`));
    await sim.complete(Promise.all(writes), 20_000);
    expect([cluster.leader(), status(group, leader).term]).toEqual([leader, term]);
  });

  test('the only member -> it goes on', async () => {
    const cluster = storeCluster({ seed: 4, members: 1 });
    const [name] = cluster.names as [string];
    await cluster.startAll();
    const { sim } = cluster;
    await sim.runUntil(() => cluster.leader() === name, 10_000);
    cluster.machine(name).disk.slowByUs = 1_500_000;
    await sim.complete(cluster.service(name).put('a', '1', { timeoutMs: 20_000 }), 20_000);
    expect(cluster.leader()).toBe(name);
  });
});

describe('a state that takes no more', () => {
  test('the engine of the leader alone -> another one leads', async () => {
    const group = await leading(5);
    const { cluster, sim, leader, stalls, anotherLeads } = group;
    cluster.machine(leader).engineDisk.slowByUs = 60_000_000;
    // A range is read from the engine.
    const removal = cluster.service(leader).delete({ prefix: 'a' }, { timeoutMs: 20_000 });
    await sim.runUntil(anotherLeads, 10_000);
    expect(stalls).toEqual([[leader, { part: 'state', ms: 2 * electionMs, isOver: false }]]);
    cluster.machine(leader).engineDisk.slowByUs = 0;
    await sim.complete(
      removal.catch(() => undefined),
      90_000,
    );
  });

  test('an entry that takes all of them long -> the leader stays', async () => {
    const group = await leading(6);
    const { cluster, sim, leader, term, stalls } = group;
    for (const name of cluster.names) cluster.machine(name).engineDisk.slowByUs = 600_000_000;
    const removal = cluster.service(leader).delete({ prefix: 'a' }, { timeoutMs: 90_000 });
    removal.catch(() => undefined);
    await sim.run(15_000);
    expect(stalls.map(([name]) => name).sort()).toEqual(cluster.names);
    expect([cluster.leader(), status(group, leader).term]).toEqual([leader, term]);
  });
});

describe('a loop that was away', () => {
  test.each([true, false])('the leader, lease reads %s -> no read of it is stale', async (on) => {
    const group = await leading(7);
    const { cluster, sim, leader, others, stalls, put, anotherLeads } = group;
    await sim.complete(cluster.service(leader).setLeaseReads(on), 10_000);
    await sim.run(3_000);
    cluster.machine(leader).pause();
    await sim.runUntil(anotherLeads, 10_000);
    await sim.complete(put(others[0] as string, 'newer'), 10_000);
    await sim.run(2_000);
    // Asked before anything of what came meanwhile is looked at.
    const early = cluster.service(leader).get('a', { timeoutMs: 20_000 });
    cluster.machine(leader).resume();
    expect((await sim.complete(early, 20_000))?.text()).toBe('newer');
    expect(stalls).toMatchObject([[leader, { part: 'loop', isOver: true }]]);
    expect(cluster.service(leader).metrics().stalls).toEqual({ loop: 1 });
  });

  test('everybody at once, as with a host that sleeps -> handed over without a pause', async () => {
    const group = await leading(8);
    const { cluster, sim, leader, anotherLeads, put } = group;
    for (const name of cluster.names) cluster.machine(name).pause();
    await sim.run(5_000);
    for (const name of cluster.names) cluster.machine(name).resume();
    await sim.runUntil(anotherLeads, 300);
    await sim.complete(put(leader, '2'), 1_000);
  });

  test('for less than an election timeout -> it goes on to lead', async () => {
    const group = await leading(9);
    const { cluster, sim, leader, term, stalls } = group;
    cluster.machine(leader).pause();
    await sim.run(700);
    cluster.machine(leader).resume();
    await sim.run(3_000);
    expect([cluster.leader(), status(group, leader).term, stalls]).toEqual([leader, term, []]);
  });
});

/** A leader of three whose followers have durably what the test says. */
class ScriptedRaft {
  role = 'leader';
  readonly term = 3;
  mayCampaign = true;
  transferee = 0;
  matches: readonly [number, number] = [9, 9];
  isActive = true;
  voters = [1, 2, 3];
  readonly transfers: number[] = [];
  stepDowns = 0;

  status() {
    const [second, third] = this.matches;
    const of = (id: number, match: number) => {
      return { id, match, recentActive: this.isActive, answers: 1 };
    };
    return {
      ...{ id: 1, term: this.term, transferee: this.transferee, durableIndex: 4 },
      voters: this.voters,
      configuration: { voters: this.voters, votersOutgoing: [] },
      progress: [of(1, 9), of(2, second), of(3, third)],
    };
  }

  transferLeader(id: number): void {
    this.transfers.push(id);
    this.transferee = id;
  }

  stepDown(): void {
    this.stepDowns += 1;
    this.role = 'follower';
    this.transferee = 0;
  }
}

function scripted() {
  const raft = new ScriptedRaft();
  const work = { log: { isBusy: false, done: 0 }, state: { isBusy: false, done: 0 } };
  const stalls: StallFact[] = [];
  let nowMs = 0;
  const watched = new Stalls({
    ...{ raft: raft as unknown as RawNode, tickMs: 100, electionTicks: 10, ...work },
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    onStall: (stall) => stalls.push(stall),
  });
  const ticks = (count: number, ms = 100) => {
    for (let at = 0; at < count; at += 1) {
      nowMs += ms;
      watched.tick();
    }
  };
  return { raft, work, stalls, ticks };
}

describe('what a leader does about it', () => {
  test('a write takes as long as it may take -> nothing; a tick more: the one with most takes over', () => {
    const { raft, work, stalls, ticks } = scripted();
    raft.matches = [5, 7];
    work.log.isBusy = true;
    ticks(19);
    expect([raft.transfers, stalls]).toEqual([[], []]);
    ticks(1);
    expect([raft.transfers, stalls.length]).toEqual([[3], 1]);
  });

  test('writes that are slow and end -> nothing', () => {
    const { raft, work, stalls, ticks } = scripted();
    work.log.isBusy = true;
    for (let at = 0; at < 10; at += 1) {
      ticks(15);
      work.log.done += 1;
    }
    expect([raft.transfers, stalls, raft.mayCampaign]).toEqual([[], [], false]);
  });

  test('nobody took over within half an election timeout -> it steps down, and does not campaign', () => {
    const { raft, work, ticks } = scripted();
    work.log.isBusy = true;
    ticks(24);
    expect([raft.transfers, raft.stepDowns]).toEqual([[2], 0]);
    ticks(1);
    expect([raft.stepDowns, raft.mayCampaign]).toEqual([1, false]);
    work.log.isBusy = false;
    ticks(1);
    expect(raft.mayCampaign).toBe(true);
  });

  test('nobody has what its disk has not -> it goes on until somebody has', () => {
    const { raft, work, ticks } = scripted();
    raft.matches = [4, 2];
    work.log.isBusy = true;
    ticks(100);
    expect([raft.transfers, raft.stepDowns]).toEqual([[], 0]);
    raft.matches = [4, 5];
    ticks(1);
    expect(raft.transfers).toEqual([3]);
  });

  test('a slow state, and nobody takes over -> it goes on, and asks rarely', () => {
    const { raft, work, ticks } = scripted();
    work.state.isBusy = true;
    for (let at = 0; at < 100; at += 1) {
      ticks(1);
      // As the core does after an election timeout.
      if (at % 10 === 0) raft.transferee = 0;
    }
    expect(raft.stepDowns).toBe(0);
    expect(raft.transfers.length).toBeGreaterThan(2);
    expect(raft.transfers.length).toBeLessThanOrEqual(5);
  });

  test('away while it was alone, then others come -> it goes on', () => {
    const { raft, ticks } = scripted();
    raft.voters = [1];
    ticks(1, 5_000);
    raft.voters = [1, 2, 3];
    ticks(30);
    expect([raft.transfers, raft.stepDowns]).toEqual([[], 0]);
  });

  test('away, and nobody answered lately -> it steps down at once', () => {
    const { raft, ticks, stalls } = scripted();
    raft.isActive = false;
    ticks(1, 1_000);
    expect([raft.stepDowns, stalls]).toEqual([0, []]);
    ticks(1, 1_001);
    expect(raft.stepDowns).toBe(1);
    expect(stalls).toEqual([{ part: 'loop', ms: 1_001, isOver: true }]);
  });
});
