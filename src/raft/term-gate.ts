/**
 * What a message's term decides before any role sees it (Raft §5.1, semantics §4).
 */
import { commitByVote, hearCommit } from './commit-by-vote.js';
import type { PeerMessage } from './messages.js';
import type { Raft } from './raft.js';
import { noMember } from './types.js';

/**
 * Takes over a later term, answers or drops an earlier one, but for what it tells of a commit.
 *
 * @returns whether the message is for the role
 * @since 0.1.0
 */
export function passTermGate(raft: Raft, message: PeerMessage): boolean {
  // A passed-on proposal has no term: whoever leads now may take it.
  if (message.kind === 'propose-request') return true;
  if (message.term > raft.term) return raiseTerm(raft, message);
  if (message.term === raft.term) return true;
  answerOldTerm(raft, message);
  return false;
}

/** A message of a later term: usually makes us a follower of it. False: drop the message. */
function raiseTerm(raft: Raft, message: PeerMessage): boolean {
  switch (message.kind) {
    case 'pre-vote-request':
      return !refusesToDepose(raft);
    case 'vote-request':
      if (message.transfer !== true && refusesToDepose(raft)) return false;
      raft.becomeFollower(message.term, noMember);
      return true;
    case 'pre-vote-response':
      // A grant carries the term we asked about; only a rejection tells of a later one.
      if (!message.granted) raft.becomeFollower(message.term, noMember);
      return true;
    case 'append-request':
    case 'heartbeat-request':
    case 'snapshot-request':
      raft.becomeFollower(message.term, message.from);
      return true;
    case 'timeout-now':
      // Only a leader that this member follows may order it; its appends come first (semantics O11).
      return false;
    default:
      raft.becomeFollower(message.term, noMember);
      return true;
  }
}

/**
 * Thesis §4.2.3, 9.6: whoever hears from a leader does not help to depose it. And whoever pledged a
 * lease keeps to it even after it has heard of a later term from somebody else.
 */
function refusesToDepose(raft: Raft): boolean {
  if (raft.pledgeTicks > 0) return true;
  return (
    raft.config.checkQuorum &&
    raft.leader !== noMember &&
    raft.electionElapsed < raft.config.electionTicks
  );
}

function answerOldTerm(raft: Raft, message: PeerMessage): void {
  // One that is behind, and asks nobody itself or is asked by nobody, may be the only one that knows.
  hearCommit(raft, message);
  const { id: from, term, config } = raft;
  const to = message.from;
  if (message.kind === 'append-request' || message.kind === 'heartbeat-request') {
    // Tells a leader of an old term about ours: otherwise, with pre-vote or check-quorum, a member
    // that came back with a higher term could neither win nor rejoin (semantics H12). Without them it
    // might be one that does not campaign, and the leader would wait for its word for ever.
    if (raft.keepsStandstills && !config.checkQuorum && !config.preVote) return;
    raft.send({ kind: 'append-response', from, to, term, index: 0 });
  } else if (message.kind === 'pre-vote-request') {
    // Without an answer a candidate with a longer log and an earlier term would wait for ever (H9).
    raft.send({ kind: 'pre-vote-response', from, to, term, granted: false, ...commitByVote(raft) });
  } else if (message.kind === 'vote-request' && !raft.keepsStandstills) {
    // Figure 2: the candidate learns our term. Without pre-votes a member of an old configuration may
    // raise its term as fast as the one that needs its vote, which then would stay behind for ever.
    raft.send({ kind: 'vote-response', from, to, term, granted: false, ...commitByVote(raft) });
  }
}
