/** R4: every state machine goes through the same states. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'applied' | 'installed'>;

/**
 * What is applied is the committed log, one entry after the other, without gap or repeat within a
 * life; it leads everywhere to the same state, which is also what snapshots bring.
 *
 * @since 0.1.0
 */
export class StateMachineSafety implements Invariant<Step> {
  readonly id = 'R4';
  readonly title = 'the same entries are applied everywhere, in order, with the same result';
  readonly source = 'Raft §5.4.3, figure 3: state machine safety';
  readonly kinds = ['start', 'applied', 'installed'] as const;
  readonly #facts: RaftFacts;
  /** Last index of each member's state machine. */
  readonly #applied = new Map<number, number>();

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    const { id } = step.member;
    if (step.kind === 'start') this.#applied.set(id, step.member.applied);
    else if (step.kind === 'installed') this.#onInstalled(step);
    else {
      const before = this.#applied.get(id) ?? 0;
      if (step.index !== before + 1) {
        this.#fail(step, `${id} applied ${step.index} after ${before}`);
      }
      const entry = this.#facts.committed.at(step.index);
      if (entry === undefined) this.#fail(step, `${id} applied ${step.index}, not committed`);
      if (entry.hash !== step.hash) {
        this.#fail(step, `${id} applied another ${step.index} than was committed`);
      }
      if (step.state !== undefined && entry.state !== step.state) {
        this.#fail(step, `${id} has another state after ${step.index}: expected ${entry.state}`);
      }
      this.#applied.set(id, step.index);
    }
  }

  #onInstalled(step: RaftStepOf<'installed'>): void {
    const { index, state, member } = step;
    if (this.#facts.committedTerm(index) === undefined) {
      this.#fail(step, `${member.id} installed ${index}, not committed`);
    }
    const expected = this.#facts.stateAt(index);
    if (state !== undefined && expected !== state) {
      this.#fail(step, `${member.id} installed another state of ${index}: expected ${expected}`);
    }
    this.#applied.set(member.id, index);
  }

  #fail({ atUs }: Step, message: string): never {
    throw new InvariantViolation(this.id, atUs, message);
  }
}
