/** L5: nobody is told that a dead lease lives. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'lease-renewed'>;

/**
 * A lease that had ended when the keep-alive was sent is not renewed.
 *
 * @since 0.1.0
 */
export class HonestRenewals implements Invariant<Step> {
  readonly id = 'L5';
  readonly title = 'a keep-alive that succeeded found the lease alive';
  readonly source = 'etcd 20616';
  readonly kinds = ['lease-renewed'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, lease: id, sentUs }: Step): void {
    const ended = this.#facts.leases.get(id)?.ended;
    if (ended === undefined || ended.atUs >= sentUs) return;
    const message = `lease ${id} was renewed for a call of ${sentUs} us, and had ended at ${ended.atUs}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
