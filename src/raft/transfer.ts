/**
 * Handing leadership over (thesis §3.10): bring the other's log up to date, tell it to campaign at
 * once, and go on as before if that has not worked within an election timeout.
 */
import { isVoter } from './configuration.js';
import type { Raft } from './raft.js';
import { maybeSendAppend } from './replication.js';
import { type MemberId, noMember } from './types.js';

/**
 * Leader: begins to hand over, or does nothing, when `to` is no voter or already about to take over.
 * Until it ends no proposal is taken.
 *
 * @since 0.1.0
 */
export function startTransfer(raft: Raft, to: MemberId): void {
  const progress = raft.progress.get(to);
  if (progress === undefined || !isVoter(raft.configuration, to)) return;
  // Asking again does not extend the time that the group may be without proposals.
  if (to === raft.transferee) return;
  abortTransfer(raft);
  if (to === raft.id) return;
  raft.electionElapsed = 0;
  raft.transferee = to;
  if (progress.match === raft.log.lastIndex) sendTimeoutNow(raft, to);
  else maybeSendAppend(raft, to, true);
}

/** Leader: the transferee may have caught up. @since 0.1.0 */
export function continueTransfer(raft: Raft, id: MemberId, match: number): void {
  if (id === raft.transferee && match === raft.log.lastIndex) sendTimeoutNow(raft, id);
}

function sendTimeoutNow(raft: Raft, to: MemberId): void {
  raft.lease.revoke();
  raft.send({ kind: 'timeout-now', from: raft.id, to, term: raft.term });
}

/** @since 0.1.0 */
export function abortTransfer(raft: Raft): void {
  raft.transferee = noMember;
}
