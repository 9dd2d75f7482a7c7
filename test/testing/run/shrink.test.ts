import { describe, expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.js';
import { drawFault } from '../../../src/testing/faults/fault.js';
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import type { Scenario } from '../../../src/testing/run/scenario.js';
import { scenarioSource } from '../../../src/testing/run/scenario-source.js';
import { shrink } from '../../../src/testing/run/shrink.js';
import type { SimulationReport } from '../../../src/testing/run/simulation.js';

/** A run that breaks `id` whenever `fails` says so. */
function fakeRun(fails: (scenario: Scenario) => string | undefined) {
  return async (scenario: Scenario): Promise<SimulationReport> => {
    const id = fails(scenario);
    const violation = id === undefined ? undefined : { id, message: 'it broke', atMs: 15_000 };
    return { scenario, violation, traceHash: '', trace: [], simulatedMs: 0, figures: {} };
  };
}

const kindsOf = ({ faults }: Scenario) => faults.map(({ fault }) => fault.kind);

/** Breaks when a crash comes before a partition, with two clients or more. */
const needsTwo = fakeRun((scenario) => {
  const kinds = kindsOf(scenario);
  const at = kinds.indexOf('crash');
  const breaks = at >= 0 && kinds.indexOf('partition', at) > at && scenario.clients >= 2;
  return breaks ? 'X1' : undefined;
});

const names = ['n1', 'n2', 'n3'];
const kinds = ['weather', 'crash', 'pause', 'crash', 'weather', 'partition', 'clock'] as const;
const large: Scenario = {
  ...drawScenario(1, { members: 3 }),
  clients: 6,
  faults: [...kinds, ...kinds].map((kind, at) => ({
    atMs: 137 + 731 * at,
    fault: drawFault(kind, new Prng(at), names),
  })),
};

describe('shrink', () => {
  test('a failure that needs two faults and two clients -> exactly these are left', async () => {
    const { scenario } = await shrink(await needsTwo(large), needsTwo);
    expect(kindsOf(scenario)).toEqual(['crash', 'partition']);
    expect(scenario.clients).toBeLessThan(4);
    expect(scenario.keys).toBe(1);
    expect(scenario.members).toBe(1);
    expect(scenario.path).toBeUndefined();
    expect(scenario.tuning).toBeUndefined();
    expect((await needsTwo(scenario)).violation?.id).toBe('X1');
  });

  test('another invariant breaks in the smaller scenario -> it does not count', async () => {
    const run = fakeRun((scenario) => (scenario.faults.length > 3 ? 'X1' : 'R4'));
    const { scenario } = await shrink(await run(large), run);
    expect(scenario.faults).toHaveLength(4);
  });

  test('runs run out -> the smallest so far', async () => {
    let runs = 0;
    const sizes: number[] = [];
    const { scenario } = await shrink(await needsTwo(large), needsTwo, {
      runsMax: 5,
      onRun: (count, smallest) => {
        runs = count;
        sizes.push(smallest.faults.length);
      },
    });
    expect(runs).toBe(5);
    expect(sizes.at(-1)).toBe(scenario.faults.length);
  });

  test('a report without a violation -> itself', async () => {
    const holds = fakeRun(() => undefined);
    const report = await holds(large);
    expect((await shrink(report, holds)).scenario).toBe(large);
  });
});

describe('scenario as source', () => {
  test('a message with whatever ends a line -> the comment stays one', () => {
    const message = 'k\rl\u2028m\u2029n';
    const source = scenarioSource({ scenario: large, violation: { id: 'X1', message, atMs: 1 } });
    expect(source).toContain('// Found with X1: k\n');
  });

  test('a report -> a test that holds the whole scenario and names the invariant', async () => {
    const source = scenarioSource(await needsTwo(large));
    const json = /const scenario: Scenario = (\{[\s\S]*?\n\});/.exec(source)?.[1];
    expect(JSON.parse(json ?? '')).toEqual(JSON.parse(JSON.stringify(large)));
    expect(source).toContain("test('seed 1: X1 holds'");
  });
});
