/**
 * `kontiki sim` as its user meets it. Most of it runs on a simulator that is told what to find; what the
 * real one finds is for test/testing.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CommandContext, Testing } from '../../src/cli/command.js';
import * as testing from '../../src/testing/index.js';
import { run, runWith } from './cli.js';

const loadTesting = () => Promise.resolve(testing);

const sim = (...words: string[]) => runWith({ loadTesting }, 'sim', ...words);

/** A simulator in which seeds whose scenario has a crash break an invariant. */
function breaking(parts: Partial<Testing> = {}): Testing {
  const report = (scenario: testing.Scenario) => {
    const breaks = scenario.faults.some(({ fault }) => fault.kind === 'crash');
    const violation = breaks ? { id: 'X1', message: 'it broke', atMs: 1_234 } : undefined;
    const counts = { 'role.candidate>leader': 1 };
    return { scenario, violation, counts, simulatedMs: 30_000, trace: ['1ms n1 boot'] };
  };
  const runSeed: Testing['runSeed'] = async ({ name: profile }, seed) => {
    const scenario = testing.drawScenario(seed, { members: 3 });
    return { profile, seed, drawn: { scenario }, ...report(scenario) };
  };
  const simulate = async ({ scenario }: testing.SimulateOptions) => {
    const run = async (each: testing.Scenario) => {
      return { ...report(each), traceHash: '', figures: {} };
    };
    const first = await run(scenario as testing.Scenario);
    return new testing.SimulationRun(first, { run, hasMachine: false });
  };
  return { ...testing, runSeed, simulate: simulate as Testing['simulate'], ...parts };
}

const hasCrash = (seed: number) =>
  testing.drawScenario(seed, { members: 3 }).faults.some(({ fault }) => fault.kind === 'crash');
const seeds = Array.from({ length: 40 }, (_, at) => at + 1);
const bad = seeds.find(hasCrash) as number;
const good = seeds.find((seed) => !hasCrash(seed)) as number;

const broken = (parts: Partial<CommandContext>, ...words: string[]) =>
  runWith({ loadTesting: async () => breaking(), ...parts }, 'sim', ...words);

describe('kontiki sim', () => {
  test('a seed of bare cores -> status 0, what was simulated and what was not reached', async () => {
    const { code, out, errors } = await sim('--profile', 'cores', '--seed', '7');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(out).toMatch(/^cores, seeds 7 to 7, 1\.\d min simulated, .* marks, 0 violations$/m);
    expect(out).toMatch(/^not reached: .* more$/m);
  });

  test('a seed of whole stores -> it holds', async () => {
    const { code, out } = await sim('--profile', 'churn', '--seed', '11');
    expect(out).toMatch(/^churn, seeds 11 to 11, .* 0 violations$/m);
    expect(code).toBe(0);
  });

  test.each([
    [['--sed', '1'], '--sed'],
    [['--seed', '1.5'], '--seed'],
    [['--seed', 'one'], '--seed'],
    [['--seeds', '0'], '--seeds'],
    [['--profile', 'chrun'], 'chrun'],
    [['--for', '10'], '--for'],
    [['churn'], 'churn'],
  ])('%j: wrong usage -> status 2 and says what is wrong', async (words, problem) => {
    const { code, out, errors } = await sim(...words);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(errors).toContain(problem);
  });

  test('--help -> all profiles', async () => {
    const { code, out } = await sim('--help');
    expect(code).toBe(0);
    for (const { name, about } of testing.simProfiles.values()) {
      expect(out).toMatch(new RegExp(`^  ${name} +${about}$`, 'm'));
    }
  });

  test('other commands -> the simulator is not loaded', async () => {
    expect(await run('--help')).toMatchObject({ code: 0 });
    expect(await run('check', 'nowhere')).toMatchObject({ code: 2 });
    expect((await run('sim')).errors).toContain('only sim needs the simulator');
  });

  test('--for -> seeds until the time is over', async () => {
    let nowMs = 0;
    const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
    const runs: number[] = [];
    const runSeed: Testing['runSeed'] = (profile, seed) => {
      runs.push(seed);
      nowMs += 9_000;
      return breaking().runSeed(profile, good);
    };
    const parts = { clock, loadTesting: async () => breaking({ runSeed }) };
    const { out } = await runWith(parts, 'sim', '--seed', '5', '--for', '50s');
    expect(runs).toEqual([5, 6, 7, 8, 9, 10]);
    // One line after each ten seconds, and one at the end.
    expect(out.match(/^standard, seeds 5 to \d+/gm)).toEqual([
      'standard, seeds 5 to 6',
      'standard, seeds 5 to 8',
      'standard, seeds 5 to 10',
      'standard, seeds 5 to 10',
    ]);
  });

  test.each([
    [['--for', '10'], "--for to be a time such as 90s, 10m or 2h, got '10'"],
    // Beyond, a seed and one is the same seed: it would never come to an end.
    [['--seed', '9007199254740990', '--seeds', '4'], 'to end at a safe integer'],
  ])('%j -> status 2, before any seed', async (words, problem) => {
    const runSeed = () => Promise.reject(new Error('no seed is asked for'));
    const parts = { loadTesting: async () => breaking({ runSeed }) };
    const { code, errors } = await runWith(parts, 'sim', ...words);
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining(problem) });
  });

  test('a terminal -> the line is written over, and gone before anything stays', async () => {
    const updates: string[] = [];
    const update = (line: string) => void updates.push(line);
    await broken({ update }, '--seed', String(good), '--seeds', '1');
    expect(updates[0]).toMatch(/^standard, seeds/);
    expect(updates.at(-1)).toBe('');
  });
});

