/**
 * How a rule fails: with its id, when, and in words what was expected and what came.
 */
import { KontikiError } from '../../base/errors.js';

/**
 * A broken invariant.
 *
 * @since 0.1.0
 */
export class InvariantViolation extends KontikiError {
  /** Of the rule, such as `R1`. */
  readonly id: string;
  /** Virtual time in microseconds. */
  readonly atUs: number;

  /**
   * @param id - of the rule
   * @param atUs - virtual time in microseconds
   * @param message - what was expected and what came
   */
  constructor(id: string, atUs: number, message: string) {
    super('INVARIANT_VIOLATED', `${id}: ${message}`);
    this.name = 'InvariantViolation';
    this.id = id;
    this.atUs = atUs;
  }
}
