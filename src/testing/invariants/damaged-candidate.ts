/** R18: who has lost part of its state does not lead. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state' | 'sent'>;

/**
 * A member that has found damage in its storage neither campaigns nor votes: it would spread the
 * damage, or vote against what it forgot.
 *
 * @since 0.1.0
 */
export class DamagedCandidate implements Invariant<Step> {
  readonly id = 'R18';
  readonly title = 'a member with detected damage neither votes nor leads';
  readonly source = 'Jepsen: NATS 2.12.1; protocol-aware recovery, FAST 2018';
  readonly kinds = ['state', 'sent'] as const;

  check(step: Step): void {
    const { member, atUs } = step;
    if (member.damaged !== true) return;
    if (step.kind === 'state') {
      if (member.role === 'follower') return;
      const message = `${member.id} is damaged, and a ${member.role} of term ${member.term}`;
      throw new InvariantViolation(this.id, atUs, message);
    }
    const { message } = step;
    if (message.kind !== 'vote-response' || !message.granted) return;
    const text = `${member.id} is damaged, and votes for ${message.to} in term ${message.term}`;
    throw new InvariantViolation(this.id, atUs, text);
  }
}
