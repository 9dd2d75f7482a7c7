/** X5: nobody waits for ever (V2 as well). */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { StoreStepOf } from './store-step.js';

type Step = StoreStepOf<'called' | 'settled' | 'lost' | 'end'>;

/**
 * Until the end of the run every call was answered, refused or aborted, unless its member died.
 *
 * @since 0.1.0
 */
export class SettledCalls implements Invariant<Step> {
  readonly id = 'X5';
  readonly title = 'every call settles, once';
  readonly source = 'DESIGN §1.6; NATS and jetcd at Jepsen';
  readonly kinds = ['called', 'settled', 'lost', 'end'] as const;
  /** Calls that wait, and since when. */
  readonly #open = new Map<number, number>();

  check(step: Step): void {
    if (step.kind === 'called') this.#open.set(step.call, step.atUs);
    else if (step.kind !== 'end') {
      if (this.#open.delete(step.call) || step.kind === 'lost') return;
      throw new InvariantViolation(this.id, step.atUs, `call ${step.call} settled twice`);
    } else if (this.#open.size > 0) {
      const [[call, sinceUs] = [0, 0]] = this.#open;
      const count = `${this.#open.size} calls are open`;
      const message = `${count}, the oldest, ${call}, since ${sinceUs} us`;
      throw new InvariantViolation(this.id, step.atUs, message);
    }
  }
}
