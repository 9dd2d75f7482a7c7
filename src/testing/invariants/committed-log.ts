/** R6: what is committed never changes: all committed logs are prefixes of one. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'state' | 'log' | 'snapshot'>;

/**
 * Each member's committed entries are those that were first known to be committed. Entries are
 * compared once per life of a member, when they commit there, and again when its log is rewritten.
 *
 * @since 0.1.0
 */
export class CommittedLog implements Invariant<Step> {
  readonly id = 'R6';
  readonly title = 'committed entries never change';
  readonly source = 'Raft §5.4.2; §7 for snapshots';
  readonly kinds = ['start', 'state', 'log', 'snapshot'] as const;
  readonly #facts: RaftFacts;
  /** Up to where each member was compared. */
  readonly #compared = new Map<number, number>();

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    const { member, atUs } = step;
    const { id } = member;
    if (step.kind === 'start') {
      this.#compared.delete(id);
      return;
    }
    if (step.kind === 'snapshot') {
      if (this.#facts.committedTerm(step.index) === step.term) return;
      const message = `${id} takes a snapshot at ${step.index} of term ${step.term}: not committed`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    let compared = this.#compared.get(id) ?? 0;
    if (step.kind === 'log') compared = Math.min(compared, step.from - 1);
    const { commit } = member;
    if (commit <= compared) return;
    this.#compare(step, compared);
    this.#compared.set(id, commit);
  }

  #compare({ member, atUs }: Step, compared: number): void {
    const { committed } = this.#facts;
    const { id, commit, firstIndex } = member;
    const base = firstIndex - 1;
    if (compared < base) {
      const expected = this.#facts.committedTerm(base);
      if (expected !== undefined && expected !== member.termAt(base)) {
        const message = `the log of ${id} begins behind another ${base} than was committed`;
        throw new InvariantViolation(this.id, atUs, message);
      }
    }
    for (let index = Math.max(compared, base) + 1; index <= commit; index += 1) {
      const expected = committed.at(index);
      const term = member.termAt(index);
      if (expected === undefined && index < committed.first) continue;
      if (expected?.term === term && expected?.hash === member.hashAt(index)) continue;
      const message = `${id} committed ${index} of term ${term}, expected that of ${expected?.term}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}
