// Whole runs from seeds: stores under faults hold, and a run can fail.
import { describe, expect, test } from 'vitest';
import { storeCluster } from '../../../src/testing/cluster/store-cluster.js';
import { faultKinds } from '../../../src/testing/faults/fault.js';
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import { focusNames } from '../../../src/testing/run/focus.js';
import type { Scenario } from '../../../src/testing/run/scenario.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';
import { Simulation, type SimulationReport } from '../../../src/testing/run/simulation.js';
import { StoreWorkload } from '../../../src/testing/workload/store-workload.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const firstSeed = Number(process.env.KONTIKI_SEED ?? 2_000);

/** A run whose machines lie about every sync. */
async function onLyingDisks(scenario: Scenario): Promise<SimulationReport> {
  const { seed, members, tuning, path } = scenario;
  const cluster = storeCluster({ seed, members, tuning, network: { path } });
  for (const name of cluster.names) cluster.machine(name).disk.lyingSyncs = true;
  return new Simulation(scenario, cluster, new StoreWorkload()).run();
}

describe('simulation', () => {
  const seeds = Array.from(
    { length: Math.max(1, Math.round(10 * depth)) },
    (_, i) => firstSeed + i,
  );
  test.each(seeds)('seed %i -> no invariant is broken', { timeout: 120_000 }, async (seed) => {
    const { violation, figures, trace } = await simulateStore(drawScenario(seed));
    expect(violation, `seed ${seed}\n${trace.slice(-40).join('\n')}`).toBeUndefined();
    expect(figures['calls.ok']).toBeGreaterThan(0);
  });

  test.each(
    focusNames.flatMap((focus) =>
      Array.from(
        { length: Math.max(1, Math.round(depth)) },
        (_, i) => [focus, firstSeed + i] as const,
      ),
    ),
  )('focus %s, seed %i -> no invariant is broken', { timeout: 120_000 }, async (focus, seed) => {
    const { violation, figures, trace } = await simulateStore(
      drawScenario(seed, { focus, durationMs: 6_000 }),
    );
    expect(violation, `seed ${seed}\n${trace.slice(-40).join('\n')}`).toBeUndefined();
    expect(figures['calls.ok']).toBeGreaterThan(0);
  });

  test('a scenario again -> the same trace', async () => {
    const scenario = drawScenario(7, { durationMs: 4_000 });
    const first = await simulateStore(scenario);
    const second = await simulateStore(JSON.parse(JSON.stringify(scenario)) as Scenario);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.figures).toEqual(first.figures);
  });

  test('another seed -> another trace', async () => {
    const { traceHash } = await simulateStore(drawScenario(8, { durationMs: 2_000 }));
    const other = await simulateStore({ ...drawScenario(8, { durationMs: 2_000 }), seed: 9 });
    expect(other.traceHash).not.toBe(traceHash);
  });

  test('disks that lie, and power cuts -> a violation', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 6; seed += 1) {
      const scenario = drawScenario(seed, { faults: ['power-cut'], members: 3 });
      const { violation } = await onLyingDisks(scenario);
      if (violation !== undefined) found.push(violation.id);
    }
    expect(found.length).toBeGreaterThan(2);
  });
});

describe('swarm', () => {
  test('seeds -> every kind of fault, in order of time, and runs without any', () => {
    const scenarios = Array.from({ length: 200 }, (_, seed) => drawScenario(seed));
    const drawn = new Set(scenarios.flatMap(({ faults }) => faults.map(({ fault }) => fault.kind)));
    expect([...drawn].sort()).toEqual(faultKinds);
    for (const { faults, durationMs } of scenarios) {
      const times = faults.map(({ atMs }) => atMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(Math.max(0, ...times)).toBeLessThan(durationMs);
    }
  });

  test('the same seed -> the same scenario', () => {
    expect(drawScenario(77)).toEqual(drawScenario(77));
  });

  test('half of the seeds -> narrow, of every focus; others and what is asked for -> as ever', () => {
    const seeds = Array.from({ length: 400 }, (_, seed) => seed);
    const isNarrow = (seed: number) => {
      const [drawn, wide] = [drawScenario(seed), drawScenario(seed, { focus: 'none' })];
      return JSON.stringify(drawn) !== JSON.stringify(wide);
    };
    expect(seeds.filter(isNarrow).length).toBeGreaterThan(150);
    expect(seeds.filter(isNarrow).length).toBeLessThan(250);
    const any = new Set(
      seeds.map((seed) => JSON.stringify(drawScenario(seed, { focus: 'any' }).calls)),
    );
    expect(any.size).toBeGreaterThan(5);
    for (const focus of focusNames) {
      const { faults, members } = drawScenario(3, { focus, faults: ['crash'], members: 5 });
      expect(members).toBe(5);
      expect(faults.every(({ fault }) => fault.kind === 'crash')).toBe(true);
    }
  });
});
