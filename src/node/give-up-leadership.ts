/**
 * A leader that had better not lead, and who could instead.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { ProgressStatus } from '../raft/status.js';
import { type MemberId, noMember } from '../raft/types.js';
import { isAnswering } from './is-answering.js';

/** Whom a member asked in its term. */
interface Asked {
  readonly term: number;
  readonly ids: Set<MemberId>;
}

/**
 * Who was asked and did not take over may not be able to: its state machine stands still, or its disk is
 * full, and it answers all the same.
 */
const askedBy = new WeakMap<RawNode, Asked>();

/**
 * Hands leadership to the voter that answered lately and has the most of the log, and is to stay one; to one
 * that was asked in this term already only when all others were. Does nothing when this member does not lead,
 * hands over already, or knows nobody to take over.
 *
 * @param suits - whether another may take over; default anybody
 * @since 0.1.0
 */
export function giveUpLeadership(
  raft: RawNode,
  suits: (successor: ProgressStatus) => boolean = () => true,
): void {
  const { id: self, term, transferee, progress, voters } = raft.status();
  if (transferee !== noMember) return;
  const ids = askedIn(raft, term);
  let next: ProgressStatus | undefined;
  for (const each of progress) {
    if (each.id === self || !voters.includes(each.id) || !isAnswering(each) || !suits(each))
      continue;
    if (next === undefined || isBetter(each, next, ids)) next = each;
  }
  if (next === undefined) return;
  // One after the other, again.
  if (ids.has(next.id)) ids.clear();
  ids.add(next.id);
  raft.transferLeader(next.id);
}

function askedIn(raft: RawNode, term: number): Set<MemberId> {
  const before = askedBy.get(raft);
  if (before !== undefined && before.term === term) return before.ids;
  const ids = new Set<MemberId>();
  askedBy.set(raft, { term, ids });
  return ids;
}

function isBetter(one: ProgressStatus, other: ProgressStatus, asked: Set<MemberId>): boolean {
  const [isAsked, isOtherAsked] = [asked.has(one.id), asked.has(other.id)];
  return isAsked === isOtherAsked ? one.match > other.match : isOtherAsked;
}
