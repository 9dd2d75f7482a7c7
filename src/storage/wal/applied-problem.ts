/** Whether a log can be that of a state, by what the state has applied (DESIGN §4.10). */
import { replaceAdvice } from '../../base/advice.js';
import { type KontikiError, kontikiError } from '../../base/errors.js';
import type { LogHistory } from './log-history.js';

/**
 * Why a log and a state that are each intact cannot be of one member. A snapshot that is being installed
 * brings the state to the log's start; whether it is there is not looked at.
 *
 * @param history - of the log
 * @param dir - folder of the log, for the error
 * @param appliedIndex - last entry in the state
 * @returns WAL_CORRUPT when entries are gone that the state has applied, STATE_CORRUPT when the state ends
 *   before the log begins; `undefined` when the log goes on from the state
 * @since 0.1.0
 */
export function appliedProblem(
  { installing, terms }: LogHistory,
  dir: string,
  appliedIndex: number,
): KontikiError | undefined {
  const { base, last } = terms;
  if (appliedIndex > last) {
    const found = `the state has applied entry ${appliedIndex}, but the log ends at ${last}`;
    const message = `${found}: acknowledged entries are lost; ${replaceAdvice}`;
    return kontikiError('WAL_CORRUPT', message, { file: dir, offset: 0 });
  }
  const isToInstall = installing !== undefined && appliedIndex < installing.last.index;
  if (isToInstall || appliedIndex >= base) return undefined;
  const found = `the state ends at entry ${appliedIndex}, but the log begins at ${base + 1}`;
  return kontikiError('STATE_CORRUPT', `${found}; ${replaceAdvice}`);
}
