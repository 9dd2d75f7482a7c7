/** L6: a failover never shortens a lease. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'lease-began' | 'lease-noted' | 'term-began' | 'lease-ended'>;

/**
 * A step is told when the batch of its entry is applied. A leader knew of the lease since it came to that
 * entry in the batch, which takes some reads of a slow engine more.
 */
const applyUs = 250_000;

interface Lease {
  /** What it has left, by the log. */
  leftUs: number;
  /** No leader of the present term may end it before. */
  leastUs: number;
}

/**
 * Whoever leads lets a lease live, from its own first entry on, for as long as the log up to there says
 * that it has left. Asks nobody whether somebody renewed it, and so fails where L2 would need a client that
 * counts on the lease at that very moment.
 *
 * @since 0.1.0
 */
export class UnshortenedLeases implements Invariant<Step> {
  readonly id = 'L6';
  readonly title = 'a new leader gives each lease what the log says it has left';
  readonly source = 'etcd 13508; DESIGN §4.19';
  readonly kinds = ['lease-began', 'lease-noted', 'term-began', 'lease-ended'] as const;
  readonly #leases = new Map<bigint, Lease>();
  /** Of virtual time, how much of a stretch goes by on the fastest clock. */
  readonly #slowest: number;

  /**
   * @param driftPpm - by how much two clocks may differ in speed, in parts per million; default 0
   */
  constructor(driftPpm = 0) {
    this.#slowest = (1e6 - driftPpm) / 1e6;
  }

  check(step: Step): void {
    const { atUs } = step;
    switch (step.kind) {
      case 'lease-began': {
        // Without a time to live there is nothing to hold anybody to.
        const { lease, ttlUs = 0 } = step;
        this.#leases.set(lease, { leftUs: ttlUs, leastUs: this.#after(atUs, ttlUs) });
        break;
      }
      case 'lease-noted': {
        const lease = this.#leases.get(step.lease);
        if (lease !== undefined) lease.leftUs = step.leftUs;
        break;
      }
      case 'term-began':
        for (const lease of this.#leases.values()) lease.leastUs = this.#after(atUs, lease.leftUs);
        break;
      default:
        this.#onEnd(step);
    }
  }

  #onEnd({ atUs, lease: id, reason }: StoreStepOf<'lease-ended'>): void {
    const lease = this.#leases.get(id);
    this.#leases.delete(id);
    if (reason !== 'expired' || lease === undefined || atUs >= lease.leastUs) return;
    const message = `lease ${id} expired at ${atUs} us, the log allows it from ${lease.leastUs} on`;
    throw new InvariantViolation(this.id, atUs, message);
  }

  #after(atUs: number, us: number): number {
    return atUs - applyUs + Math.floor(us * this.#slowest);
  }
}
