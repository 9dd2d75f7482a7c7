/** Options of a core as a seed chooses them: small windows and budgets, all switches both ways. */
import { type Random, randomInt } from '../../base/prng.js';
import type { RaftOptions } from '../../raft/index.js';

/**
 * Options that a group has in common.
 *
 * @since 0.1.0
 */
export type GroupOptions = Partial<
  Omit<RaftOptions, 'id' | 'reader' | 'applied' | 'latestSnapshot' | 'random'>
>;

/**
 * Draws the options of a group.
 *
 * @param random - decides
 * @param leaseMsMax - the longest lease that an election timeout of so many ticks allows
 * @since 0.1.0
 */
export function drawGroupOptions(
  random: Random,
  leaseMsMax: (electionTicks: number) => number,
): GroupOptions {
  const int = (bound: number): number => randomInt(random, bound);
  const appendBytesMax = [0, 60, 1_000][int(3)] as number;
  const electionTicks = 3 + int(8);
  const leases = int(4) === 0;
  return {
    electionTicks,
    heartbeatTicks: 1 + int(2),
    preVote: int(3) > 0,
    checkQuorum: leases || int(3) > 0,
    leaseMs: leases ? leaseMsMax(electionTicks) : 0,
    proposalForwarding: int(3) === 0,
    stepDownOnRemoval: int(3) > 0,
    disableConfChangeValidation: int(5) === 0,
    appendBytesMax,
    inflightMessagesMax: [1, 3, 256][int(3)] as number,
    inflightBytesMax: int(2) === 0 ? Infinity : appendBytesMax + 50,
    applyBytesMax: [1, 100, 10_000][int(3)] as number,
    uncommittedBytesMax: [20, 10_000][int(2)] as number,
  };
}
