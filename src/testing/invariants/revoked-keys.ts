/** L1: a lease and its keys go together. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'lease-ended'>;

/**
 * The revision at which a lease ends deletes keys of this lease alone, and leaves none.
 *
 * @since 0.1.0
 */
export class RevokedKeys implements Invariant<Step> {
  readonly id = 'L1';
  readonly title = 'a lease takes exactly its keys with it, at once';
  readonly source = 'etcd lessor.go: Revoke';
  readonly kinds = ['lease-ended'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, lease, revision }: Step): void {
    const changes = this.#facts.revisions.at(revision) ?? [];
    const alien = changes.find((each) => each.type !== 'delete' || each.leaseBefore !== lease);
    if (alien !== undefined) {
      const message = `lease ${lease} took ${alien.key} with it, of lease ${alien.leaseBefore}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    const left = this.#facts.attached(lease);
    if (left === 0) return;
    const message = `lease ${lease} ended and left ${left} of its keys`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
