/** R13: who does not vote does not stand for election. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import { configurationText } from './quorum-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state'>;

/**
 * Learners, strangers and members that wait for a snapshot do not begin to campaign. That learners
 * do not count is R1 and R5: they look for quorums of voters only.
 *
 * @since 0.1.0
 */
export class LearnerRestraint implements Invariant<Step> {
  readonly id = 'R13';
  readonly title = 'only voters campaign';
  readonly source = 'thesis §4.2.1';
  readonly kinds = ['state'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, member }: Step): void {
    const { id, role, term, configuration, installing } = member;
    if (role === 'follower') return;
    const { before } = this.#facts;
    if (before !== undefined && before.role === role && before.term === term) return;
    // It may have been demoted while it campaigned.
    if (before !== undefined && before.role !== 'follower') return;
    const { voters, votersOutgoing } = configuration;
    const votes = voters.includes(id) || votersOutgoing.includes(id);
    if (votes && installing === 0) return;
    const group = configurationText(configuration);
    const message = `${id} became a ${role} of term ${term} in ${group}, installing ${installing}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
