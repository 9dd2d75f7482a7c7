/** W8: a watcher that is told the version before is told the right one. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * `previousRevision`, where given, is what history has.
 *
 * @since 0.1.0
 */
export class PreviousVersions implements Invariant<Step> {
  readonly id = 'W8';
  readonly title = 'the version before is the one before';
  readonly source = 'etcd: prevKv';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, changes }: Step): void {
    for (const { key, revision, previousRevision } of changes) {
      if (previousRevision === undefined) continue;
      const known = this.#facts.revisions.at(revision)?.find((each) => each.key === key);
      if (known === undefined || known.replaced === previousRevision) continue;
      const message = `${name} was told that ${key} at ${revision} replaced ${previousRevision}, not ${known.replaced}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
