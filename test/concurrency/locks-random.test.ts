// Mutual exclusion, seed by seed: users of locks and elections under every fault there is, held to K1 to
// K3 (docs/api/invariants.md). KONTIKI_DEPTH multiplies the seeds, KONTIKI_SEED is the first of them.
import { describe, expect, test } from 'vitest';
import { drawScenario } from '../../src/testing/run/draw-scenario.js';
import { simulateStore } from '../../src/testing/run/simulate.js';
import { type SimProfile, simProfiles } from '../../src/testing/swarm/profiles.js';
import { runSeed } from '../../src/testing/swarm/run-seed.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const firstSeed = Number(process.env.KONTIKI_SEED ?? 5_000);
const seeds = Array.from({ length: Math.max(1, Math.round(3 * depth)) }, (_, at) => firstSeed + at);
const profile = simProfiles.get('locks') as SimProfile;

describe('locks under faults', () => {
  test.each(seeds)('seed %i -> no invariant is broken', { timeout: 120_000 }, async (seed) => {
    const { violation, counts, trace } = await runSeed(profile, seed);
    expect(violation, `seed ${seed}\n${trace.slice(-40).join('\n')}`).toBeUndefined();
    expect(counts['locks.used']).toBeGreaterThan(0);
  });

  test('a seed again -> the same run', { timeout: 120_000 }, async () => {
    const scenario = { ...drawScenario(firstSeed, { durationMs: 3_000 }), load: 'locks' } as const;
    const [first, second] = [await simulateStore(scenario), await simulateStore(scenario)];
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.figures).toEqual(first.figures);
  });
});
