// What a lost connection to the leader leads to, on a core that only counts.
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { FastFailover } from '../../src/node/fast-failover.js';
import { VirtualTime } from './virtual-time.js';

class World {
  readonly time = new VirtualTime();
  readonly raft = {
    role: 'follower',
    leader: 2,
    term: 5,
    forgotten: 0,
    campaigns: 0,
    forgetLeader(): void {
      this.leader = 0;
      this.forgotten += 1;
    },
    campaign(): void {
      this.role = 'pre-candidate';
      this.campaigns += 1;
    },
  };
  turns = 0;
  readonly failover = new FastFailover(
    this.raft,
    { timers: this.time, random: new Prng(1) },
    () => {
      this.turns += 1;
    },
  );
}

describe('fast failover', () => {
  test('the connection to the leader is lost -> forgotten at once, an election soon', async () => {
    const world = new World();
    world.failover.linkLost(2);
    expect(world.raft).toMatchObject({ forgotten: 1, campaigns: 0 });
    await world.time.run(9);
    expect(world.raft.campaigns).toBe(0);
    await world.time.run(31);
    expect([world.raft.campaigns, world.turns]).toEqual([1, 1]);
  });

  test('nobody wins -> two more attempts, each later, then the election timeout is left to it', async () => {
    const world = new World();
    world.failover.linkLost(2);
    await world.time.run(40);
    expect(world.raft.campaigns).toBe(1);
    await world.time.run(29);
    expect(world.raft.campaigns).toBe(1);
    await world.time.run(10_000);
    expect([world.raft.campaigns, world.time.pending]).toEqual([3, 0]);
  });

  test.each([
    ['a leader is known again', { leader: 2 }],
    ['a later term began', { term: 6 }],
    ['an election of the own is under way', { role: 'candidate' }],
  ])('%s before the attempt -> none', async (_name, change) => {
    const world = new World();
    world.failover.linkLost(2);
    Object.assign(world.raft, change);
    await world.time.run(10_000);
    expect(world.raft.campaigns).toBe(0);
  });

  test('the connection to another member, or of another role, is lost -> nothing', async () => {
    const world = new World();
    world.failover.linkLost(3);
    world.raft.role = 'leader';
    world.failover.linkLost(2);
    await world.time.run(10_000);
    expect(world.raft).toMatchObject({ forgotten: 0, campaigns: 0 });
  });

  test('stopped -> no attempt, no timer', async () => {
    const world = new World();
    world.failover.linkLost(2);
    world.failover.stop();
    await world.time.run(10_000);
    expect([world.raft.campaigns, world.time.pending]).toEqual([0, 0]);
  });
});
