// Goal: however much is written on followers at once, what they pass on to the leader leaves its answers a way.
import { afterEach, expect, test } from 'vitest';
import type { MemberId } from '../../src/raft/types.js';
import { Cluster } from './cluster.js';
import { SlowPaths } from './slow-paths.js';

const mebibyte = 'x'.repeat(1 << 20);

const cluster = { of: undefined as Cluster | undefined };
afterEach(() => cluster.of?.close());

/** A group with a leader, and what its members tell of leaders from then on. */
async function led(bytesPerMs = Infinity, tickMs = 100): Promise<[Cluster, MemberId, string[]]> {
  const made = new Cluster();
  cluster.of = made;
  const paths = new SlowPaths(made.time, bytesPerMs);
  for (const id of made.ids) {
    await made.open(id, { around: (inner) => paths.before(inner), parts: { tickMs } });
  }
  const leader = await made.elect();
  const changes: string[] = [];
  for (const id of made.ids) {
    made.node(id).on('leader', ({ term, leaderId }) => {
      changes.push(`${id} follows ${leaderId} in term ${term}`);
    });
  }
  return [made, leader, changes];
}

/** How many calls ended in which way. */
async function endsOf(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const call of calls) {
    const end = await call.then(
      () => 'done',
      (error: { code: string; outcome: string }) => `${error.code} ${error.outcome}`,
    );
    counts[end] = (counts[end] ?? 0) + 1;
  }
  return counts;
}

test('20 MiB at once on each member, over paths of 3 MB/s -> one leader, all is done', async () => {
  const [it, , changes] = await led(3_000);
  const calls = it.ids.flatMap((id) =>
    Array.from({ length: 20 }, (_, nth) => it.propose(id, `${nth}${mebibyte}`, 50_000)),
  );
  const ends = await it.time.settle(endsOf(calls), 120_000);
  expect(ends).toEqual({ done: 60 });
  expect(changes).toEqual([]);
});

test('calls that give up at once, again and again, over such a path -> one leader', async () => {
  const [it, leader, changes] = await led(3_000);
  for (let round = 0; round < 50; round += 1) {
    const calls = it.ids.flatMap((id) =>
      Array.from({ length: id === leader ? 0 : 3 }, () => it.propose(id, mebibyte, 100)),
    );
    await it.time.settle(endsOf(calls));
  }
  expect(changes).toEqual([]);
});

test('more at once than a peer queue holds, on a follower -> all is done', async () => {
  const [it, leader] = await led();
  const [follower] = it.followers(leader);
  const calls = Array.from({ length: 120 }, (_, nth) => it.propose(follower, `${nth}${mebibyte}`));
  expect(await it.time.settle(endsOf(calls))).toEqual({ done: 120 });
  expect(it.texts(follower)).toHaveLength(120);
});

test.each([
  [100, 3_000],
  [50, 3_000],
  [20, 6_000],
  [10, 12_500],
])(
  '20 MiB in small pieces on each member, ticks of %i ms, paths of %i kB/s -> one leader, all is done',
  async (tickMs, bytesPerMs) => {
    const [it, , changes] = await led(bytesPerMs, tickMs);
    const text = 'x'.repeat(1 << 16);
    const calls = it.ids.flatMap((id) =>
      Array.from({ length: 320 }, (_, nth) => it.propose(id, `${nth}${text}`, 50_000)),
    );
    const ends = await it.time.settle(endsOf(calls), 120_000);
    expect(changes).toEqual([]);
    expect(ends).toEqual({ done: 960 });
  },
);
