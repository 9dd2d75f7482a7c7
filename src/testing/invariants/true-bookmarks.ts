/** W6: a bookmark promises that nothing up to it is missing. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * The revision of a batch without changes is not below what was delivered, and no revision is left
 * half delivered before it. That nothing earlier follows is W3.
 *
 * @since 0.1.0
 */
export class TrueBookmarks implements Invariant<Step> {
  readonly id = 'W6';
  readonly title = 'a bookmark is behind all it covers';
  readonly source = 'etcd watch guarantees: bookmarkable; etcd 15220';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, revision, changes }: Step): void {
    const stream = this.#facts.streams.get(name);
    if (stream === undefined || changes.length > 0) return;
    if (revision >= stream.delivered && stream.openRevision === 0) return;
    const last = Math.max(stream.delivered, stream.openRevision);
    const message = `${name} got a bookmark ${revision} after ${last}, of which parts were delivered`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
