/**
 * Lease reads in a driver's terms (DESIGN §4.18). How long a leader may read without asking is a
 * replicated setting, in milliseconds; how many ticks a follower has to stand by it follows from
 * that and from the member's own tick, so members with other timings are safe all the same.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { StateMachine } from './state-machine.js';

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

/** The setting as the core knows it. @since 0.1.0 */
export class LeaseSetting {
  readonly #machine: Pick<StateMachine, 'durableReadLease'>;
  readonly #tickMs: number;
  #leaseMs: number;

  constructor(machine: Pick<StateMachine, 'durableReadLease'>, tickMs: number) {
    this.#machine = machine;
    this.#tickMs = tickMs;
    // Whatever is set now, before it stopped this member may have pledged as much.
    this.#leaseMs = machine.durableReadLease?.everMs ?? 0;
  }

  /** For a core that is built now. */
  get options(): { readonly leaseMs: number; readonly pledgeTicks: number } {
    return { leaseMs: this.#leaseMs, pledgeTicks: pledgeTicksOf(this.#leaseMs, this.#tickMs) };
  }

  /**
   * Tells the core of another setting. Only once it is durable: a member must not forget with a crash
   * that it pledges leases.
   */
  take(raft: Pick<RawNode, 'setLease'>): void {
    const leaseMs = this.#machine.durableReadLease?.leaseMs ?? 0;
    if (leaseMs === this.#leaseMs) return;
    this.#leaseMs = leaseMs;
    raft.setLease(leaseMs, pledgeTicksOf(leaseMs, this.#tickMs));
  }
}
