/** W10: nothing comes after the end. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch' | 'watch-ended'>;

/**
 * After its end a stream delivers nothing, and does not end again.
 *
 * @since 0.1.0
 */
export class ExplicitEnd implements Invariant<Step> {
  readonly id = 'W10';
  readonly title = 'a stream ends once, and says so';
  readonly source = 'etcd 17529';
  readonly kinds = ['watch-batch', 'watch-ended'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, kind, stream: name }: Step): void {
    if (this.#facts.streams.get(name)?.isEnded !== true) return;
    throw new InvariantViolation(this.id, atUs, `${name} got a ${kind} after its end`);
  }
}
