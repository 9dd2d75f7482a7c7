/** The second phase of a run: all faults end, and the group must get on again within a bounded time. */
import { isVoter, type LogId } from '../../raft/index.js';
import { whoIsBehind } from '../invariants/converged-group.js';
import { InvariantViolation } from '../invariants/invariant-violation.js';
import type { BareLoad } from './bare-load.js';
import type { BareSimulation } from './bare-simulation.js';

/** Virtual microseconds between two looks at the group. */
const lookUs = 100_000;

/**
 * Heals everything, and waits until a fresh proposal is applied by the whole group.
 *
 * @param simulation - with its faults
 * @param load - stopped here
 * @param withinUs - virtual microseconds
 * @throws {InvariantViolation} V4, when the group does not get on
 * @since 0.1.0
 */
export function recover(simulation: BareSimulation, load: BareLoad, withinUs: number): void {
  load.stop();
  simulation.heal();
  const { facts } = simulation.checker;
  const endUs = simulation.nowUs + withinUs;
  let fresh: LogId | undefined;
  while (simulation.nowUs < endUs) {
    simulation.runTo(simulation.nowUs + lookUs);
    if (fresh === undefined || isLost(simulation, fresh)) fresh = propose(simulation);
    else if (facts.committedTerm(fresh.index) === fresh.term) {
      if (facts.appliedMax >= fresh.index && whoIsBehind(facts) === undefined) return;
    }
  }
  const what = fresh === undefined ? 'no proposal was taken' : `${fresh.index} is not applied`;
  const message = `${what} within ${withinUs} us after the faults; ${whoIsBehind(facts) ?? ''}`;
  throw new InvariantViolation('V4', simulation.nowUs, message);
}

/** A proposal may be lost with its leader; a client then tries again. */
function isLost({ leaderAt, members }: BareSimulation, { index, term }: LogId): boolean {
  const leader = members[leaderAt];
  if (leader === undefined || index < leader.view.firstIndex) return false;
  return leader.view.termAt(index) !== term;
}

function propose(simulation: BareSimulation): LogId | undefined {
  const { leaderAt } = simulation;
  const leader = simulation.members[leaderAt]?.node;
  if (leader === undefined) return undefined;
  const { configuration, id } = leader;
  if (!isVoter(configuration, id)) {
    // One that does not step down by itself leads until somebody makes it hand over.
    simulation.inputAt(leaderAt, (node) => node.transferLeader(configuration.voters[0] ?? id));
    return undefined;
  }
  let taken: LogId | undefined;
  simulation.inputAt(leaderAt, (node) => {
    taken = node.propose([new Uint8Array(8)]);
  });
  return taken;
}
