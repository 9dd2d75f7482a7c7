/**
 * What the driver would say to a log and a state that are each intact (DESIGN §4.10): the rules of
 * `node/recovery.ts` and `node/snapshot-install.ts`, before anything is opened.
 */
import { replaceAdvice } from '../../base/advice.js';
import { type KontikiError, kontikiError } from '../../base/errors.js';
import type { LogId } from '../../raft/types.js';
import type { SnapshotMeta } from '../snapshot-store.js';
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
  const { base, last } = history.terms;
  if (appliedIndex > last) {
    const found = `the state has applied entry ${appliedIndex}, but the log ends at ${last}`;
    const message = `${found}: acknowledged entries are lost; ${replaceAdvice}`;
    return kontikiError('WAL_CORRUPT', message, { file: walDir, offset: 0 });
  }
  const installing = history.installing?.last;
  const isToInstall = installing !== undefined && appliedIndex < installing.index;
  if (isToInstall && snapshots.some((one) => isSame(one.last, installing))) return undefined;
  if (isToInstall) {
    const expected = `expected the snapshot of entry ${installing.index}, which is being installed`;
    return kontikiError('STATE_CORRUPT', `${expected}, found none that is whole; ${replaceAdvice}`);
  }
  if (appliedIndex >= base) return undefined;
  const found = `the state ends at entry ${appliedIndex}, but the log begins at ${base + 1}`;
  return kontikiError('STATE_CORRUPT', `${found}; ${replaceAdvice}`);
}

function isSame(a: LogId, b: LogId): boolean {
  return a.index === b.index && a.term === b.term;
}
