/** How a file of LevelDB is refused. */
import { replaceAdvice } from '../../base/advice.js';
import { type KontikiError, kontikiError } from '../../base/errors.js';

/** What is wrong with a file, and where. @since 0.1.0 */
export interface FileDamage {
  /** In bytes. */
  readonly offset: number;
  readonly what: string;
}

/**
 * The error for a file of the state that is not what was written.
 *
 * @param path - of the file
 * @param damage - `what` completes "is damaged at byte N: ..."
 * @since 0.1.0
 */
export function levelCorrupt(path: string, { offset, what }: FileDamage): KontikiError {
  const found = `file ${path} of the state is damaged at byte ${offset}: ${what}`;
  return kontikiError('STATE_CORRUPT', `${found}; ${replaceAdvice}`);
}
