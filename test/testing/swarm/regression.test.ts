import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { simProfiles } from '../../../src/testing/swarm/profiles.js';
import {
  readRegression,
  regressionText,
  runRegression,
} from '../../../src/testing/swarm/regression.js';
import { runSeed, type SeedRun } from '../../../src/testing/swarm/run-seed.js';

/** A run that is said to have broken something. */
async function brokenRun(name: string, seed: number): Promise<SeedRun> {
  const profile = simProfiles.get(name);
  if (profile === undefined) throw new Error(`no profile '${name}'`);
  const violation = { id: 'R4', message: 'entries differ\nmore of it', atMs: 5 };
  return { ...(await runSeed(profile, seed)), violation };
}

describe('regression', () => {
  test.each(['churn', 'cores'])('a run of %s, written and read -> runs the same', async (name) => {
    const run = await brokenRun(name, 11);
    const regression = readRegression(regressionText(run, '1.2.3'));
    expect(regression).toMatchObject({
      invariant: 'R4',
      cause: 'entries differ',
      version: '1.2.3',
      profile: name,
    });
    const again = await runRegression(regression);
    expect(again.violation).toBeUndefined();
    expect(again).toMatchObject({ seed: 11, counts: run.counts, simulatedMs: run.simulatedMs });
  });

  test.each([
    ['{}'],
    ['{"invariant":"R4","cause":"","version":"1","profile":"churn","run":{"cores":{"seed":1}}}'],
    ['{"invariant":"R4","cause":"c","version":"1","profile":"churn"}'],
    ['{"invariant":"R4","cause":"c","version":"1","profile":"churn","run":{"cores":{}}}'],
  ])('%s -> OPTIONS_INVALID', (text) => {
    let thrown: unknown;
    try {
      readRegression(text);
    } catch (error) {
      thrown = error;
    }
    expect(isKontikiError(thrown, 'OPTIONS_INVALID')).toBe(true);
  });
});

describe('profiles', () => {
  test('equal seeds -> equal runs; another seed -> another', () => {
    for (const profile of simProfiles.values()) {
      expect(profile.draw(5)).toEqual(profile.draw(5));
      expect(profile.draw(5)).not.toEqual(profile.draw(6));
    }
  });

  test('away -> members are down for longer than the log is kept; calm -> no fault', () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const away = seeds.flatMap(
      (seed) => simProfiles.get('away')?.draw(seed).scenario?.faults ?? [],
    );
    const crashes = away.flatMap(({ fault }) => (fault.kind === 'crash' ? [fault.downMs] : []));
    expect(Math.min(...crashes)).toBeGreaterThanOrEqual(4_000);
    const calm = seeds.flatMap(
      (seed) => simProfiles.get('calm')?.draw(seed).scenario?.faults ?? [],
    );
    expect(calm).toEqual([]);
  });
});

test('a scenario with a field that nobody looks at -> OPTIONS_INVALID', () => {
  const size = { members: 3, durationMs: 500, clients: 1, pauseMs: 100, keys: 1, faults: [] };
  const texts = { invariant: 'V3', cause: 'c', version: '0.1.0', profile: 'standard' };
  const text = JSON.stringify({ ...texts, run: { scenario: { seed: 1, ...size, ticksMs: 10 } } });
  expect(() => readRegression(text)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
});
