/**
 * The search for a linearization of one part of a history: Wing and Gong's depth-first search with
 * Lowe's memory of what was tried. Iterative, so that a history may be as long as memory allows.
 */
import { Candidates } from './candidates.js';
import { LongestPrefix, type Placed } from './longest-prefix.js';
import type { Model } from './model.js';
import type { History, Operation } from './operation.js';
import { Visited } from './visited.js';

/** `unknown`: the budget ended before the search. @since 0.1.0 */
export type Verdict = 'illegal' | 'ok' | 'unknown';

/** How much a search may do; never a time, so that the verdict is the same on every machine. @since 0.1.0 */
export interface SearchBudget {
  /** Steps of the model. */
  readonly stepsMax: number;
  /** Pairs of linearized operations and state that are remembered: about 100 bytes each. */
  readonly visitedMax: number;
}

/** What a search found. @since 0.1.0 */
export interface SearchResult<State> {
  readonly verdict: Verdict;
  /** A whole linearization when `ok`, else the longest beginning of one that was met. */
  readonly longest: readonly Placed<State>[];
  /** After that beginning: the operation whose answer no candidate could come before. */
  readonly blocked: number | undefined;
  readonly steps: number;
  readonly visited: number;
}

interface Frame<State> extends Placed<State> {
  /** States in which the operation may leave, this one at `choice`. */
  readonly choices: readonly State[];
  readonly choice: number;
}

/**
 * One search.
 *
 * @since 0.1.0
 */
export class PartSearch<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #history: History<Input, Output>;
  readonly #budget: SearchBudget;
  readonly #candidates: Candidates;
  readonly #visited: Visited;
  readonly #longest = new LongestPrefix<State>();
  readonly #stack: Frame<State>[] = [];
  readonly #initial: State;
  /** Answered operations that are not linearized. */
  #left: number;
  #steps = 0;

  /**
   * @param model - what was called
   * @param history - operations of one part
   * @param budget - when to give up
   */
  constructor(
    model: Model<State, Input, Output>,
    history: History<Input, Output>,
    budget: SearchBudget,
  ) {
    this.#model = model;
    this.#history = history;
    this.#budget = budget;
    this.#candidates = new Candidates(history);
    this.#visited = new Visited(this.#candidates);
    this.#initial = model.initial();
    this.#left = this.#candidates.answered;
  }

  /** Runs it to the end; once. */
  run(): SearchResult<State> {
    let operation = this.#candidates.first();
    // What was never answered need not have happened: it may be left over.
    while (this.#left > 0) {
      if (this.#isSpent()) return this.#result('unknown');
      if (operation >= 0) {
        operation = this.#tryNext(operation);
        continue;
      }
      this.#noteLongest();
      const frame = this.#undo();
      if (frame === undefined) return this.#result('illegal');
      operation = this.#enterAny(frame.operation, frame.choices, frame.choice + 1);
    }
    return this.#result('ok');
  }

  #isSpent(): boolean {
    const { stepsMax, visitedMax } = this.#budget;
    return this.#steps >= stepsMax || this.#visited.size >= visitedMax;
  }

  /** Tries a candidate; returns the next one to try. */
  #tryNext(operation: number): number {
    this.#steps += 1;
    const { input, output } = this.#history[operation] as Operation<Input, Output>;
    const state = this.#stack.at(-1)?.state ?? this.#initial;
    return this.#enterAny(operation, this.#model.step(state, input, output), 0);
  }

  /**
   * Linearizes an operation, with the first of the choices that leads to somewhere new.
   *
   * @returns the first candidate behind it, or the next one beside it when there is no such choice
   */
  #enterAny(operation: number, choices: readonly State[], from: number): number {
    if (from >= choices.length) return this.#candidates.after(operation);
    this.#visited.add(operation);
    for (let choice = from; choice < choices.length; choice += 1) {
      const state = choices[choice] as State;
      if (!this.#visited.visit(this.#model.key === undefined ? state : this.#model.key(state)))
        continue;
      this.#stack.push({ operation, state, choices, choice });
      this.#candidates.lift(operation);
      if (!this.#candidates.isPending(operation)) this.#left -= 1;
      return this.#candidates.first();
    }
    this.#visited.remove(operation);
    return this.#candidates.after(operation);
  }

  /** Takes back the last operation. */
  #undo(): Frame<State> | undefined {
    const frame = this.#stack.pop();
    if (frame === undefined) return undefined;
    const { operation } = frame;
    this.#longest.cut(this.#stack.length);
    this.#candidates.restore(operation);
    this.#visited.remove(operation);
    if (!this.#candidates.isPending(operation)) this.#left += 1;
    return frame;
  }

  #noteLongest(): void {
    if (!this.#longest.isBeatenBy(this.#stack)) return;
    this.#longest.note(this.#stack, this.#candidates.firstAnswered());
  }

  #result(verdict: Verdict): SearchResult<State> {
    if (verdict === 'unknown') this.#noteLongest();
    const { placed, blocked } = this.#longest;
    // A dead end may be longer than what is right: it took what was never answered.
    const longest = verdict === 'ok' ? this.#stack : placed;
    return {
      verdict,
      longest: longest.map(({ operation, state }) => ({ operation, state })),
      blocked: verdict === 'ok' || blocked < 0 ? undefined : blocked,
      steps: this.#steps,
      visited: this.#visited.size,
    };
  }
}
