// Runs that once broke an invariant, kept as files: `kontiki sim --seed N --shrink --out DIR` writes one;
// what was wrong then goes into its `cause`.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenarioOf } from '../../src/testing/run/simulate-options.js';
import { readRegression, runRegression } from '../../src/testing/swarm/regression.js';

const folder = new URL('regressions/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

test('there are some', () => {
  expect(names.length).toBeGreaterThan(0);
});

test.each(names)('%s -> taken by simulate, if it is a scenario', (name) => {
  const { scenario } = readRegression(readFileSync(new URL(name, folder), 'utf8')).run;
  expect(scenario === undefined ? undefined : scenarioOf({ scenario })).toBe(scenario);
});

test.each(names)('%s -> it holds', { timeout: 120_000 }, async (name) => {
  const regression = readRegression(readFileSync(new URL(name, folder), 'utf8'));
  const { violation, trace } = await runRegression(regression);
  const { invariant, cause } = regression;
  expect(violation, [`${invariant}: ${cause}`, ...trace.slice(-40)].join('\n')).toBeUndefined();
});
