/** R3: whoever leads a term has all that was committed before it. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { CommittedEntry, RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state'>;

/**
 * A new leader holds the last entry that was known to be committed in an earlier term; those before
 * it follow by R2.
 *
 * @since 0.1.0
 */
export class LeaderCompleteness implements Invariant<Step> {
  readonly id = 'R3';
  readonly title = 'a new leader has every entry committed earlier';
  readonly source = 'Raft §5.4, figure 3: leader completeness';
  readonly kinds = ['state'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs, member }: Step): void {
    if (member.role !== 'leader' || this.#facts.leadsOn(member)) return;
    const { committed } = this.#facts;
    const { id, term } = member;
    let index = committed.last;
    while (index >= committed.first && (committed.at(index) as CommittedEntry).knownIn >= term) {
      index -= 1;
    }
    if (index < committed.first || index < member.firstIndex) return;
    const expected = (committed.at(index) as CommittedEntry).term;
    const own = member.termAt(index);
    if (own === expected) return;
    const got = own === undefined ? 'nothing' : `one of term ${own}`;
    const message = `leader ${id} of term ${term} lacks committed ${index} of term ${expected}, has ${got}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
