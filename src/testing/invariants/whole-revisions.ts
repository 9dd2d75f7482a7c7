/** W3: a revision is never split without saying so. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * Nothing more comes of a revision that a batch without the mark has closed.
 *
 * @since 0.1.0
 */
export class WholeRevisions implements Invariant<Step> {
  readonly id = 'W3';
  readonly title = 'a revision comes in one batch, or marked as a fragment';
  readonly source = 'etcd watch guarantees: atomic';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, changes }: Step): void {
    const stream = this.#facts.streams.get(name);
    const late = changes.find((change) => change.revision <= (stream?.delivered ?? 0));
    if (late === undefined) return;
    const message = `${name} got ${late.key} of revision ${late.revision}, which was complete`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
