/** R17: a leader only ever adds to its own log. */
import { IndexedList } from './indexed-list.js';
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { MessageView } from './message-view.js';
import type { NodeView } from './node-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'snapshot' | 'log' | 'sent'>;

/** A log as it was last written. */
interface Known {
  /** The term it was led in then; 0 when its member did not lead. */
  ledIn: number;
  readonly terms: IndexedList<number>;
}

/**
 * Within a term its leader neither replaces nor removes what it has, and says the same to everybody.
 * The second half matters when it has stepped down before its log is looked at.
 *
 * @since 0.1.0
 */
export class LeaderAppendOnly implements Invariant<Step> {
  readonly id = 'R17';
  readonly title = 'a leader never overwrites its own log';
  readonly source = 'Raft §5.3, figure 3: leader append-only';
  readonly kinds = ['start', 'snapshot', 'log', 'sent'] as const;
  readonly #facts: RaftFacts;
  readonly #logs = new Map<number, Known>();

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    const { member, atUs } = step;
    const broken =
      step.kind === 'sent'
        ? this.#brokenBySending(step.message)
        : step.kind === 'log'
          ? this.#brokenByWriting(member, step.from)
          : this.#restart(member, step.kind === 'snapshot' ? step.index + 1 : member.firstIndex);
    if (broken !== undefined) throw new InvariantViolation(this.id, atUs, broken);
  }

  #restart(member: NodeView, first: number): undefined {
    const terms = new IndexedList<number>(first);
    // What is behind a snapshot comes with the `log` step that follows.
    const known = { ledIn: 0, terms };
    this.#logs.set(member.id, known);
    if (first === member.firstIndex) record(member, first, terms);
  }

  #brokenByWriting(member: NodeView, from: number): string | undefined {
    const { id, role, term, lastIndex } = member;
    const known = this.#logs.get(id);
    if (known === undefined) return undefined;
    const { terms } = known;
    if (role === 'leader' && known.ledIn === term) {
      for (let index = from; index <= terms.last; index += 1) {
        const before = terms.at(index);
        const now = index > lastIndex ? undefined : member.termAt(index);
        if (before !== now) return `leader ${id} of ${term} had ${index} of ${before}, has ${now}`;
      }
    }
    known.ledIn = role === 'leader' ? term : 0;
    terms.truncate(from);
    record(member, from, terms);
    return undefined;
  }

  #brokenBySending(message: MessageView): string | undefined {
    if (message.kind !== 'append-request') return undefined;
    const { from, term, previous, entries } = message;
    const wrong = [previous, ...entries].find(
      (each) => this.#facts.sentTerm(term, each.index) !== each.term,
    );
    if (wrong === undefined) return undefined;
    const expected = this.#facts.sentTerm(term, wrong.index);
    return `leader ${from} of ${term} sent ${wrong.index} of ${expected}, now of ${wrong.term}`;
  }
}

function record(member: NodeView, from: number, terms: IndexedList<number>): void {
  const { lastIndex } = member;
  for (let index = from; index <= lastIndex; index += 1) terms.push(member.termAt(index) as number);
}
