import type { ProgressStatus } from '../raft/status.js';

/**
 * Whether a member answered its leader lately. One that was added just now counts as active for the
 * core's check of the quorum, and may never have run.
 *
 * @since 0.1.0
 */
export function isAnswering({ answers, recentActive }: ProgressStatus): boolean {
  return recentActive && answers > 0;
}
