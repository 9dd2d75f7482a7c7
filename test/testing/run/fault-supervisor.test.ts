// Who may stop by itself in a run: a cluster that the test plays, one member of which ends with an error.
import { expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import type { SimCluster, SimService } from '../../../src/testing/cluster/sim-cluster.js';
import { FaultSupervisor } from '../../../src/testing/run/fault-supervisor.js';
import { listed, PlayedMachine } from '../changes/played-machine.js';

/** What is told of a member whose data was damaged and that then ends with an error. */
function toldOf(failure: Error): readonly string[] {
  const due: (() => void)[] = [];
  const nothing = () => undefined;
  const service = { status: () => ({ lifecycle: 'closed', failure }) };
  const cluster = {
    names: ['n1'],
    ...{ find: () => service, crash: nothing, retire: nothing },
    sim: { scheduler: { after: (_us: number, action: () => void) => due.push(action) } },
  } as unknown as SimCluster<SimService>;
  const found: string[] = [];
  const supervisor = new FaultSupervisor(cluster, (id) => found.push(id));
  new PlayedMachine('n1', supervisor.ledger).open(1, 'a', listed({ 1: 'a', 2: 'b', 3: 'c' }));
  expect(supervisor.mayDamage('n1')).toBe(true);
  due.shift()?.();
  return found;
}

test('a damaged member that says so -> excused', () => {
  expect(toldOf(kontikiError('STATE_CORRUPT', 'damaged'))).toEqual([]);
});

test('a damaged member that stops with an error of the language -> S1', () => {
  expect(toldOf(new TypeError('undefined is not a function'))).toEqual(['S1']);
});

test('a damaged member that fails an assertion -> ASSERTION', () => {
  expect(toldOf(kontikiError('ASSERTION', 'a hole'))).toEqual(['ASSERTION']);
});
