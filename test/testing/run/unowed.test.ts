// A group that cannot decide any more owes no progress, but what it told before is right all the same.
import { afterEach, expect, test, vi } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { StoreMembers } from '../../../src/store/members.js';
import { Store } from '../../../src/store/store.js';
import { SimCluster } from '../../../src/testing/cluster/sim-cluster.js';
import { simulate } from '../../../src/testing/index.js';
import { FaultSupervisor } from '../../../src/testing/run/fault-supervisor.js';
import type { Scenario } from '../../../src/testing/run/scenario.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';
import { Bank, bankOf } from '../machine/bank.js';

const timeout = 120_000;

/** A voter is added, another one loses its disk: where those that are left never met, nobody is elected. */
const scenario: Omit<Scenario, 'seed'> = {
  ...{ members: 3, durationMs: 2_000, clients: 2, pauseMs: 60, keys: 1, watchers: 1 },
  calls: { put: 50, get: 50 },
  faults: [{ atMs: 1_387, fault: { kind: 'crash', target: 'n2', how: 'process', downMs: 600 } }],
  changes: [
    {
      atMs: 543,
      change: { kind: 'member-added', as: 'voter', byOne: false, crashMs: 0 },
    },
    { atMs: 1_517, change: { kind: 'member-wiped', target: 'n3', denyingMs: 790 } },
  ],
};

/** The ids that those of some runs break which end so; `undefined`: none. */
async function unowed(): Promise<readonly (string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  for (let seed = 1; seed <= 6; seed += 1) {
    const { figures, violation } = await simulateStore({ ...scenario, seed });
    if (figures['liveness.unowed'] === 1) ids.push(violation?.id);
  }
  return ids;
}

afterEach(() => void vi.restoreAllMocks());

test('right answers -> none', { timeout }, async () => {
  const ids = await unowed();
  expect(ids).toContain(undefined);
  expect(ids.filter((id) => id !== undefined)).toEqual([]);
});

test('reads that find nothing -> X1', { timeout }, async () => {
  const { getWithRevision } = Store.prototype;
  const spy = vi.spyOn(Store.prototype, 'getWithRevision');
  spy.mockImplementation(async function (this: Store, ...args) {
    return { ...(await getWithRevision.apply(this, args)), kv: undefined };
  });
  expect(await unowed()).toContain('X1.wrong-answer');
});

test('who asked for a member is told that it was rejected, and it is in the list -> C7', {
  timeout,
}, async () => {
  const { add } = StoreMembers.prototype;
  const spy = vi.spyOn(StoreMembers.prototype, 'add');
  spy.mockImplementation(async function (this: StoreMembers, ...args) {
    await add.apply(this, args);
    throw kontikiError('TIMEOUT', 'planted', { outcome: 'rejected' });
  });
  expect(await unowed()).toContain('C7');
});

test("a machine of one's own that answers wrongly -> X1", { timeout }, async () => {
  // Its members do not change, and of those of the beginning a majority is always left.
  vi.spyOn(FaultSupervisor.prototype, 'owesLiveness', 'get').mockReturnValue(false);
  vi.spyOn(SimCluster.prototype, 'isSettled').mockReturnValue(false);
  class Generous extends Bank {
    override apply(command: Uint8Array) {
      return { ...super.apply(command), done: true };
    }
  }
  const machine = bankOf(() => new Generous());
  const run = await simulate({ seed: 1, machine, duration: '2s', members: 3, pause: 60 });
  expect(run.figures['liveness.unowed']).toBe(1);
  expect(run.violation?.id).toBe('X1.wrong-answer');
});
