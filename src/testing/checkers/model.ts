/** What a checker must know of the thing that was called: what it does when nobody else calls it. */
import type { Observed } from './observed.js';
import { agrees } from './observed.js';
import type { History } from './operation.js';

/**
 * A sequential object as the linearizability checker asks it. Every method is pure, and states are
 * never changed in place.
 *
 * @since 0.1.0
 */
export interface Model<State, Input, Output> {
  /** The state before a history. */
  initial(): State;
  /**
   * The states in which an operation may leave `state` when it is answered with `output`: none when it
   * cannot be, several when the object has a choice. Called about as often as the search has steps.
   *
   * @param output - `undefined` when the client learned nothing
   */
  step(state: State, input: Input, output: Output | undefined): readonly State[];
  /**
   * What tells states apart: equal (as keys of a `Map` are) exactly for equal states. Absent: the state
   * itself, which suits primitive states and states of which there is one object each.
   */
  key?(state: State): unknown;
  /**
   * Parts of a history that have nothing to do with each other, by name, such as the operations of each
   * key. A history is linearizable exactly when all of its parts are, and parts are cheap: without this
   * the search is exponential in everything that overlaps.
   */
  partition?(history: History<Input, Output>): ReadonlyMap<string, History<Input, Output>>;
  /** The operation in a few words, for the drawing. */
  describe(input: Input, output: Output | undefined): string;
  /** The state in a line, for the drawing. */
  describeState(state: State): string;
}

/**
 * A sequential object without choices: the state and the command give the answer. It makes a
 * {@link Model} with {@link modelOf}; with revisions it can also replay a log.
 *
 * @since 0.1.0
 */
export interface Specification<State, Input, Answer>
  extends Omit<Model<State, Input, Observed<Answer>>, 'step'> {
  /** The very same `state` comes back when the input changes nothing. */
  execute(state: State, input: Input): Executed<State, Answer>;
}

/** What an input leads to. @since 0.1.0 */
export interface Executed<State, Answer> {
  readonly state: State;
  readonly answer: Answer;
}

/**
 * The model of a specification: an operation is possible where everything its client saw of the answer
 * is what the specification answers.
 *
 * @param specification - what is called
 * @since 0.1.0
 */
export function modelOf<State, Input, Answer>(
  specification: Specification<State, Input, Answer>,
): Model<State, Input, Observed<Answer>> {
  return {
    ...specification,
    step: (state, input, output) => {
      const { state: next, answer } = specification.execute(state, input);
      return output === undefined || agrees(answer, output) ? [next] : [];
    },
  };
}
