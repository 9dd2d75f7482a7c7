/**
 * A leader that had better not lead, and who could instead.
 */
import type { RawNode } from '../raft/raw-node.js';
import { noMember } from '../raft/types.js';

/**
 * Hands leadership to the voter that answered lately and has the most of the log. Does nothing when
 * this member does not lead, hands over already, or knows nobody to take over.
 *
 * @param matchMin - last entry that the other must have durably; default 0: any will do
 * @since 0.1.0
 */
export function giveUpLeadership(raft: RawNode, matchMin = 0): void {
  const { id: self, transferee, progress } = raft.status();
  if (transferee !== noMember) return;
  let next: { readonly id: number; readonly match: number } | undefined;
  for (const { id, match, learner, recentActive } of progress) {
    if (id === self || learner || !recentActive || match < matchMin) continue;
    if (next === undefined || match > next.match) next = { id, match };
  }
  if (next !== undefined) raft.transferLeader(next.id);
}
