// The public entry: what it refuses, what it gives back, and how it fails.
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { type SimulateOptions, simulate } from '../../../src/testing/index.js';
import { durationMs } from '../../../src/testing/run/duration.js';
import { scenarioOf } from '../../../src/testing/run/simulate-options.js';
import { simProfiles } from '../../../src/testing/swarm/profiles.js';

describe('simulate', () => {
  test('a seed -> a run of stores that holds', async () => {
    const run = await simulate({ seed: 42, duration: '2s', members: 3, pause: '100ms' });
    run.assert();
    expect(run.scenario).toEqual(scenarioOf({ seed: 42, duration: 2_000, members: 3, pause: 100 }));
    expect(run.simulatedMs).toBeGreaterThan(2_000);
    expect(run.source()).toContain('(await simulate({ scenario })).assert();');
    const again = await simulate({ scenario: run.scenario });
    expect(again.traceHash).toBe(run.traceHash);
  });

  test('what the seed is not to decide -> as asked', () => {
    const faults = ['crash', 'pause'] as const;
    const asked = { members: 5, clients: 2, keys: 3, pause: '1s', faultEvery: '100ms' } as const;
    const drawn = Array.from({ length: 8 }, (_, seed) => scenarioOf({ seed, faults, ...asked }));
    for (const scenario of drawn) {
      expect(scenario).toMatchObject({ members: 5, clients: 2, keys: 3, pauseMs: 1_000 });
    }
    const kinds = drawn.flatMap((scenario) => scenario.faults.map(({ fault }) => fault.kind));
    expect([...new Set(kinds)].sort()).toEqual(['crash', 'pause']);
    expect(kinds.length).toBeGreaterThan(200);
  });

  const scenario = scenarioOf({ seed: 1 });
  const pause = { kind: 'pause', target: 'n1', forMs: 10 } as const;
  const refused: readonly (readonly [string, unknown, string])[] = [
    ['no options', undefined, 'options'],
    ['an unknown name', { seed: 1, nodes: 3 }, 'nodes'],
    ['neither seed nor scenario', {}, 'seed'],
    ['a seed that is no integer', { seed: 1.5 }, 'seed'],
    ['a seed as text', { seed: '1' }, 'seed'],
    ['no member', { seed: 1, members: 0 }, 'members'],
    ['too many members', { seed: 1, members: 8 }, 'members'],
    ['half a client', { seed: 1, clients: 0.5 }, 'clients'],
    ['an unknown fault', { seed: 1, faults: ['earthquake'] }, 'earthquake'],
    ['faults that are no list', { seed: 1, faults: 'crash' }, 'faults'],
    ['a duration without a unit', { seed: 1, duration: '10' }, 'duration'],
    ['a duration of nothing', { seed: 1, duration: 0 }, 'duration'],
    ['a machine without a model', { seed: 1, machine: { create() {}, draw() {} } }, 'machine'],
    ['a seed beside a scenario', { seed: 1, scenario }, 'seed'],
    ['a scenario without faults', { scenario: { ...scenario, faults: undefined } }, 'scenario'],
    ['an unknown fault in it', { scenario: withFault({ kind: 'earthquake' }) }, 'earthquake'],
    ['a scenario with no fault in a fault', { scenario: withFault(undefined) }, 'faults'],
    ['an unknown field of a scenario', { scenario: { ...scenario, tickMS: 10 } }, '"tickMS"'],
    ['a load that there is not', { scenario: { ...scenario, load: 'lock' } }, 'calls, locks'],
    ['an unknown field of a fault', { scenario: withFault({ ...pause, for: 1 }) }, '"for"'],
    [
      'a target that nobody can be',
      { scenario: withFault({ ...pause, target: 'leadr' }) },
      'faults[0].fault.target',
    ],
    [
      'a fault without its numbers',
      { scenario: withFault({ kind: 'partition', target: 'n1' }) },
      'faults[0].fault.direction',
    ],
    [
      'a link between others than members',
      { scenario: withFault({ kind: 'cut-link', between: ['n1', 'leader'], forMs: 1 }) },
      'faults[0].fault.between',
    ],
    [
      'a change without its choice',
      {
        scenario: {
          ...scenario,
          changes: [{ atMs: 1, change: { kind: 'member-removed', target: 'n1' } }],
        },
      },
      'changes[0].change.evenOfTwo',
    ],
    [
      'an unknown change',
      { scenario: { ...scenario, changes: [{ atMs: 1, change: { kind: 'gone' } }] } },
      '"gone"',
    ],
    [
      'a time that was before the start',
      { scenario: { ...scenario, faults: [{ atMs: -1, fault: pause }] } },
      'faults[0].atMs',
    ],
    ['a path that loses', { scenario: { ...scenario, path: { drops: 0.1 } } }, 'dropRate'],
    ['a machine that is null', { seed: 1, machine: null }, 'got null'],
    ['calls of no kind', { scenario: { ...scenario, calls: { puts: 1 } } }, 'putWithLease'],
  ];

  test.each(refused)('%s -> OPTIONS_INVALID', async (_, options, named) => {
    const error: unknown = await simulate(options as SimulateOptions).catch((thrown) => thrown);
    expect(isKontikiError(error, 'OPTIONS_INVALID')).toBe(true);
    expect((error as Error).message).toMatch(/^simulate: expected .* to be .*, got /);
    expect((error as Error).message).toContain(named);
  });

  test('members that are gone, or come later, and whatever seeds draw -> accepted', () => {
    for (const target of ['n9', 'm3', 'leader', 'follower', 'anybody']) {
      const fault = { ...pause, target };
      const given = { ...scenario, faults: [{ atMs: 1, fault }] };
      expect(scenarioOf({ scenario: given })).toBe(given);
    }
    for (const profile of simProfiles.values()) {
      for (let seed = 1; seed <= 20; seed += 1) {
        const { scenario: drawn } = profile.draw(seed);
        if (drawn !== undefined) expect(scenarioOf({ scenario: drawn })).toBe(drawn);
      }
    }
  });

  function withFault(fault: unknown) {
    return { ...scenario, faults: [{ atMs: 1, fault }] };
  }
});

describe('duration', () => {
  test('numbers and texts -> milliseconds', () => {
    expect(durationMs(1.5, 'd')).toBe(1.5);
    expect(durationMs('500ms', 'd')).toBe(500);
    expect(durationMs('1.5s', 'd')).toBe(1_500);
    expect(durationMs('10m', 'd')).toBe(600_000);
    expect(durationMs('2h', 'd')).toBe(7_200_000);
  });

  const wrong = ['', 's', '-1s', '1 s', '1d', '1e3ms', '0m', -1, Number.NaN, Infinity, null, {}];
  test.each(wrong)('%j -> OPTIONS_INVALID', (duration) => {
    expect(() => durationMs(duration as '1s', 'pause')).toThrow(/expected pause to be above 0/);
  });
});
