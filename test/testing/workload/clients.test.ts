// What clients make of calls that fail: only errors of ours are refusals.
import { afterEach, expect, test, vi } from 'vitest';
import { Lease } from '../../../src/store/lease.js';
import { Store } from '../../../src/store/store.js';
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';

const bug = new TypeError("Cannot read properties of undefined (reading 'kvs')");
const scenario = drawScenario(1, { durationMs: 4_000, faults: [], members: 3, focus: 'none' });

afterEach(() => void vi.restoreAllMocks());

test('a read fails with a TypeError -> X5', async () => {
  vi.spyOn(Store.prototype, 'getWithRevision').mockRejectedValue(bug);
  const { violation } = await simulateStore(scenario);
  expect(violation?.id).toBe('X5');
  expect(violation?.message).toContain(bug.message);
});

test('a lease is kept alive, which fails with a TypeError -> X5', async () => {
  vi.spyOn(Lease.prototype, 'keepAlive').mockRejectedValue(bug);
  const calls = { put: 10, grant: 30, renew: 60 };
  const { violation } = await simulateStore({ ...scenario, calls });
  expect(violation?.id).toBe('X5');
  expect(violation?.message).toContain(bug.message);
});
