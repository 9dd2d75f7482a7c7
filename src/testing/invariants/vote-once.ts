/** R9: one vote per term, whatever crashed between. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'sent'>;

/**
 * No member grants its vote to two candidates of one term; a candidate has given its own to itself.
 *
 * @since 0.1.0
 */
export class VoteOnce implements Invariant<Step> {
  readonly id = 'R9';
  readonly title = 'a member votes once per term, across restarts';
  readonly source = 'Raft §5.2';
  readonly kinds = ['sent'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, message }: Step): void {
    const { from: voter, term } = message;
    let candidate: number;
    if (message.kind === 'vote-request') candidate = voter;
    else if (message.kind === 'vote-response' && message.granted) candidate = message.to;
    else return;
    const known = this.#facts.vote(voter, term);
    if (known === candidate) return;
    const text = `${voter} voted for ${known} and ${candidate} in term ${term}`;
    throw new InvariantViolation(this.id, atUs, text);
  }
}
