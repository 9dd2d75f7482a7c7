/**
 * What a follower does with messages of its own term: take entries and the commit index of its
 * leader. Candidates that meet a leader of their term come here too.
 */
import { kontikiError } from '../base/errors.js';
import type { AppendRequest, HeartbeatRequest, PeerMessage } from './messages.js';
import type { Raft } from './raft.js';

/** @since 0.1.0 */
export function stepFollower(raft: Raft, message: PeerMessage): void {
  switch (message.kind) {
    case 'append-request':
      raft.electionElapsed = 0;
      raft.leader = message.from;
      onAppend(raft, message);
      break;
    case 'heartbeat-request':
      raft.electionElapsed = 0;
      raft.leader = message.from;
      onHeartbeat(raft, message);
      break;
    case 'read-response':
      if (message.from !== raft.leader) break;
      raft.readStates.push({ readId: message.readId, index: message.index });
      break;
    default:
    // Answers to requests of an earlier role: nobody waits for them any more.
  }
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
  const { lastIndex } = raft.log;
  if (message.commit > lastIndex) {
    // The leader names only what this member acknowledged: it has lost part of its log (O10).
    throw kontikiError(
      'STATE_CORRUPT',
      `raft: the leader counts on entry ${message.commit} that this member acknowledged, ` +
        `but its log ends at ${lastIndex}; replace this member under a new id`,
    );
  }
  raft.log.commitTo(message.commit);
  raft.send({
    kind: 'heartbeat-response',
    from: raft.id,
    to: message.from,
    term: raft.term,
    reads: message.reads,
  });
}
