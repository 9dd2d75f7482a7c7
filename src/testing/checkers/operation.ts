/** What clients did, as the checkers read it. */

/**
 * One call of a client, from when it was made to when its answer came.
 *
 * Times only order events: any clock that every client of the history shares will do, and a counter of
 * events is best, because events at equal times count as concurrent.
 *
 * @since 0.1.0
 */
export interface Operation<Input, Output> {
  /** Who called; a row of the drawing. */
  readonly client: number | string;
  readonly input: Input;
  /** What the client was told; absent when it learned nothing. */
  readonly output?: Output | undefined;
  readonly callAt: number;
  /** `Infinity`: no answer came, so it took effect at any time after `callAt`, or never. */
  readonly returnAt: number;
}

/** Operations in any order. @since 0.1.0 */
export type History<Input, Output> = readonly Operation<Input, Output>[];
