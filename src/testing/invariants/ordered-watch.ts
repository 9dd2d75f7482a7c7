/** W1: events come in the order of revisions. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * Revisions never fall, neither inside a batch nor from one to the next, nor pass that of the batch.
 *
 * @since 0.1.0
 */
export class OrderedWatch implements Invariant<Step> {
  readonly id = 'W1';
  readonly title = 'a watch goes forward';
  readonly source = 'etcd watch guarantees; etcd 15271';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, revision, changes }: Step): void {
    const stream = this.#facts.streams.get(name);
    let last = stream === undefined ? 0 : Math.max(stream.delivered, stream.openRevision);
    for (const change of changes) {
      if (change.revision < last || change.revision > revision) {
        const range = `${last} to ${revision}`;
        const message = `${name} got revision ${change.revision}, expected one of ${range}`;
        throw new InvariantViolation(this.id, atUs, message);
      }
      last = change.revision;
    }
  }
}
