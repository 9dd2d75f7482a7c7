/** R5: what is committed is on the disks of a quorum, and stays there whoever crashes. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { ConfigurationView, NodeView } from './node-view.js';
import { configurationText, isQuorum } from './quorum-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state' | 'durable' | 'crash'>;

interface Commit {
  readonly index: number;
  readonly term: number;
  readonly configuration: ConfigurationView;
  readonly leader: number;
}

/**
 * When a leader commits, a majority of each half of its configuration has the entry durably; a crash
 * or a write afterwards takes it from none of them.
 *
 * @since 0.1.0
 */
export class DurableQuorum implements Invariant<Step> {
  readonly id = 'R5';
  readonly title = 'a committed entry is durable on a quorum of the configuration in force';
  readonly source = 'Raft §5.3; thesis §4.3 for joint configurations';
  readonly kinds = ['state', 'durable', 'crash'] as const;
  readonly #facts: RaftFacts;
  /** The newest. */
  #last: Commit | undefined;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    if (step.kind !== 'state') {
      // Whoever has it takes it from nobody.
      if (this.#last !== undefined && !has(step.member, this.#last)) {
        this.#expectQuorum(this.#last, step.atUs);
      }
      return;
    }
    const { member, atUs } = step;
    const { commit: index, configuration, id: leader } = member;
    if (!this.#facts.leadsOn(member) || index <= (this.#facts.before?.commit ?? 0)) return;
    const commit = { index, term: member.termAt(index) ?? 0, configuration, leader };
    this.#expectQuorum(commit, atUs);
    if (index > (this.#last?.index ?? 0)) this.#last = commit;
  }

  #expectQuorum(commit: Commit, atUs: number): void {
    const durable = (id: number): boolean => {
      const member = this.#facts.member(id);
      return member !== undefined && has(member, commit);
    };
    if (isQuorum(commit.configuration, durable)) return;
    const { index, term, leader } = commit;
    const voters = configurationText(commit.configuration);
    throw new InvariantViolation(
      this.id,
      atUs,
      `${index} of term ${term}, committed by ${leader}, is not durable on a quorum of ${voters}`,
    );
  }
}

function has({ durable }: NodeView, { index, term }: Commit): boolean {
  return durable.firstIndex - 1 > index || durable.termAt(index) === term;
}
