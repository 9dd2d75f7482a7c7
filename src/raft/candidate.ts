/**
 * Elections: asking for (pre-)votes, granting and counting them (Raft §5.2, thesis §9.6).
 */
import { commitByVote } from './commit-by-vote.js';
import { stepFollower } from './follower.js';
import type {
  PeerMessage,
  PreVoteRequest,
  PreVoteResponse,
  VoteRequest,
  VoteResponse,
} from './messages.js';
import { notLeader } from './propose.js';
import { jointVoteResult } from './quorum.js';
import type { Raft } from './raft.js';
import { hasUnappliedConfChange } from './reconfigure.js';
import { broadcastAppend } from './replication.js';
import { type MemberId, noMember } from './types.js';

/** `transfer`: a vote that the present leader itself asked for. @since 0.1.0 */
export type CampaignKind = 'pre-vote' | 'vote' | 'transfer';

/**
 * Campaigns, unless this member may not: it leads, it is no voter, its state is about to be replaced,
 * or a committed change of the configuration is not applied, by which it would count with voters of
 * two configurations ago (semantics H35).
 *
 * @since 0.1.0
 */
export function hup(raft: Raft, kind: CampaignKind): void {
  if (raft.role === 'leader' || !raft.promotable || hasUnappliedConfChange(raft)) return;
  campaign(raft, kind);
}

/**
 * Starts an election, or first asks whether one could be won. The own vote is a message too and
 * counts only when it is durable (semantics S6).
 */
function campaign(raft: Raft, kind: CampaignKind): void {
  if (kind === 'pre-vote') raft.becomePreCandidate();
  else raft.becomeCandidate();
  for (const to of votersOf(raft)) {
    if (to === raft.id) voteForSelf(raft, kind);
    else askForVote(raft, kind, to);
  }
}

/** Of both halves, ascending, each once. Learners are not asked. */
function votersOf(raft: Raft): MemberId[] {
  const { voters, votersOutgoing } = raft.configuration;
  return [...new Set([...voters, ...votersOutgoing])].sort((a, b) => a - b);
}

function voteForSelf(raft: Raft, kind: CampaignKind): void {
  const { id, term } = raft;
  const self = { from: id, to: id, granted: true } as const;
  if (kind === 'pre-vote') raft.send({ kind: 'pre-vote-response', ...self, term: term + 1 });
  else raft.send({ kind: 'vote-response', ...self, term });
}

function askForVote(raft: Raft, kind: CampaignKind, to: MemberId): void {
  const { id: from, term } = raft;
  const told = { last: raft.log.last, ...commitByVote(raft) };
  if (kind === 'pre-vote') {
    raft.send({ kind: 'pre-vote-request', from, to, term: term + 1, ...told });
  } else if (kind === 'transfer') {
    raft.send({ kind: 'vote-request', from, to, term, ...told, transfer: true });
  } else {
    raft.send({ kind: 'vote-request', from, to, term, ...told });
  }
}

/**
 * Raft §5.2 and §5.4.1, the same in every role; a pre-vote changes nothing (thesis §9.6). Learners
 * vote too: they may be voters that do not know it yet (semantics H14).
 *
 * @since 0.1.0
 */
export function onVoteRequest(raft: Raft, message: VoteRequest | PreVoteRequest): void {
  const preVote = message.kind === 'pre-vote-request';
  const forced = !preVote && message.transfer === true;
  const free =
    raft.vote === message.from ||
    (raft.vote === noMember && raft.leader === noMember && (forced || raft.pledgeTicks === 0)) ||
    (preVote && message.term > raft.term);
  const granted = free && raft.log.isUpToDate(message.last);
  const kind = preVote ? 'pre-vote-response' : 'vote-response';
  // A grant of a pre-vote is about the candidate's next term, a rejection tells ours (H10).
  const term = granted ? message.term : raft.term;
  raft.send({ kind, from: raft.id, to: message.from, term, granted, ...commitByVote(raft) });
  if (granted && !preVote) {
    raft.electionElapsed = 0;
    raft.vote = message.from;
  }
}

/** @since 0.1.0 */
export function stepCandidate(raft: Raft, message: PeerMessage): void {
  switch (message.kind) {
    case 'append-request':
    case 'heartbeat-request':
    case 'snapshot-request':
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
    case 'propose-request':
      throw notLeader(raft);
    default:
    // Answers to requests of an earlier role, and requests to a leader that this member is not.
  }
}

function count(raft: Raft, message: VoteResponse | PreVoteResponse): void {
  // The first answer stands: a repeated message must not change a vote.
  if (!raft.votes.has(message.from)) raft.votes.set(message.from, message.granted);
  switch (jointVoteResult(raft.configuration, raft.votes)) {
    case 'won':
      if (raft.role === 'pre-candidate') {
        campaign(raft, 'vote');
      } else {
        raft.becomeLeader();
        broadcastAppend(raft);
      }
      break;
    case 'lost':
      raft.becomeFollower(raft.term, noMember);
      break;
    case 'pending':
      break;
  }
}
