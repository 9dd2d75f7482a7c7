/** R1: whoever leads was elected, and is the only one of its term, over all time. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import { configurationText, isQuorum } from './quorum-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state'>;

/**
 * At most one leader per term, elected by a quorum of the configuration that it goes by. The votes
 * of others are those it was sent, its own is the one on its disk.
 *
 * @since 0.1.0
 */
export class LeaderPerTerm implements Invariant<Step> {
  readonly id = 'R1';
  readonly title = 'one leader per term, elected by a quorum';
  readonly source = 'Raft §5.2, figure 3: election safety';
  readonly kinds = ['state'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, member }: Step): void {
    if (member.role !== 'leader' || this.#facts.leadsOn(member)) return;
    const { id, term, configuration } = member;
    const known = this.#facts.leader(term);
    if (known !== id) {
      throw new InvariantViolation(this.id, atUs, `term ${term} has leaders ${known} and ${id}`);
    }
    if (configuration.voters.length === 0) {
      throw new InvariantViolation(this.id, atUs, `${id} leads a group without voters`);
    }
    const { durable } = member;
    const granted = (voter: number): boolean =>
      voter === id
        ? durable.term === term && durable.vote === id
        : this.#facts.vote(voter, term) === id;
    if (isQuorum(configuration, granted)) return;
    const voters = configurationText(configuration);
    const message = `${id} leads term ${term}: expected votes of a quorum of ${voters}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
