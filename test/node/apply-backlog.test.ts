// A member that applies more slowly than the others write takes no more than it can hold.
import { expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { ApplyBacklog } from '../../src/node/apply-backlog.js';
import { Cluster } from './cluster.js';

const mebibyte = 'x'.repeat(1 << 20);
const bytesMax = limits.backlogBytesMax / (1 << 20);

/** One of three applies nothing. */
async function withSlow() {
  const cluster = await Cluster.led();
  const leader = cluster.node(1).status.leaderId as number;
  const [slow, quick] = cluster.followers(leader);
  cluster.member(slow).machine.hold();
  const unapplied = () => {
    const { raft, appliedIndex } = cluster.node(slow).status;
    return raft.durableIndex - appliedIndex;
  };
  const put = (nth: number) => cluster.propose(leader, `${nth}${mebibyte}`, 60_000);
  return { cluster, leader, slow, quick, unapplied, put };
}

test('a follower whose state machine is slow -> takes a bounded part of what is written, and all of it later', async () => {
  const { cluster, slow, unapplied, put } = await withSlow();
  const count = 2 * bytesMax;
  for (let nth = 0; nth < count; nth += 1) await cluster.time.settle(put(nth));
  expect(unapplied()).toBeGreaterThan(bytesMax / 2);
  expect(unapplied()).toBeLessThan(bytesMax + 16);
  cluster.member(slow).machine.release();
  await cluster.caughtUp(count);
  await cluster.close();
});

test('the slow one is needed for the quorum -> writes wait for it, and none is lost', async () => {
  const { cluster, slow, quick, unapplied, put } = await withSlow();
  cluster.isolate(quick);
  const count = 2 * bytesMax;
  const writes = Array.from({ length: count }, (_, nth) => put(nth).catch(() => 'refused'));
  await cluster.time.run(20_000);
  expect(unapplied()).toBeLessThan(2 * bytesMax);
  cluster.member(slow).machine.release();
  const done = (await cluster.time.settle(Promise.all(writes))).filter((it) => it !== 'refused');
  cluster.heal();
  await cluster.caughtUp(done.length);
  expect(done.length).toBeGreaterThan(bytesMax / 2);
  await cluster.close();
});

test.each([
  // Applied, committed, last; bytes of each entry.
  { applied: 0, commit: 0, last: 1_000, each: 1 << 20, isFull: false },
  { applied: 0, commit: bytesMax, last: 1_000, each: 1 << 20, isFull: false },
  { applied: 0, commit: bytesMax + 1, last: 1_000, each: 1 << 20, isFull: true },
  { applied: 500, commit: 500 + bytesMax + 1, last: 1_000, each: 1 << 20, isFull: true },
  { applied: 0, commit: limits.backlogEntriesMax, last: 10 ** 7, each: 1, isFull: false },
  { applied: 0, commit: limits.backlogEntriesMax + 1, last: 10 ** 7, each: 1, isFull: true },
])('$applied applied, $commit committed of $last, $each bytes each -> $isFull', (at) => {
  const log = {
    bytesAbove: (index: number) => (at.last - index) * at.each,
    lastIndex: () => at.last,
  };
  const raft = { status: () => ({ commit: at.commit }) as never };
  const backlog = new ApplyBacklog({ raft, log, appliedIndex: () => at.applied });
  expect(backlog.isFull).toBe(at.isFull);
});
