// Who gives up leadership finds somebody who can take over, if there is anybody.
import { expect, test } from 'vitest';
import { Cluster } from './cluster.js';

test('the follower it asks first applies nothing and cannot campaign -> the other one is asked next', async () => {
  const cluster = await Cluster.led();
  const { time } = cluster;
  // Of two that have as much of the log, the one with the lower id is asked first.
  const leader = cluster.node(1).status.leaderId as number;
  const [stuck, well] = cluster.followers(leader).sort((a, b) => a - b) as [number, number];
  let isStalled = false;
  cluster.node(stuck).on('stall', ({ part }) => {
    isStalled = part === 'state';
  });
  cluster.member(stuck).machine.hold();
  await time.settle(cluster.propose(leader, 'a'));
  await time.until(() => isStalled);
  const { term } = cluster.node(leader).status.raft;
  for (let tries = 0; tries < 3 && cluster.node(leader).leadTerm === term; tries += 1) {
    cluster.node(leader).giveUpLeadership(() => true);
    await time.run(2_000);
  }
  expect(cluster.node(well).leadTerm).toBeGreaterThan(term);
  cluster.member(stuck).machine.release();
  await cluster.close();
});

test('nobody could take over, then one can -> it is asked again', async () => {
  const cluster = await Cluster.led();
  const { time } = cluster;
  const leader = cluster.node(1).status.leaderId as number;
  const followers = cluster.followers(leader);
  const stalled = new Set<number>();
  for (const id of followers) {
    cluster.node(id).on('stall', ({ part, isOver }) => {
      if (part === 'state' && !isOver) stalled.add(id);
    });
    cluster.member(id).machine.hold();
  }
  await time.settle(cluster.propose(leader, 'a'));
  await time.until(() => stalled.size === 2);
  const { term } = cluster.node(leader).status.raft;
  const attempt = async () => {
    // Not in the instant in which the leader counts anew who answers.
    await time.run(250);
    cluster.node(leader).giveUpLeadership(() => true);
    await time.run(1_750);
  };
  for (let tries = 0; tries < 4; tries += 1) await attempt();
  expect(cluster.node(leader).leadTerm).toBe(term);
  const [first] = followers;
  cluster.member(first).machine.release();
  await time.run(2_000);
  for (let tries = 0; tries < 4; tries += 1) await attempt();
  expect(cluster.node(first).leadTerm).toBeGreaterThan(term);
  for (const id of followers) cluster.member(id).machine.release();
  await cluster.close();
});
