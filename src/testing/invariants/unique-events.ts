/** W2: a change of a key is told once. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * Within a stream a key changes once per revision.
 *
 * @since 0.1.0
 */
export class UniqueEvents implements Invariant<Step> {
  readonly id = 'W2';
  readonly title = 'no event comes twice';
  readonly source = 'etcd watch guarantees; etcd 17247';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, changes }: Step): void {
    const stream = this.#facts.streams.get(name);
    let revision = stream?.openRevision ?? 0;
    const keys = new Set(stream?.openChanges.map(({ key }) => key));
    for (const change of changes) {
      if (change.revision !== revision) keys.clear();
      revision = change.revision;
      if (keys.has(change.key)) {
        const message = `${name} got ${change.key} at revision ${revision} twice`;
        throw new InvariantViolation(this.id, atUs, message);
      }
      keys.add(change.key);
    }
  }
}
