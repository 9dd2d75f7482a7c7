/**
 * What a follower does with messages of its own term: take entries, snapshots and the commit index
 * of its leader, and pass on what only the leader can do. Candidates that meet a leader of their
 * term come here too.
 */
import { hup } from './candidate.js';
import { restoreConfiguration } from './configuration.js';
import type {
  AppendRequest,
  HeartbeatRequest,
  PeerMessage,
  SnapshotRequest,
  TransferRequest,
} from './messages.js';
import { notLeader } from './propose.js';
import type { Raft } from './raft.js';
import { installConfiguration } from './reconfigure.js';
import { type MemberId, noMember } from './types.js';

/** @since 0.1.0 */
export function stepFollower(raft: Raft, message: PeerMessage): void {
  switch (message.kind) {
    case 'append-request':
      hear(raft, message.from);
      onAppend(raft, message);
      break;
    case 'heartbeat-request':
      hear(raft, message.from);
      onHeartbeat(raft, message);
      break;
    case 'snapshot-request':
      hear(raft, message.from);
      onSnapshot(raft, message);
      break;
    case 'read-response':
      if (message.from !== raft.leader) break;
      raft.readStates.push({ readId: message.readId, index: message.index });
      break;
    case 'timeout-now':
      // Only the leader may hand over: anybody else could depose it at will (semantics O11).
      if (message.from === raft.leader) hup(raft, 'transfer');
      break;
    case 'transfer-request':
      passOn(raft, message);
      break;
    case 'propose-request':
      if (raft.leader === noMember || !raft.config.proposalForwarding) throw notLeader(raft);
      // Each takes the other for the leader: it would come back as a message of its own.
      if (raft.leader === message.from) throw notLeader(raft);
      // A new message: the caller's is not ours to change (semantics S13).
      raft.send({ ...message, to: raft.leader });
      break;
    default:
    // Answers to requests of an earlier role: nobody waits for them any more.
  }
}

function hear(raft: Raft, leader: MemberId): void {
  raft.electionElapsed = 0;
  raft.leader = leader;
}

/** Asked to hand over by mistake: the leader knows what to do. */
function passOn(raft: Raft, { transferee }: TransferRequest): void {
  const { id: from, term, leader: to } = raft;
  if (to !== noMember) raft.send({ kind: 'transfer-request', from, to, term, transferee });
}

/** Raft figure 2, AppendEntries receiver; the hint is that of semantics §8.3. */
function onAppend(raft: Raft, message: AppendRequest): void {
  const { log } = raft;
  const { previous, entries } = message;
  const { id: from, term } = raft;
  const to = message.from;
  // Answers are spelled out: a spread that adds fields costs V8 a microsecond (bench/raft.ts).
  if (previous.index < log.committed) {
    raft.send({ kind: 'append-response', from, to, term, index: log.committed });
    return;
  }
  if (log.maybeAppend(previous, entries)) {
    // Acknowledge what was compared, not the own last index: the tail beyond may differ (S1).
    const index = previous.index + entries.length;
    log.commitTo(Math.min(message.commit, index));
    raft.send({ kind: 'append-response', from, to, term, index });
    return;
  }
  const start = Math.min(previous.index, log.lastIndex);
  const hint = log.findConflictByTerm(start, previous.term);
  raft.send({ kind: 'append-response', from, to, term, index: previous.index, hint });
}

function onHeartbeat(raft: Raft, message: HeartbeatRequest): void {
  // Not beyond the end of the log: see boundary.ts.
  raft.log.commitTo(message.commit);
  const sentAt = raft.leaseMs > 0 ? message.sentAt : 0;
  // From here on this member stands by its leader, even if it should hear of a later term.
  if (sentAt > 0) raft.pledgeTicks = raft.pledgeLength;
  const { id: from, term } = raft;
  const to = message.from;
  raft.send({ kind: 'heartbeat-response', from, to, term, reads: message.reads, sentAt });
}

/** The leader has nothing older than this state (Raft figure 13; semantics §9.2). */
function onSnapshot(raft: Raft, message: SnapshotRequest): void {
  const { id: from, term, log } = raft;
  const index = restore(raft, message) ? log.lastIndex : log.committed;
  raft.send({ kind: 'append-response', from, to: message.from, term, index });
}

function restore(raft: Raft, { snapshot }: SnapshotRequest): boolean {
  const { log } = raft;
  const { last } = snapshot;
  if (last.index <= log.committed) return false;
  const configuration = restoreConfiguration(snapshot.configuration);
  const { voters, learners, votersOutgoing } = configuration;
  // Somebody else's: a member that was removed goes on without (H17 counts the outgoing half in).
  if (![voters, learners, votersOutgoing].some((ids) => ids.includes(raft.id))) return false;
  if (log.matches(last)) {
    // The entries are here: they bring the configuration with them.
    log.commitTo(last.index);
    return false;
  }
  log.restore(snapshot);
  installConfiguration(raft, configuration);
  return true;
}
