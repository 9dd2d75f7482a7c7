/** L4: an ended lease does not come back. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'applied'>;

/**
 * No put after the end of a lease names it, unless it was granted again.
 *
 * @since 0.1.0
 */
export class EndedLeases implements Invariant<Step> {
  readonly id = 'L4';
  readonly title = 'no key is attached to a lease that has ended';
  readonly source = 'etcd: lease not found';
  readonly kinds = ['applied'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, member, changes }: Step): void {
    for (const { key, lease: id, revision } of changes) {
      if (id === undefined) continue;
      const ended = this.#facts.leases.get(id)?.ended;
      if (ended === undefined || ended.revision === 0 || revision <= ended.revision) continue;
      const message = `${member} attaches ${key} at ${revision} to lease ${id}, over at ${ended.revision}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
