/**
 * What a leader does: keep time and quorum, hear answers, and hand each message to the part that
 * deals with it.
 */
import type { HeartbeatResponse, PeerMessage } from './messages.js';
import { onProposals } from './propose.js';
import { isQuorumActive } from './quorum.js';
import type { Raft } from './raft.js';
import { onReadRequest, onReadsConfirmed } from './read-index.js';
import { leaveJointWhenDue } from './reconfigure.js';
import { commitToTell, maybeSendAppend, onAppendResponse } from './replication.js';
import { abortTransfer, startTransfer } from './transfer.js';
import { noMember } from './types.js';

/** @since 0.1.0 */
export function tickLeader(raft: Raft): void {
  raft.heartbeatElapsed += 1;
  raft.electionElapsed += 1;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) checkQuorum(raft);
    // Not there in time: this leader goes on, rather than leave the group without one.
    if (raft.role === 'leader') abortTransfer(raft);
    // What was applied meanwhile may have been the last for long.
    if (!raft.keepsStandstills) leaveJointWhenDue(raft);
  }
  if (raft.role !== 'leader' || raft.heartbeatElapsed < raft.config.heartbeatTicks) return;
  raft.heartbeatElapsed = 0;
  broadcastHeartbeat(raft);
}

/** Tells everyone who leads, and asks them to confirm the reads that wait. @since 0.1.0 */
export function broadcastHeartbeat(raft: Raft): void {
  raft.wantsHeartbeat = false;
  const { id: from, term } = raft;
  const { reads } = raft.reads;
  const told = commitToTell(raft);
  const sentAt = raft.leaseMs > 0 ? Math.floor(raft.nowMs) : 0;
  for (const [to, progress] of raft.progress) {
    if (to === from) continue;
    // Never more than the follower is known to hold: it may lack or differ in the rest (S4).
    const commit = Math.min(progress.match, told);
    raft.send({ kind: 'heartbeat-request', from, to, term, commit, reads, sentAt });
    progress.sentCommit = commit;
  }
}

/** Thesis §6.2: a leader that cannot reach a majority must not go on as if it could. */
function checkQuorum(raft: Raft): void {
  const active = isQuorumActive(
    raft.configuration,
    (id) => raft.progress.get(id)?.recentActive ?? false,
  );
  for (const [id, progress] of raft.progress) {
    if (id !== raft.id) progress.recentActive = false;
  }
  if (!active) raft.becomeFollower(raft.term, noMember);
}

/** @since 0.1.0 */
export function stepLeader(raft: Raft, message: PeerMessage): void {
  switch (message.kind) {
    case 'append-response':
      onAppendResponse(raft, message);
      break;
    case 'heartbeat-response':
      onHeartbeatResponse(raft, message);
      break;
    case 'read-request':
      onReadRequest(raft, message);
      break;
    case 'propose-request':
      onProposals(raft, message.proposals);
      break;
    case 'transfer-request':
      startTransfer(raft, message.transferee);
      break;
    default:
    // Requests of this term from others are impossible or stale; answers to our campaign are late.
  }
}

function onHeartbeatResponse(raft: Raft, message: HeartbeatResponse): void {
  const progress = raft.progress.get(message.from);
  if (progress === undefined) return;
  progress.hear();
  progress.flowPaused = false;
  // Revives a follower whose window filled up while everything in it was lost (H26).
  if (progress.match < raft.log.lastIndex || progress.state === 'probe') {
    maybeSendAppend(raft, message.from, true);
  }
  // Nobody can have answered what was not sent yet.
  if (message.sentAt <= raft.nowMs) raft.lease.acknowledge(message.from, message.sentAt);
  onReadsConfirmed(raft, message);
}
