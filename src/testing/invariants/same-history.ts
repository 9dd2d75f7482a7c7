/** W11: every member executes an entry with the same result. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import { isSameChange } from './reliable-watch.js';
import type { StoreFacts } from './store-facts.js';
import type { ChangeView, StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'applied'>;

/**
 * The changes of a revision are the same, in the same order, wherever it is executed.
 *
 * @since 0.1.0
 */
export class SameHistory implements Invariant<Step> {
  readonly id = 'W11';
  readonly title = 'all members make the same changes';
  readonly source = 'etcd 18667, 14571; DESIGN §1.4';
  readonly kinds = ['applied'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, member, revision, changes }: Step): void {
    const known = this.#facts.revisions.at(revision);
    if (known === undefined || changes.length === 0) return;
    const isSame =
      known.length === changes.length &&
      known.every((each, at) => isSameChange(each, changes[at] as ChangeView));
    if (isSame) return;
    const keys = (list: readonly ChangeView[]): string => list.map(({ key }) => key).join(' ');
    const message = `${member} changes ${keys(changes)} at ${revision}, expected ${keys(known)}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
