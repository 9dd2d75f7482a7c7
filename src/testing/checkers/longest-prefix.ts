/**
 * The most operations that a search ever had in a row, for the drawing of a failure. Noting it costs
 * what changed since the last time, not its length: dead ends come in thousands, mostly close together.
 */

/** An operation of a linearization, and the state it leaves. @since 0.1.0 */
export interface Placed<State> {
  /** Place of the operation in the history of its part. */
  readonly operation: number;
  readonly state: State;
}

/**
 * Watches the stack of a search.
 *
 * @since 0.1.0
 */
export class LongestPrefix<State> {
  readonly #best: Placed<State>[] = [];
  /** The operation whose answer came first among all that were left then. */
  #blocked = -1;
  /** So many of the best are at the bottom of the stack still. */
  #shared = 0;

  get placed(): readonly Placed<State>[] {
    return this.#best;
  }

  get blocked(): number {
    return this.#blocked;
  }

  /** Whether a stack is longer than any before. */
  isBeatenBy(stack: readonly unknown[]): boolean {
    return stack.length > this.#best.length || this.#blocked < 0;
  }

  /** Notes a stack that is longer than any before. */
  note(stack: readonly Placed<State>[], blocked: number): void {
    for (let at = this.#shared; at < stack.length; at += 1)
      this.#best[at] = stack[at] as Placed<State>;
    this.#shared = stack.length;
    this.#blocked = blocked;
  }

  /** The stack was cut to this length. */
  cut(length: number): void {
    this.#shared = Math.min(this.#shared, length);
  }
}
