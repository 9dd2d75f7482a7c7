/**
 * Random runs of small clusters: messages are lost, doubled and reordered, disks are slow, members
 * crash and come back, join, leave and hand over, logs are compacted. Every property of
 * `cluster-checker.ts` holds after every event, and once the faults stop the cluster commits again.
 * `KONTIKI_DEPTH=n` runs n times as many seeds, `KONTIKI_SEED=n` that seed alone.
 */
import { describe, expect, test } from 'vitest';
import { Coverage } from '../../src/testing/bare/coverage.js';
import { coverageOf, runSeed } from './random/run-seed.js';

const runs = 300 * Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const onlySeed = process.env.KONTIKI_SEED;

describe('random clusters', () => {
  test(
    'any order of faults -> every property holds, and the cluster recovers',
    () => {
      if (onlySeed !== undefined) {
        runSeed(Number(onlySeed));
        return;
      }
      const total = new Coverage();
      for (let seed = 1; seed <= runs; seed += 1) total.addAll(coverageOf(runSeed(seed)));
      process.stdout.write(`random clusters, ${runs} runs: ${JSON.stringify(total.counts)}\n`);
      // A schedule in which nothing happens would pass as well.
      const { counts } = total;
      expect(counts.committed! / runs).toBeGreaterThan(5);
      expect(counts.terms! / runs).toBeGreaterThan(2);
      for (const [name, count] of Object.entries(counts)) {
        expect(count, `${name} in ${runs} runs`).toBeGreaterThan(0);
      }
    },
    120_000 * (runs / 300),
  );

  test('the same seed -> the same run', () => {
    const trace = (): unknown => structuredClone(runSeed(7).trace);
    expect(trace()).toEqual(trace());
  });
});