describe('kontiki sim, on a violation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kontiki-sim-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a seed breaks an invariant -> status 1, and what to run again', async () => {
    const { code, out } = await broken({}, '--seed', String(bad), '--profile', 'churn');
    expect(code).toBe(1);
    expect(out).toContain(`VIOLATION X1 at 1234 ms of seed ${bad}: it broke`);
    expect(out).toContain('  1ms n1 boot');
    expect(out).toContain(`again: kontiki sim --seed ${bad} --profile churn`);
    expect(out).not.toContain('import { test }');
  });

  test('bare cores -> run again for their trace', async () => {
    const violation = { id: 'R1', message: 'two leaders', atMs: 1 };
    const runSeed: Testing['runSeed'] = async (profile, seed) => {
      const drawn = { cores: { seed, durationMs: 500 } };
      const run = { profile: profile.name, seed, drawn, violation, simulatedMs: 500 };
      return { ...run, counts: {}, trace: [] };
    };
    const parts = { loadTesting: async () => breaking({ runSeed }) };
    const { code, out } = await runWith(parts, 'sim', '--profile', 'cores', '--shrink');
    expect(code).toBe(1);
    expect(out.match(/^ {2}\d+\.\d{3}ms /gm)?.length).toBe(20);
  });

  test('several seeds -> goes on after the first', async () => {
    const { code, out } = await broken({}, '--seeds', '40');
    const found = [...out.matchAll(/of seed (\d+): it broke/g)].map(([, seed]) => Number(seed));
    expect(found).toEqual(seeds.filter(hasCrash));
    expect(code).toBe(1);
  });

  test('--shrink -> the smallest scenario as a test', async () => {
    const { out } = await broken({}, '--seed', String(bad), '--shrink');
    expect(out).toMatch(/^shrunk to 1 members, 1 clients, 1 faults, \d+ ms$/m);
    expect(out).toContain("import { test } from 'vitest'");
    expect(out).toContain(`test('seed ${bad}: X1 holds'`);
  });

  test('it does not break again -> says so', async () => {
    const simulate = (() => sound()) as unknown as Testing['simulate'];
    const sound = async () => ({ violation: undefined });
    const parts = { loadTesting: async () => breaking({ simulate }) };
    const { code, out } = await runWith(parts, 'sim', '--seed', String(bad), '--shrink');
    expect(code).toBe(1);
    expect(out).toContain('it did not happen again');
  });

  test('--out -> the run as a file that can be read back, and the test', async () => {
    const words = ['--seed', String(bad), '--shrink', '--out', join(folder, 'found')];
    const { out } = await broken({}, ...words);
    const names = readdirSync(join(folder, 'found')).sort();
    expect(names).toEqual([`standard-${bad}.json`, `standard-${bad}.test.ts`]);
    const text = readFileSync(join(folder, 'found', names[0] as string), 'utf8');
    const regression = testing.readRegression(text);
    expect(regression).toMatchObject({ invariant: 'X1', cause: 'it broke', profile: 'standard' });
    expect(regression.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(regression.run.scenario).toMatchObject({ seed: bad, members: 1, clients: 1 });
    expect(out.match(/^written: /gm)).toHaveLength(2);
    // Again, in place of what is there.
    expect((await broken({}, ...words)).code).toBe(1);
  });
});
