/**
 * What the driver would say to a log and a state that are each intact (DESIGN §4.10): the rules of
 * `node/recovery.ts` and `node/snapshot-install.ts`, before anything is opened.
 */
import { replaceAdvice } from '../../base/advice.js';
import { type KontikiError, kontikiError } from '../../base/errors.js';
import type { LogId } from '../../raft/types.js';
import type { SnapshotMeta } from '../snapshot-store.js';
import { appliedProblem } from '../wal/applied-problem.js';
import type { WalSummary } from '../wal/reader.js';

/**
 * Why log and state cannot be of one member.
 *
 * @param wal - what the log holds
 * @param walDir - its folder, for the error
 * @param appliedIndex - last entry in the state
 * @param snapshots - those that are whole
 * @returns `undefined` when the log goes on from the state
 * @since 0.1.0
 */
export function recoveryProblem(
  { history }: WalSummary,
  walDir: string,
  appliedIndex: number,
  snapshots: readonly SnapshotMeta[],
): KontikiError | undefined {
  const problem = appliedProblem(history, walDir, appliedIndex);
  const installing = history.installing?.last;
  if (problem !== undefined || installing === undefined) return problem;
  // The state was switched already, or it can be.
  if (appliedIndex >= installing.index) return undefined;
  if (snapshots.some((one) => isSame(one.last, installing))) return undefined;
  const expected = `expected the snapshot of entry ${installing.index}, which is being installed`;
  return kontikiError('STATE_CORRUPT', `${expected}, found none that is whole; ${replaceAdvice}`);
}

function isSame(a: LogId, b: LogId): boolean {
  return a.index === b.index && a.term === b.term;
}
