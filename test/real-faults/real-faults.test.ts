// Clusters of real processes over TCP, with clients on every member, through kills, pauses, full and slow
// disks, cut links and restarts. Afterwards the history is linearizable, every watch is exact, nothing
// that was acknowledged is lost and every call has settled.
//
// KONTIKI_DEPTH=40 takes some ten minutes: 80 faults to three members, 20 to five. KONTIKI_SEED repeats the order of the faults.
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import { realFaults } from './faults.js';
import { Run } from './run.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const seed = Number(process.env.KONTIKI_SEED ?? Date.now() % 1_000_000);
const calmMs = 500;
const stoppedCodes = ['NO_SPACE', 'CLOSED', 'MEMBER_IDENTITY_CHANGED'];

let run: Run;
afterEach(() => run.end());

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

describe('processes under real faults', () => {
  test.each(
    [
      [3, 2 * depth],
      [5, Math.floor(depth / 2)],
    ].filter(([, faults = 0]) => faults > 0) as [number, number][],
  )(
    `%i members, %i faults, seed ${seed} -> linearizable, watches exact, nothing lost`,
    async (count, faults) => {
      run = await Run.of(Array.from({ length: count }, (_, nth) => `n${nth + 1}`));
      const { cluster, journal } = run;
      const first = await cluster.untilWell();
      for (const [nth, [name, at]] of planOf(new Prng(seed), faults, count).entries()) {
        const member = cluster.members[at] as (typeof cluster.members)[number];
        console.log(`  ${nth + 1} of ${faults}: ${name}, ${member.name}; ${journal.size} calls`);
        await realFaults[name]?.(cluster, member);
        await cluster.openAll();
        await cluster.untilWell();
        await wait(calmMs);
      }
      const last = await cluster.untilWell();
      await run.judge();
      // It must have been lively, to say anything.
      expect(journal.count('ok')).toBeGreaterThan(200 * faults);
      // A member that stops says why, and only a full or a wiped disk may stop one.
      expect(run.ended.filter((how) => !stoppedCodes.some((code) => how.endsWith(code)))).toEqual(
        [],
      );
      const MiB = (reports: typeof last) =>
        reports.map(({ residentBytes }) => Math.round(residentBytes / 2 ** 20));
      console.log(`  resident ${MiB(first)} -> ${MiB(last)} MiB`);
      expect(Math.max(...MiB(last))).toBeLessThan(2 * Math.max(...MiB(first)) + 100);
    },
    60_000 + 25_000 * 3 * depth,
  );
});
