// Goal: a fault never meets a group that was healed, and that is asked for what only such a group owes.
import { expect, test } from 'vitest';
import {
  type Scenario,
  type SimulationReport,
  shrink,
  simulate,
} from '../../../src/testing/index.js';

const fault = { kind: 'crash', target: 'n2', how: 'process', downMs: 76_000 } as const;
const scenario: Scenario = {
  ...{ seed: 1, members: 3, durationMs: 4_700, clients: 1, pauseMs: 200, keys: 1 },
  faults: [{ atMs: 4_600, fault }],
};

/** What a bug did that is mended since: whoever was down made the group stand still. */
async function asItWas(each: Scenario): Promise<SimulationReport> {
  const isHit = each.faults.length > 0;
  const violation = isHit ? { id: 'V3', message: 'it stood still', atMs: 40_000 } : undefined;
  return { scenario: each, violation, traceHash: '', trace: [], simulatedMs: 0, figures: {} };
}

test('shrunk, a fault near the end -> before the end still, and sound code holds', async () => {
  expect((await simulate({ scenario })).violation).toBeUndefined();
  const { scenario: smallest } = await shrink(await asItWas(scenario), asItWas);
  expect((await simulate({ scenario: smallest })).violation).toBeUndefined();
  expect(smallest.faults[0]?.atMs).toBeLessThanOrEqual(smallest.durationMs);
});

test('a fault behind the end -> OPTIONS_INVALID', async () => {
  const late = { ...scenario, faults: [{ atMs: 5_000, fault }] };
  await expect(simulate({ scenario: late })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});
