// "Sometimes" assertions: what simulations must reach, they reach. KONTIKI_DEPTH=n runs n times as many
// seeds, and so holds rarer marks to it as well.
import { describe, expect, test } from 'vitest';
import { declaredMarkSets, declaredMarks } from '../../../src/testing/marks/declared-marks.js';
import { simProfiles } from '../../../src/testing/swarm/profiles.js';
import { runSeed } from '../../../src/testing/swarm/run-seed.js';
import { SimTotals } from '../../../src/testing/swarm/sim-totals.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const firstSeed = Number(process.env.KONTIKI_SEED ?? 1);

/** Seeds at depth 1: as many as the most frequent marks need, and of the slow ones none. */
const seedsOf: Readonly<Record<string, number>> = {
  churn: 8,
  cores: 12,
  away: 0.5,
  transfers: 0.5,
  disk: 0.5,
  focused: 0.5,
  'focus-compaction': 0.5,
};

function profileOf(name: string) {
  const profile = simProfiles.get(name);
  if (profile === undefined) throw new Error(`no profile '${name}'`);
  return profile;
}

describe('declared marks', () => {
  test.each(Object.keys(seedsOf))(
    '%s: every mark that so many seeds owe -> reached',
    { timeout: 180_000 * Math.max(1, depth) },
    async (name) => {
      const seeds = Math.floor((seedsOf[name] as number) * depth);
      const totals = new SimTotals();
      for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
        totals.add(await runSeed(profileOf(name), seed));
      }
      const again = `kontiki sim --profile ${name} --seed ${firstSeed} --seeds ${seeds}`;
      expect(totals.violations, again).toEqual([]);
      const owed = declaredMarkSets.filter((set) => set.profile === name && set.within <= seeds);
      expect(totals.missing(owed.flatMap(({ marks }) => marks)), again).toEqual([]);
    },
  );

  test('all profiles in them exist, and are run here', () => {
    const profiles = new Set(declaredMarkSets.map(({ profile }) => profile));
    expect([...profiles].sort()).toEqual(Object.keys(seedsOf).sort());
  });

  test('a mark that nobody reaches, or no longer -> it is missing', () => {
    const totals = new SimTotals();
    const counts = { elections: 3, crashes: 0 };
    const run = { profile: 'cores', seed: 1, simulatedMs: 1, violation: undefined };
    totals.add({ ...run, counts });
    totals.add({ ...run, counts: { reads: 1 } });
    expect(totals.missing(['elections', 'crashes', 'reads', 'no such mark'])).toEqual([
      'crashes',
      'no such mark',
    ]);
    expect(totals.seedsReaching).toEqual({ elections: 1, reads: 1 });
  });

  test('of stores and of cores -> not the same', () => {
    const [stores, cores] = ['standard', 'cores-all'].map((name) => declaredMarks(profileOf(name)));
    expect(stores).toContain('snapshot.installed');
    expect(cores).toContain('snapshotsInstalled');
    expect(stores).not.toContain('snapshotsInstalled');
    expect(new Set(stores).size).toBe(stores?.length);
  });
});
