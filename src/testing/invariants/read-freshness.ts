/** R15: a read sees everything that anybody was told before it began. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'read-asked' | 'read-answered'>;

/**
 * The index to read at is not below what some state machine had when the read began. A leader without
 * a commit of its own term, one that was replaced, and a lease that outlived its pledge all show here.
 *
 * @since 0.1.0
 */
export class ReadFreshness implements Invariant<Step> {
  readonly id = 'R15';
  readonly title = 'a read index is not below what was acknowledged before the read began';
  readonly source = 'thesis §6.4; etcd 20418, 7331';
  readonly kinds = ['read-asked', 'read-answered'] as const;
  readonly #facts: RaftFacts;
  /**
   * What was acknowledged when each read of a member began. Kept for good: an answer may come twice,
   * or after a restart, and must be right every time.
   */
  readonly #floors = new Map<number, Map<number, number>>();

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    const { id } = step.member;
    let floors = this.#floors.get(id);
    if (floors === undefined) {
      floors = new Map();
      this.#floors.set(id, floors);
    }
    const { atUs, read } = step;
    if (step.kind === 'read-asked') {
      // An answer to the earlier one, which may still come, would pass for an answer to this one.
      if (floors.has(read)) {
        throw new InvariantViolation(this.id, atUs, `${id} asks read ${read} a second time`);
      }
      floors.set(read, this.#facts.appliedMax);
    } else {
      const { index } = step;
      const floor = floors.get(read);
      if (floor === undefined) {
        const message = `${id} got an answer to read ${read}, which it did not ask`;
        throw new InvariantViolation(this.id, atUs, message);
      }
      if (index >= floor) return;
      const message = `${id} reads at ${index}, expected at least ${floor}: it was acknowledged`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
