/** M1: each entry makes at most one revision, on every member the same. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'applied'>;

/**
 * A revision belongs to one entry of the log for good: executing the entry again, after a restart or on
 * another member, leads to it again; the next entry leads to it or to the one after.
 *
 * @since 0.1.0
 */
export class RevisionSteps implements Invariant<Step> {
  readonly id = 'M1';
  readonly title = 'revisions go up by one, everywhere alike';
  readonly source = 'etcd 13766, 17780, 16693';
  readonly kinds = ['applied'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, member, index, revision }: Step): void {
    const expected = this.#facts.revisionAt(index);
    if (expected !== revision) {
      const message = `${member} is at revision ${revision} behind entry ${index}, expected ${expected}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    const before = this.#facts.revisionAt(index - 1);
    if (before === undefined || revision === before || revision === before + 1) return;
    const message = `entry ${index} led from revision ${before} to ${revision} on ${member}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
