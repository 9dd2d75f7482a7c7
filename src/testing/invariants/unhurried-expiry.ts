/** L2: whoever was told that a lease is alive can count on it. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'lease-ended'>;

/**
 * A lease expires no earlier than its TTL after the newest grant or keep-alive that succeeded was asked
 * for, whoever leads meanwhile (L6), less what clocks may differ.
 *
 * @since 0.1.0
 */
export class UnhurriedExpiry implements Invariant<Step> {
  readonly id = 'L2';
  readonly title = 'no lease expires before its time';
  readonly source = 'etcd 12528, 15247, 13508';
  readonly kinds = ['lease-ended'] as const;
  readonly #facts: StoreFacts;
  readonly #driftPpm: number;

  /**
   * @param facts - of the run
   * @param driftPpm - by how much two clocks may differ in speed, in parts per million; default 0
   */
  constructor(facts: StoreFacts, driftPpm = 0) {
    this.#facts = facts;
    this.#driftPpm = driftPpm;
  }

  check({ atUs, lease: id, reason }: Step): void {
    const lease = this.#facts.leases.get(id);
    if (reason !== 'expired' || lease === undefined || lease.ended !== undefined) return;
    const leastUs = lease.sentUs + Math.floor((lease.ttlUs * (1e6 - this.#driftPpm)) / 1e6);
    if (atUs >= leastUs) return;
    const message = `lease ${id} expired at ${atUs} us, expected not before ${leastUs}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
