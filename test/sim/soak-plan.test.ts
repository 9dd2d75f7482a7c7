// What the soak runs next, and what it tells.
import { describe, expect, test } from 'vitest';
import { SoakPlan, type SoakPlanOptions } from './soak-plan.js';
import type { SoakTask } from './soak-worker.js';

const endless = { stores: Infinity, cores: Infinity };

function planOf(options: Partial<SoakPlanOptions> = {}): SoakPlan {
  return new SoakPlan({ firstSeed: 100, hours: endless, ...options });
}

/** A seed that took so long, and simulated half an hour. */
function answer(task: SoakTask, realMs: number, id?: string) {
  const violation = id === undefined ? undefined : { id, message: 'it broke', atMs: 1 };
  return {
    ...task,
    simulatedMs: 1_800_000,
    counts: { elections: 1 },
    violation,
    realMs,
    trace: [],
  };
}

describe('soak plan', () => {
  test('profiles that take different times -> each its share of time, its seeds in order', () => {
    const plan = planOf({ profiles: ['long', 'churn'] });
    const seeds: Record<string, number[]> = { long: [], churn: [] };
    for (let run = 0; run < 110; run += 1) {
      const task = plan.next() as SoakTask;
      seeds[task.profile]?.push(task.seed);
      plan.done(answer(task, 10));
    }
    // Ten times the share, and seeds that take as long.
    expect(seeds.long?.length).toBeGreaterThan(95);
    expect(seeds.churn?.slice(0, 3)).toEqual([100, 101, 102]);
  });

  test('seeds under way -> not given out twice, and counted', () => {
    const plan = planOf({ profiles: ['churn', 'power'] });
    const tasks = Array.from({ length: 4 }, () => plan.next() as SoakTask);
    const names = tasks.map(({ profile, seed }) => `${profile} ${seed}`);
    expect(names.sort()).toEqual(['churn 100', 'churn 101', 'power 100', 'power 101']);
  });

  test('hours reached -> those profiles rest; all of them -> nothing is next', () => {
    const plan = planOf({ profiles: ['churn', 'cores'], hours: { stores: 1, cores: 2 } });
    const run: string[] = [];
    for (let task = plan.next(); task !== undefined; task = plan.next()) {
      run.push(task.profile);
      plan.done(answer(task, 10));
    }
    expect(run.filter((name) => name === 'churn')).toHaveLength(2);
    expect(run.filter((name) => name === 'cores')).toHaveLength(4);
  });

  test('a violation -> in progress, table and report', () => {
    const plan = planOf({ profiles: ['churn'] });
    plan.done(answer(plan.next() as SoakTask, 1_000, 'R4'));
    expect(plan.progress(61_000)).toBe('1m01s: 1 seeds, 0.50 h stores, 0.00 h cores, 1 violations');
    expect(plan.table(0)).toMatch(/^churn +1 +0\.50 +1800\.0 +1 *$/m);
    expect(plan.report(61_000)).toMatchObject({
      hours: { stores: 0.5, cores: 0 },
      violations: [{ seed: 100, violation: { id: 'R4' } }],
      profiles: [{ name: 'churn', seeds: 1, counts: { elections: 1 } }],
    });
  });

  test('an unknown profile -> refused', () => {
    expect(() => planOf({ profiles: ['chrun'] })).toThrow('chrun');
  });
});
