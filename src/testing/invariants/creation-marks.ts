/** W9: a watcher can tell a new key from a changed one. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * A put says it creates the key exactly if the key did not exist.
 *
 * @since 0.1.0
 */
export class CreationMarks implements Invariant<Step> {
  readonly id = 'W9';
  readonly title = 'a creation is told as one';
  readonly source = 'etcd robustness: isCreate';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, changes }: Step): void {
    for (const { key, type, revision, createRevision } of changes) {
      if (type !== 'put' || createRevision === undefined) continue;
      const known = this.#facts.revisions.at(revision)?.find((each) => each.key === key);
      if (known === undefined || known.expectedCreateRevision === createRevision) continue;
      const expected = `expected ${known.expectedCreateRevision}`;
      const message = `${name} was told that ${key} at ${revision} was created at ${createRevision}, ${expected}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
