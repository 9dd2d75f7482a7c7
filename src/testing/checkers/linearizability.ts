/** The linearizability checker: is there an order of the operations that explains every answer? */
import { kontikiError } from '../../base/errors.js';
import { limits } from '../../base/limits.js';
import type { Model } from './model.js';
import type { History } from './operation.js';
import { PartSearch, type SearchBudget, type SearchResult, type Verdict } from './part-search.js';

/** What a `Set` can hold. */
const setSizeMax = 2 ** 24;

/** What became of one part of a history. @since 0.1.0 */
export interface PartResult<State, Input, Output> extends SearchResult<State> {
  /** As the model names it; empty when it does not part histories. */
  readonly name: string;
  /** The operations of the part; `longest` and `blocked` are places in it. */
  readonly history: History<Input, Output>;
}

/** What became of a history. @since 0.1.0 */
export interface LinearizabilityResult<State, Input, Output> {
  /** `illegal` when a part is; else `unknown` when the budget of a part ended; else `ok`. */
  readonly verdict: Verdict;
  readonly parts: readonly PartResult<State, Input, Output>[];
  readonly model: Model<State, Input, Output>;
}

/**
 * Checks that a history is linearizable: every operation took effect at one moment between call and
 * answer, in an order that the model allows; those without an answer at any moment after their call,
 * or never.
 *
 * The problem is NP-complete: near linear where little overlaps, exponential in what overlaps and in
 * operations without an answer at worst. Give the model a `partition` where it can have one.
 *
 * @param model - what was called, such as {@link registerModel}
 * @param history - in any order
 * @param budget - of each part; default: `limits.checkerStepsMax` and `limits.checkerVisitedMax`
 * @throws {KontikiError} ARGUMENT_INVALID, when an operation returns before it is called, a time is no
 *   number, or `visitedMax` is 2^24 or more
 * @since 0.1.0
 * @example expect(checkLinearizable(registerModel(), history).verdict).toBe('ok');
 */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  budget: Partial<SearchBudget> = {},
): LinearizabilityResult<State, Input, Output> {
  checkTimes(history);
  const { stepsMax = limits.checkerStepsMax, visitedMax = limits.checkerVisitedMax } = budget;
  if (!(visitedMax < setSizeMax)) {
    throw kontikiError('ARGUMENT_INVALID', `visitedMax is below ${setSizeMax}, got ${visitedMax}`);
  }
  const parts: PartResult<State, Input, Output>[] = [];
  for (const [name, part] of model.partition?.(history) ?? [['', history] as const]) {
    const found = new PartSearch(model, part, { stepsMax, visitedMax }).run();
    parts.push({ name, history: part, ...found });
  }
  return { verdict: verdictOf(parts), parts, model };
}

/**
 * Throws unless every operation is called at some time and returns no earlier.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkTimes(history: History<unknown, unknown>): void {
  for (const [at, { callAt, returnAt }] of history.entries()) {
    if (Number.isFinite(callAt) && returnAt >= callAt) continue;
    throw kontikiError(
      'ARGUMENT_INVALID',
      `operation ${at} is called at a finite time and returns no earlier, got ${callAt} and ${returnAt}`,
    );
  }
}

function verdictOf(parts: readonly { readonly verdict: Verdict }[]): Verdict {
  const has = (verdict: Verdict): boolean => parts.some((part) => part.verdict === verdict);
  if (has('illegal')) return 'illegal';
  return has('unknown') ? 'unknown' : 'ok';
}
