/** L7: an expiry ends what it was decided about. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'lease-began' | 'lease-ended'>;

/**
 * The word of a leader that a lease ran out has its effect only in the term in which it led, and on the very
 * lease: not on one that was granted anew under the same id.
 *
 * @since 0.1.0
 */
export class IntendedExpiry implements Invariant<Step> {
  readonly id = 'L7';
  readonly title = 'an expiry ends no other lease of its id, and in no other term';
  readonly source = 'etcd 12528, 15247, 16822';
  readonly kinds = ['lease-began', 'lease-ended'] as const;
  /** Index of the entry that granted each lease. */
  readonly #generations = new Map<bigint, number | undefined>();

  check(step: Step): void {
    const { atUs, lease } = step;
    if (step.kind === 'lease-began') {
      this.#generations.set(lease, step.index);
      return;
    }
    const { decided, term } = step;
    const generation = this.#generations.get(lease);
    this.#generations.delete(lease);
    if (decided === undefined) return;
    if (decided.term === term && decided.generation === generation) return;
    const meant = `lease ${lease} of entry ${decided.generation} was to expire in term ${decided.term}`;
    const message = `${meant}, that of entry ${generation} did in term ${term}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
