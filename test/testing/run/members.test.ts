// Members of simulated groups that come and go: the profile holds, changes do what they say, and rules notice.
import { describe, expect, test } from 'vitest';
import { type ConfigurationView, FreshIds, SameMembers } from '../../../src/testing/index.js';
import type { RaftStepOf } from '../../../src/testing/invariants/raft-step.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';
import type { SimProfile } from '../../../src/testing/swarm/profiles.js';
import { simProfiles } from '../../../src/testing/swarm/profiles.js';
import { runSeed } from '../../../src/testing/swarm/run-seed.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const profile = simProfiles.get('members') as SimProfile;

describe('the profile', () => {
  for (let seed = 101; seed < 101 + depth; seed += 1) {
    test(`members, seed ${seed} -> no invariant is broken`, { timeout: 120_000 }, async () => {
      const { counts, violation } = await runSeed(profile, seed);
      expect(violation).toBeUndefined();
      expect(counts['members.changed']).toBeGreaterThan(0);
    });
  }
});

test('each kind of change, without faults -> all are made, and backups restored', {
  timeout: 120_000,
}, async () => {
  const { violation, figures } = await simulateStore({
    ...{ seed: 7, members: 3, durationMs: 9_000, clients: 2, pauseMs: 60, keys: 3, faults: [] },
    backupEveryMs: 1_500,
    changes: [
      { atMs: 1_500, change: { kind: 'leader-moved', target: 'n2' } },
      { atMs: 2_000, change: { kind: 'member-added', as: 'promoted', byOne: true, crashMs: 40 } },
      { atMs: 4_000, change: { kind: 'member-moved', target: 'follower' } },
      { atMs: 5_500, change: { kind: 'member-removed', target: 'leader', evenOfTwo: false } },
      { atMs: 6_500, change: { kind: 'member-replaced', target: 'n3' } },
    ],
  });
  expect(violation).toBeUndefined();
  // Added and promoted; moved; removed; added, joint entered and left.
  expect(figures['members.changed']).toBeGreaterThanOrEqual(7);
  expect(figures['backups.restored']).toBeGreaterThan(0);
});

describe('the rules', () => {
  const group = (...voters: number[]): ConfigurationView => {
    return { voters, votersOutgoing: [], learners: [], autoLeave: false };
  };
  const configured = (index: number, voters: number[], list: string, found = false) => {
    const member = { id: 1 } as never;
    const bytes = new TextEncoder().encode(list);
    const configuration = group(...voters);
    return {
      kind: 'configured',
      atUs: 1,
      member,
      index,
      configuration,
      list: bytes,
      found,
    } as const;
  };
  const told = (...steps: RaftStepOf<'configured'>[]) => {
    for (const step of steps) for (const rule of rules) rule.check(step);
  };
  let rules: readonly [FreshIds, SameMembers];
  const anew = () => {
    rules = [new FreshIds(), new SameMembers()];
  };

  test('an id that comes back after it was removed -> C1', () => {
    anew();
    told(configured(0, [1, 2, 3], 'a'), configured(5, [1, 2], 'b'));
    expect(() => told(configured(9, [1, 2, 3], 'c'))).toThrow(/^C1/);
  });

  test('other names at the same index, or found at a start -> C6; the same, or later -> none', () => {
    anew();
    told(configured(0, [1], 'a', true), configured(5, [1], 'b'), configured(5, [1], 'b'));
    expect(() => told(configured(5, [1], 'c'))).toThrow(/^C6/);
    told(configured(8, [1], 'b', true), configured(3, [1], 'a', true));
    expect(() => told(configured(8, [1], 'a', true))).toThrow(/^C6/);
  });
});
