/**
 * What a member finds on its storage when it starts may be damaged or incomplete: that is an
 * operating error with a name, never our own bug.
 */
import { kontikiError } from '../base/errors.js';
import type { RaftLog } from './log.js';
import type { HardState } from './types.js';

/**
 * Refuses to start from a state that has lost what it had acknowledged.
 *
 * @param applied - last index the state machine has; 0 for the start of the log
 * @throws {KontikiError} STATE_CORRUPT
 * @since 0.1.0
 */
export function checkStoredState(hardState: HardState, log: RaftLog, applied: number): void {
  const { term, vote, commit } = hardState;
  const { firstIndex, lastIndex } = log;
  for (const [name, value] of Object.entries({ term, vote, commit })) {
    check(Number.isSafeInteger(value) && value >= 0, `${name} to be a safe integer >= 0`, value);
  }
  const lies = `to lie in the log, ${firstIndex - 1} to ${lastIndex}`;
  if (commit !== 0) {
    check(firstIndex - 1 <= commit && commit <= lastIndex, `the commit index ${lies}`, commit);
  }
  if (applied !== 0) {
    check(firstIndex - 1 <= applied && applied <= lastIndex, `the applied index ${lies}`, applied);
  }
  const lastTerm = log.term(lastIndex);
  check(lastTerm !== undefined, 'the last entry to have a term', lastTerm);
  // The term is written with or before the entries of it; without any hard state nothing is known.
  const known = term !== 0 || vote !== 0 || commit !== 0;
  check(!known || (lastTerm ?? 0) <= term, `no entry of a term after ${term}`, lastTerm);
}

function check(holds: boolean, expected: string, got: unknown): void {
  if (holds) return;
  throw kontikiError('STATE_CORRUPT', `raft: expected ${expected}, got ${got}`);
}
