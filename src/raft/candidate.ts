/**
 * Elections: asking for (pre-)votes and counting them (Raft §5.2, thesis §9.6).
 */
import { stepFollower } from './follower.js';
import { broadcastAppend } from './leader.js';
import type { PeerMessage, PreVoteResponse, VoteResponse } from './messages.js';
import { voteResult } from './quorum.js';
import type { Raft } from './raft.js';

/** @since 0.1.0 */
export type CampaignKind = 'pre-vote' | 'vote';

/**
 * Starts an election, or first asks whether one could be won. The own vote is a message too and
 * counts only when it is durable (semantics S6).
 *
 * @since 0.1.0
 */
export function campaign(raft: Raft, kind: CampaignKind): void {
  if (kind === 'pre-vote') raft.becomePreCandidate();
  else raft.becomeCandidate();
  const term = kind === 'pre-vote' ? raft.term + 1 : raft.term;
  const { last } = raft.log;
  for (const to of raft.voters) {
    const envelope = { from: raft.id, to, term };
    if (to === raft.id) {
      const answer = kind === 'pre-vote' ? 'pre-vote-response' : 'vote-response';
      raft.send({ kind: answer, ...envelope, granted: true });
    } else {
      const request = kind === 'pre-vote' ? 'pre-vote-request' : 'vote-request';
      raft.send({ kind: request, ...envelope, last });
    }
  }
}

/** @since 0.1.0 */
export function stepCandidate(raft: Raft, message: PeerMessage): void {
  switch (message.kind) {
    case 'append-request':
    case 'heartbeat-request':
      // Somebody else won this term.
      raft.becomeFollower(message.term, message.from);
      stepFollower(raft, message);
      break;
    case 'pre-vote-response':
      if (raft.role === 'pre-candidate') count(raft, message);
      break;
    case 'vote-response':
      if (raft.role === 'candidate') count(raft, message);
      break;
    default:
    // Answers to requests of an earlier role.
  }
}

function count(raft: Raft, message: VoteResponse | PreVoteResponse): void {
  raft.peer(message.from);
  // The first answer stands: a repeated message must not change a vote.
  if (!raft.votes.has(message.from)) raft.votes.set(message.from, message.granted);
  switch (voteResult(raft.voters, raft.votes)) {
    case 'won':
      if (raft.role === 'pre-candidate') {
        campaign(raft, 'vote');
      } else {
        raft.becomeLeader();
        broadcastAppend(raft);
      }
      break;
    case 'lost':
      raft.becomeFollower(raft.term, 0);
      break;
    case 'pending':
      break;
  }
}
