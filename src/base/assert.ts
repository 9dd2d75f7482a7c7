/**
 * Assertions for our own bugs. They stay on in production: a consensus member that continues after
 * an impossible state does more harm than one that stops. A bad disk, peer or caller is never an
 * assertion; it is a {@link KontikiError} with a code of its own.
 */
import { KontikiError } from './errors.js';

/**
 * Throws `ASSERTION` unless `condition` holds.
 *
 * @param condition - what must be true if this program has no bug
 * @param message - the condition in words, with the numbers that matter
 * @throws {KontikiError} ASSERTION
 * @since 0.1.0
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new KontikiError('ASSERTION', `assertion failed: ${message}`);
}

/**
 * States that both outcomes of `condition` are legal, so that a reader does not look for the bug.
 *
 * @param condition - something that may or may not hold
 * @since 0.1.0
 */
export function maybe(condition: boolean): void {
  assert(condition || !condition, 'a boolean is true or false');
}

/**
 * Closes a `switch` over a union: a new variant then fails to compile.
 *
 * @param value - of type `never` when every variant is handled
 * @throws {KontikiError} ASSERTION, when a value of an unknown shape gets here at run time
 * @since 0.1.0
 */
export function unreachable(value: never): never {
  throw new KontikiError('ASSERTION', `unreachable: ${JSON.stringify(value)}`);
}
