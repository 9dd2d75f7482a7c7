/** R12: asking beforehand disturbs nobody. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state'>;

/**
 * Neither becoming a pre-candidate nor being asked by one changes term or vote. Only the news of a commit
 * may be taken along with the term of who tells it.
 *
 * @since 0.1.0
 */
export class PreVoteTerm implements Invariant<Step> {
  readonly id = 'R12';
  readonly title = 'a pre-vote changes no term and no vote';
  readonly source = 'thesis §9.6';
  readonly kinds = ['state'] as const;
  readonly #facts: RaftFacts;
  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, member }: Step): void {
    const { before, handling } = this.#facts;
    if (before === undefined) return;
    const { commit, id, role, term, vote } = member;
    const asks = role === 'pre-candidate' && before.role !== 'pre-candidate';
    if (!asks && handling?.kind !== 'pre-vote-request') return;
    if (before.term === term && before.vote === vote) return;
    const told = handling?.kind === 'pre-vote-request' ? handling.commit?.index : undefined;
    if (!asks && told !== undefined && before.commit < told && told === commit) return;
    const change = `from term ${before.term}, vote ${before.vote} to term ${term}, vote ${vote}`;
    throw new InvariantViolation(this.id, atUs, `a pre-vote moved ${id} ${change}`);
  }
}
