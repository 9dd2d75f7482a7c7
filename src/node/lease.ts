/**
 * Lease reads in a driver's terms (DESIGN §4.18). How long a leader may read without asking is a
 * replicated setting, in milliseconds; how many ticks a follower has to stand by it follows from
 * that and from the member's own tick, so members with other timings are safe all the same.
 */

/** What two clocks may differ in rate; crystals do by less than a hundredth of it. */
const driftMax = 0.05;

/**
 * The lease a member proposes when leases are switched on: what its election timeout leaves after two
 * ticks and drift, so that a follower's pledge hardly ever outlasts its own timeout.
 *
 * @param tickMs - milliseconds per tick
 * @param electionTicks - ticks without a leader before an election
 * @returns whole milliseconds; 0 when the timings leave no room for a lease
 * @since 0.1.0
 */
export function leaseMsOf(tickMs: number, electionTicks: number): number {
  return Math.max(0, Math.floor((electionTicks - 2) * tickMs * (1 - 2 * driftMax)));
}

/**
 * Ticks that last longer, by this member's clock, than the lease by any other's: the first tick may
 * come at once, and one may come early after a busy turn.
 *
 * @param leaseMs - the setting
 * @param tickMs - milliseconds per tick of this member
 * @since 0.1.0
 */
export function pledgeTicksOf(leaseMs: number, tickMs: number): number {
  return Math.ceil((leaseMs * (1 + 2 * driftMax)) / tickMs) + 2;
}
