/** R11: a leader commits by counting only what is of its own term. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state'>;

/**
 * While a member leads, its commit index moves only to entries of its term: copies of an older entry,
 * however many, can still be replaced (figure 8).
 *
 * @since 0.1.0
 */
export class CommitOwnTerm implements Invariant<Step> {
  readonly id = 'R11';
  readonly title = 'only entries of the current term are committed by counting';
  readonly source = 'Raft §5.4.2, figure 8';
  readonly kinds = ['state'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, member }: Step): void {
    const { id, term, commit } = member;
    if (!this.#facts.leadsOn(member) || commit === this.#facts.before?.commit) return;
    if (member.termAt(commit) === term) return;
    const message = `leader ${id} of term ${term} committed ${commit} of ${member.termAt(commit)}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
