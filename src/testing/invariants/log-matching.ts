/** R2: one position and term, one entry; and the same entries before it. */
import { mix32 } from '../sim-hash.js';
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { NodeView } from './node-view.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'log'>;

/**
 * Log matching by induction over everything that was ever written: (index, term) decides the bytes
 * and the term of the entry before. Terms never fall along a log, nor pass the member's own.
 *
 * @since 0.1.0
 */
export class LogMatching implements Invariant<Step> {
  readonly id = 'R2';
  readonly title = 'the same index and term mean the same log up to there';
  readonly source = 'Raft §5.3, figure 3: log matching';
  readonly kinds = ['start', 'log'] as const;
  /** By term and index: hash of an entry and of the term before it. */
  readonly #terms = new Map<number, Map<number, number>>();

  check(step: Step): void {
    const { member } = step;
    // At a start the whole log is compared: its disk may have made something else of it.
    this.#checkFrom(step, step.kind === 'log' ? step.from : member.firstIndex);
  }

  #checkFrom({ atUs, member }: Step, from: number): void {
    const { lastIndex } = member;
    let previous = member.termAt(from - 1);
    if (previous === undefined) {
      throw new InvariantViolation(this.id, atUs, `log of ${member.id} has a hole before ${from}`);
    }
    for (let index = from; index <= lastIndex; index += 1) {
      const term = member.termAt(index);
      if (term === undefined || term < previous || term > member.term) {
        const range = `${previous} to ${member.term}`;
        const message = `${member.id} has ${index} of term ${term}, expected one of ${range}`;
        throw new InvariantViolation(this.id, atUs, message);
      }
      if (!this.#isSame(member, index, mix32(term, previous))) {
        const message = `${member.id} has another entry ${index} of term ${term} than somebody had`;
        throw new InvariantViolation(this.id, atUs, message);
      }
      previous = term;
    }
  }

  /** @param terms - hash of the entry's term and that of the one before */
  #isSame(member: NodeView, index: number, terms: number): boolean {
    const term = member.termAt(index) as number;
    const hash = mix32(terms, member.hashAt(index));
    let entries = this.#terms.get(term);
    if (entries === undefined) {
      entries = new Map();
      this.#terms.set(term, entries);
    }
    const known = entries.get(index);
    if (known !== undefined) return known === hash;
    entries.set(index, hash);
    return true;
  }
}
