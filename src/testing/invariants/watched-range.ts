/** W7: nobody is told of keys that were not asked for. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'watch-batch'>;

/**
 * Every key lies in the range of the stream.
 *
 * @since 0.1.0
 */
export class WatchedRange implements Invariant<Step> {
  readonly id = 'W7';
  readonly title = 'only keys of the range are delivered';
  readonly source = 'etcd: GHSA-xg4h, keys beyond those watched';
  readonly kinds = ['watch-batch'] as const;
  readonly #facts: StoreFacts;

  constructor(facts: StoreFacts) {
    this.#facts = facts;
  }

  check({ atUs, stream: name, changes }: Step): void {
    const stream = this.#facts.streams.get(name);
    if (stream === undefined) return;
    const { gte, lt } = stream;
    const alien = changes.find(({ key }) => key < gte || (lt !== undefined && key >= lt));
    if (alien === undefined) return;
    const message = `${name} of [${gte}, ${lt ?? 'end'}) got ${alien.key} at ${alien.revision}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
