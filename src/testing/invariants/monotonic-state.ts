/** R7: term, vote, commit and applied index only go forward. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'state' | 'durable' | 'crash'>;

interface Durable {
  readonly term: number;
  readonly commit: number;
}

/**
 * Within a life term, commit and applied index never fall, and a vote changes only with the term;
 * what is durable never goes back, and a start finds it.
 *
 * @since 0.1.0
 */
export class MonotonicState implements Invariant<Step> {
  readonly id = 'R7';
  readonly title = 'term, vote, commit and applied index never go back';
  readonly source = 'Raft figure 2: persistent and volatile state';
  readonly kinds = ['start', 'state', 'durable', 'crash'] as const;
  readonly #facts: RaftFacts;
  readonly #durable = new Map<number, Durable>();

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    if (step.kind === 'state') this.#checkLife(step);
    else if (step.kind === 'start') this.#checkStart(step);
    else this.#checkDurable(step);
  }

  #checkLife({ atUs, member }: Step): void {
    const { before } = this.#facts;
    if (before === undefined) return;
    const { id } = member;
    for (const field of ['term', 'commit', 'applied'] as const) {
      if (member[field] >= before[field]) continue;
      const message = `${field} of ${id} fell from ${before[field]} to ${member[field]}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    if (member.term !== before.term || before.vote === 0 || member.vote === before.vote) return;
    const message = `${id} changed its vote in term ${member.term}: ${before.vote}, ${member.vote}`;
    throw new InvariantViolation(this.id, atUs, message);
  }

  #checkDurable({ atUs, member }: Step): void {
    const { id, durable } = member;
    const { term, commit } = durable;
    const before = this.#durable.get(id);
    if (before?.term === term && before.commit === commit) return;
    if (before !== undefined && (term < before.term || commit < before.commit)) {
      const were = `${before.term} and ${before.commit}`;
      const message = `durable term and commit of ${id} fell from ${were} to ${term} and ${commit}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    this.#durable.set(id, { term, commit });
  }

  #checkStart({ atUs, member }: Step): void {
    const { id, term, vote, durable } = member;
    const kept = term > durable.term || (term === durable.term && vote === durable.vote);
    if (kept) return;
    const message = `${id} starts with ${vote} in term ${term}, expected ${durable.vote} in ${durable.term}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
