// V4: members that refuse everything settle every call and are equal, and yet serve nobody.
import { afterEach, expect, test, vi } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { Store } from '../../../src/store/store.js';
import { simulate } from '../../../src/testing/index.js';
import { MachineService } from '../../../src/testing/machine/machine-service.js';
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';
import { Bank, bankOf } from '../machine/bank.js';

const timeout = 120_000;
const refusal = kontikiError('TIMEOUT', 'planted', { outcome: 'rejected' });
const calm = { durationMs: 2_000, faults: [], members: 3, focus: 'none' } as const;
const scenario = { ...drawScenario(1, calm), clients: 2, pauseMs: 100, watchers: 1 };

afterEach(() => void vi.restoreAllMocks());

test.each(['put', 'getWithRevision'] as const)(
  'stores refuse every %s -> V4',
  { timeout },
  async (method) => {
    vi.spyOn(Store.prototype, method).mockRejectedValue(refusal);
    const { violation } = await simulateStore(scenario);
    expect(violation?.id).toBe('V4');
  },
);

test('one member refuses writes, whoever else is asked serves -> V4', { timeout }, async () => {
  const { put } = Store.prototype;
  let refusing: Store | undefined;
  const spy = vi.spyOn(Store.prototype, 'put');
  spy.mockImplementation(function (this: Store, ...args) {
    refusing ??= this;
    return this === refusing ? Promise.reject(refusal) : put.apply(this, args);
  });
  const { violation, figures } = await simulateStore(scenario);
  expect(violation?.id).toBe('V4');
  expect(figures['calls.ok']).toBeGreaterThan(0);
});

test('only refused until the faults are over -> none', { timeout }, async () => {
  const { put } = Store.prototype;
  let left = 50;
  const spy = vi.spyOn(Store.prototype, 'put');
  spy.mockImplementation(function (this: Store, ...args) {
    left -= 1;
    return left > 0 ? Promise.reject(refusal) : put.apply(this, args);
  });
  expect((await simulateStore(scenario)).violation).toBeUndefined();
  expect(left).toBeLessThan(0);
});

test('nobody is granted a session for a lock -> V4', { timeout }, async () => {
  // An error that may pass would be waited out, for ever, which is V2.
  const final = kontikiError('CLOSED', 'planted', { outcome: 'rejected' });
  vi.spyOn(Store.prototype, 'lease').mockRejectedValue(final);
  const { violation } = await simulateStore({ ...scenario, load: 'locks' });
  expect(violation?.id).toBe('V4');
});

test('members refuse every command of a machine -> V4', { timeout }, async () => {
  vi.spyOn(MachineService.prototype, 'propose').mockRejectedValue(refusal);
  const machine = bankOf(() => new Bank());
  const { violation } = await simulate({ seed: 1, machine, duration: '2s', faults: [] });
  expect(violation?.id).toBe('V4');
});
