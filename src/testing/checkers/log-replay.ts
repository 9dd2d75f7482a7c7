/** A log executed once: every state it went through, and every answer. */
import type { LogEntry, LogSpecification } from './log-types.js';

/**
 * The states before, between and after the entries of a log.
 *
 * @since 0.1.0
 */
export class LogReplay<State, Input, Answer> {
  /** One more than entries; state `i` has seen the first `i`. */
  readonly states: readonly State[];
  /** Of each entry. */
  readonly answers: readonly Answer[];
  /** First and last state of each revision. */
  readonly #ranges = new Map<number, [number, number]>();

  /**
   * @param specification - executes the log
   * @param log - from the initial state on
   */
  constructor(
    specification: LogSpecification<State, Input, Answer>,
    log: readonly LogEntry<Input>[],
  ) {
    const states = [specification.initial()];
    const answers: Answer[] = [];
    for (const [at, { input, place }] of log.entries()) {
      const run = specification.execute(states[at] as State, input, place);
      states.push(run.state);
      answers.push(run.answer);
    }
    this.states = states;
    this.answers = answers;
    for (const [at, state] of states.entries()) {
      const revision = specification.revision(state);
      const range = this.#ranges.get(revision);
      if (range === undefined) this.#ranges.set(revision, [at, at]);
      else range[1] = at;
    }
  }

  /** First and last state of a revision, of all when it is `undefined`; `[0, -1]` when there are none. */
  statesOf(revision: number | undefined): readonly [number, number] {
    if (revision === undefined) return [0, this.states.length - 1];
    return this.#ranges.get(revision) ?? [0, -1];
  }
}
