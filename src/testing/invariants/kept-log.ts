/** S1: what a member said was durable is there when it starts again. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { NodeView } from './node-view.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'log' | 'snapshot' | 'durable'>;

/** What must be found; by the rule of log matching, all before the last entry with it. */
interface Kept {
  readonly term: number;
  readonly vote: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** A write on its way: where it begins, and the end of the log behind it. */
interface Write {
  readonly from: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/**
 * A start finds the last entry that was durable, or a log that begins behind it, and the vote. Entries
 * whose replacements are on their way to the disk may be gone, and so may a log that a snapshot is about to
 * replace. The quorum rule (R5) alone misses a member that forgets as long as others remember.
 *
 * @since 0.1.0
 */
export class KeptLog implements Invariant<Step> {
  readonly id = 'S1';
  readonly title = 'a member that starts again has what it said was durable';
  readonly source = 'reliability §4 S1; Protocol-Aware Recovery, FAST 2018';
  readonly kinds = ['start', 'log', 'snapshot', 'durable'] as const;
  readonly #kept = new Map<number, Kept>();
  /** In order. */
  readonly #writes = new Map<number, Write[]>();

  check(step: Step): void {
    const { member } = step;
    if (step.kind === 'start') {
      this.#checkStart(step);
      this.#writes.set(member.id, []);
      this.#note(member);
    } else if (step.kind === 'durable') this.#note(member);
    else {
      const from = step.kind === 'log' ? step.from : 0;
      const { lastIndex } = member;
      this.#writesOf(member).push({ from, lastIndex, lastTerm: member.termAt(lastIndex) ?? 0 });
      this.#note(member);
    }
  }

  #writesOf({ id }: NodeView): Write[] {
    const known = this.#writes.get(id) ?? [];
    this.#writes.set(id, known);
    return known;
  }

  #note(member: NodeView): void {
    const { durable } = member;
    const { term, vote } = durable;
    const writes = this.#writesOf(member);
    const lastTerm = durable.termAt(durable.lastIndex);
    const done = writes.findLastIndex((write) => {
      return write.lastIndex === durable.lastIndex && write.lastTerm === lastTerm;
    });
    writes.splice(0, done + 1);
    let lastIndex = durable.lastIndex;
    for (const { from } of writes) lastIndex = Math.min(lastIndex, from - 1);
    if (lastIndex < durable.firstIndex - 1) this.#kept.delete(member.id);
    else {
      const kept = { term, vote, lastIndex, lastTerm: durable.termAt(lastIndex) ?? 0 };
      this.#kept.set(member.id, kept);
    }
  }

  #checkStart({ atUs, member }: Step): void {
    const { id, durable } = member;
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    const { term, vote, firstIndex } = durable;
    if (term < kept.term || (term === kept.term && kept.vote !== 0 && vote !== kept.vote)) {
      const message = `${id} starts with vote ${vote} in term ${term}, it had ${kept.vote} in ${kept.term}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    const { lastIndex, lastTerm } = kept;
    if (firstIndex - 1 > lastIndex || durable.termAt(lastIndex) === lastTerm) return;
    const found = durable.termAt(lastIndex) ?? `none, the last is ${durable.lastIndex}`;
    const message = `${id} starts with ${lastIndex} of term ${found}, it had one of ${lastTerm}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
