/** V1: once the faults are over, somebody leads soon. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftStep } from './raft-step.js';

/**
 * Within a bounded time after `healed` there is a leader.
 *
 * @since 0.1.0
 */
export class LeaderAfterHeal implements Invariant<RaftStep> {
  readonly id = 'V1';
  readonly title = 'a leader within some election timeouts after the faults';
  readonly source = 'Raft §5.6; TigerBeetle: the liveness phase';
  readonly kinds = ['state', 'crash', 'healed', 'end'] as const;
  readonly #withinUs: number;
  readonly #leaders = new Set<number>();
  /** Until then nobody need lead; `Infinity` while there are faults, or once somebody led. */
  #untilUs = Infinity;

  /**
   * @param withinUs - virtual microseconds after `healed`
   */
  constructor(withinUs: number) {
    this.#withinUs = withinUs;
  }

  check(step: RaftStep): void {
    if (step.kind === 'healed') this.#untilUs = step.atUs + this.#withinUs;
    else if (step.kind === 'crash') this.#leaders.delete(step.member.id);
    else if (step.kind === 'state') {
      if (step.member.role === 'leader') this.#leaders.add(step.member.id);
      else this.#leaders.delete(step.member.id);
    }
    if (this.#leaders.size > 0 && this.#untilUs < Infinity) this.#untilUs = Infinity;
    if (step.atUs <= this.#untilUs) return;
    const message = `expected a leader within ${this.#withinUs} us after the faults, got none`;
    throw new InvariantViolation(this.id, step.atUs, message);
  }
}
