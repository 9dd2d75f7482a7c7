/** R19: an append is a piece of one log. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'sent'>;

/**
 * Indexes follow each other, terms do not fall, none is newer than the leader's.
 *
 * @since 0.1.0
 */
export class SoundAppends implements Invariant<Step> {
  readonly id = 'R19';
  readonly title = 'entries of an append follow each other';
  readonly source = 'Raft figure 2: AppendEntries; not in the table of the specification';
  readonly kinds = ['sent'] as const;

  check({ atUs, message }: Step): void {
    if (message.kind !== 'append-request') return;
    let { index, term } = message.previous;
    for (const entry of message.entries) {
      if (entry.index !== index + 1 || entry.term < term || entry.term > message.term) {
        const got = `${entry.index} of ${entry.term} after ${index} of ${term}`;
        const text = `${message.from} sends ${got} in term ${message.term}`;
        throw new InvariantViolation(this.id, atUs, text);
      }
      index = entry.index;
      term = entry.term;
    }
  }
}
