/** V5: a healthy group does not elect for ever. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftStep } from './raft-step.js';

type Step = Extract<RaftStep, { readonly kind: 'state' | 'healed' }>;

/**
 * After `healed` no more than so many further terms get a leader.
 *
 * @since 0.1.0
 */
export class CalmGroup implements Invariant<Step> {
  readonly id = 'V5';
  readonly title = 'few elections once the faults are over';
  readonly source = 'thesis §9.6: disruptive members; Cloudflare 2020';
  readonly kinds = ['state', 'healed'] as const;
  readonly #electionsMax: number;
  #lastLed = 0;
  /** `undefined` while there are faults. */
  #elections: number | undefined;

  /**
   * @param electionsMax - leaders of new terms after `healed`
   */
  constructor(electionsMax: number) {
    this.#electionsMax = electionsMax;
  }

  check(step: Step): void {
    if (step.kind === 'healed') {
      this.#elections = 0;
      return;
    }
    const { role, term } = step.member;
    if (role !== 'leader' || term <= this.#lastLed) return;
    this.#lastLed = term;
    if (this.#elections === undefined) return;
    this.#elections += 1;
    if (this.#elections <= this.#electionsMax) return;
    const message = `expected at most ${this.#electionsMax} elections after the faults, got more`;
    throw new InvariantViolation(this.id, step.atUs, message);
  }
}
