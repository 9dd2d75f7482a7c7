/** M2: what a version says of itself is what happened. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'applied'>;

/**
 * A put of a key that does not exist is its creation and has version 1; every further one keeps the
 * create revision and counts on.
 *
 * @since 0.1.0
 */
export class VersionFields implements Invariant<Step> {
  readonly id = 'M2';
  readonly title = 'create revision, version and history agree';
  readonly source = 'etcd key_index.go: generations';
  readonly kinds = ['applied'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, member, revision }: Step): void {
    for (const change of this.#facts.revisions.at(revision) ?? []) {
      if (change.type !== 'put') continue;
      const { key, version, createRevision, expectedVersion, expectedCreateRevision } = change;
      const isRight =
        (version ?? expectedVersion) === expectedVersion &&
        (createRevision ?? expectedCreateRevision) === expectedCreateRevision;
      if (isRight) continue;
      const expected = `version ${expectedVersion} created at ${expectedCreateRevision}`;
      const message = `${key} at ${revision} on ${member} has version ${version} created at ${createRevision}, expected ${expected}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
