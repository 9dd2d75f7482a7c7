// Clusters of real processes over TCP, with clients on every member, through kills, pauses, full and slow
// disks, cut links and restarts. Afterwards the history is linearizable, every watch is exact, nothing
// that was acknowledged is lost and every call has settled.
//
// KONTIKI_DEPTH=40 takes some ten minutes: 80 faults to three members, 20 to five. KONTIKI_SEED repeats the order of the faults.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import { Cluster } from './cluster.js';
import { realFaults } from './faults.js';
import { contentsOf, Journal, watchFaults } from './journal.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const seed = Number(process.env.KONTIKI_SEED ?? Date.now() % 1_000_000);
const calmMs = 500;
const stoppedCodes = ['NO_SPACE', 'CLOSED'];

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-faults-'));
  cleanup.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** So many faults, every kind about as often as any other, each at some member. */
function planOf(random: Prng, faults: number, members: number): [string, number][] {
  const names = Object.keys(realFaults);
  const plan: [string, number][] = [];
  let left: string[] = [];
  for (let nth = 0; nth < faults; nth += 1) {
    if (left.length === 0) left = [...names];
    const [name = ''] = left.splice(randomInt(random, left.length), 1);
    plan.push([name, randomInt(random, members)]);
  }
  return plan;
}

/** What a run must have had, to say anything. */
function expectLively(journal: Journal, faults: number): void {
  expect(journal.count('ok')).toBeGreaterThan(200 * faults);
}

describe('processes under real faults', () => {
  test.each(
    [
      [3, 2 * depth],
      [5, Math.floor(depth / 2)],
    ].filter(([, faults = 0]) => faults > 0) as [number, number][],
  )(
    `%i members, %i faults, seed ${seed} -> linearizable, watches exact, nothing lost`,
    async (count, faults) => {
      const journal = new Journal();
      const ended: string[] = [];
      const cluster = await Cluster.start(await temporary(), count, (member, notice) => {
        journal.take(notice);
        if (notice.tell === 'failed' || notice.tell === 'watch-ended') {
          ended.push(`${notice.tell}: ${notice.code}`);
        }
        if (notice.tell === 'failed') console.log(`  ${member} stopped: ${notice.code}`);
      });
      cleanup.push(() => cluster.end());
      const first = await cluster.untilWell();
      for (const [nth, [name, at]] of planOf(new Prng(seed), faults, count).entries()) {
        const member = cluster.members[at] as (typeof cluster.members)[number];
        console.log(`  ${nth + 1} of ${faults}: ${name}, ${member.name}; ${journal.size} calls`);
        await realFaults[name]?.(cluster, member);
        await cluster.openAll();
        await cluster.untilWell();
        await wait(calmMs);
      }
      await cluster.settle();
      const last = await cluster.untilWell();
      const seen = new Map(cluster.members.map(({ name, changes }) => [name, changes]));
      const { all, faults: watchProblems } = watchFaults(seen);
      expect(watchProblems).toEqual([]);
      expect(journal.writeFaults(all)).toEqual([]);
      const expected = [...contentsOf(all)].sort();
      for (const member of cluster.members) {
        expect([...((await member.contents()) ?? [])].sort(), member.name).toEqual(expected);
      }
      await cluster.closeAll();
      expect(journal.linearizabilityFaults()).toEqual([]);
      expectLively(journal, faults);
      // A member that stops says why, and only a full disk may stop one.
      expect(ended.filter((how) => !stoppedCodes.some((code) => how.endsWith(code)))).toEqual([]);
      const MiB = (reports: typeof last) =>
        reports.map(({ residentBytes }) => Math.round(residentBytes / 2 ** 20));
      const outcomes = ['ok', 'rejected', 'unknown'] as const;
      const counts = outcomes.map((outcome) => `${journal.count(outcome)} ${outcome}`);
      console.log(
        `  ${counts.join(', ')}; ${all.length} changes; resident ${MiB(first)} -> ${MiB(last)} MiB`,
      );
      console.log(`  ${JSON.stringify(Object.fromEntries(journal.failures))}`);
      expect(Math.max(...MiB(last))).toBeLessThan(2 * Math.max(...MiB(first)) + 100);
    },
    60_000 + 25_000 * 3 * depth,
  );
});
