/** Lets rules look on from inside the code under test, into which nothing of theirs is ever thrown. */
import { InvariantViolation } from '../invariants/invariant-violation.js';

/** @since 0.1.0 */
export class ViolationGuard {
  readonly #violated: (id: string, message: string) => void;
  #isOver = false;

  /**
   * @param violated - told of the first rule that is broken
   */
  constructor(violated: (id: string, message: string) => void) {
    this.#violated = violated;
  }

  /** Whether a rule was broken: what is known is worth no more then. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Looks, unless it is over. */
  look(look: () => void): void {
    if (this.#isOver) return;
    try {
      look();
    } catch (error) {
      this.failed(error);
    }
  }

  /** A rule was broken, or is itself at fault. */
  failed(error: unknown): void {
    this.#isOver = true;
    if (error instanceof InvariantViolation) this.#violated(error.id, error.message);
    else this.#violated('CHECKER', error instanceof Error ? `${error.stack}` : `${error}`);
  }
}
