/** Parts of a history that have nothing to do with each other. */
import type { History, Operation } from './operation.js';

/**
 * The operations of each key, each in the order of the history: for objects that are many independent
 * ones under names (Herlihy and Wing: linearizability is local).
 *
 * @param history - in any order
 * @param keyOf - the name of the object that an input is about
 * @since 0.1.0
 */
export function partsByKey<Input, Output>(
  history: History<Input, Output>,
  keyOf: (input: Input) => string,
): ReadonlyMap<string, History<Input, Output>> {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const key = keyOf(operation.input);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [operation]);
    else part.push(operation);
  }
  return parts;
}
