/** W5: whoever resumes asks for what comes next. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-opened'>;

/**
 * A stream that is opened again begins at most one revision after what was delivered; W4 sees to the
 * rest.
 *
 * @since 0.1.0
 */
export class ResumedWatch implements Invariant<Step> {
  readonly id = 'W5';
  readonly title = 'a watch resumes without a gap';
  readonly source = 'etcd watch guarantees: resumable';
  readonly kinds = ['watch-opened'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, fromRevision }: Step): void {
    const stream = this.#facts.streams.get(name);
    if (stream === undefined) return;
    const next = stream.delivered + 1;
    if (fromRevision <= next) return;
    const message = `${name} resumes from ${fromRevision}, expected at most ${next}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
