/**
 * A leader that had better not lead, and who could instead.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { ProgressStatus } from '../raft/status.js';
import { noMember } from '../raft/types.js';
import { isAnswering } from './is-answering.js';

/**
 * Hands leadership to the voter that answered lately and has the most of the log, and is to stay one.
 * Does nothing when this member does not lead, hands over already, or knows nobody to take over.
 *
 * @param suits - whether another may take over; default anybody
 * @since 0.1.0
 */
export function giveUpLeadership(
  raft: RawNode,
  suits: (successor: ProgressStatus) => boolean = () => true,
): void {
  const { id: self, transferee, progress, voters } = raft.status();
  if (transferee !== noMember) return;
  let next: ProgressStatus | undefined;
  for (const each of progress) {
    if (each.id === self || !voters.includes(each.id) || !isAnswering(each) || !suits(each))
      continue;
    if (next === undefined || each.match > next.match) next = each;
  }
  if (next !== undefined) raft.transferLeader(next.id);
}
