/**
 * The consensus state of one member: term, vote, role, log, and what it knows of the others. Inputs
 * are `tick`, `step` and `propose`; effects collect in two outboxes until `RawNode.ready` takes
 * them. What each role does with a message is in `follower.ts`, `candidate.ts` and `leader.ts`.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { randomInt } from '../base/prng.js';
import { campaign, stepCandidate } from './candidate.js';
import type { RaftConfig } from './config.js';
import { stepFollower } from './follower.js';
import { appendOwn, stepLeader, tickLeader } from './leader.js';
import { RaftLog } from './log.js';
import type { Message, PeerMessage, PreVoteRequest, VoteRequest } from './messages.js';
import { Progress } from './progress.js';
import { ReadQueue, type ReadState } from './read-index.js';
import type { HardState, IndexRange, MemberId, Role } from './types.js';
import { noMember } from './types.js';

/** @since 0.1.0 */
export class Raft {
  readonly config: RaftConfig;
  readonly id: MemberId;
  readonly log: RaftLog;
  /** Voters in ascending order: the order of iteration is visible in the messages. */
  readonly voters: readonly MemberId[];
  readonly progress = new Map<MemberId, Progress>();
  readonly votes = new Map<MemberId, boolean>();
  term: number;
  vote: MemberId;
  role: Role = 'follower';
  leader: MemberId = noMember;
  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** Ticks of silence before this member campaigns; redrawn for every attempt. */
  electionTimeout = 0;
  /** Payload bytes of this leader's own entries that are not applied yet. */
  uncommittedBytes = 0;
  /** May leave at once. */
  messages: PeerMessage[] = [];
  /** Pledges: may leave only after everything so far is durable. */
  afterPersist: PeerMessage[] = [];
  /** Linearizable reads of this leadership. */
  reads = new ReadQueue();
  /** Reads that may be served. */
  readStates: ReadState[] = [];
  /** Reads wait for a round of heartbeats; one round serves all of a turn. */
  wantsHeartbeat = false;
  /** Reads the log answered `pending`. */
  fetch: IndexRange[] = [];

  constructor(config: RaftConfig) {
    this.config = config;
    this.id = config.id;
    this.log = new RaftLog(config.reader, config.applyBytesMax);
    const { hardState, voters } = config.reader.initialState();
    this.voters = [...voters].sort((a, b) => a - b);
    for (const id of this.voters) this.progress.set(id, this.#newProgress(0));
    this.term = hardState.term;
    this.vote = hardState.vote;
    const { firstIndex, lastIndex } = this.log;
    if (hardState.commit !== 0) {
      assert(
        firstIndex - 1 <= hardState.commit && hardState.commit <= lastIndex,
        `stored commit ${hardState.commit} lies in the log ${firstIndex}..${lastIndex}`,
      );
      this.log.committed = hardState.commit;
    }
    if (config.applied > 0) this.log.restoreApplied(config.applied);
    this.becomeFollower(this.term, noMember);
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** Only a voter may campaign. */
  get promotable(): boolean {
    return this.progress.has(this.id);
  }

  /** Raft §5.4.2: a leader knows what is committed once an entry of its own term is. */
  get hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  tick(): void {
    if (this.role === 'leader') {
      tickLeader(this);
      return;
    }
    this.electionElapsed += 1;
    if (!this.promotable || this.electionElapsed < this.electionTimeout) return;
    this.electionElapsed = 0;
    campaign(this, this.config.preVote ? 'pre-vote' : 'vote');
  }

  /** Handles the term once, for every role, then hands over to the role (semantics §4). */
  step(message: Message): void {
    if (message.kind === 'storage-append-response') {
      // An answer from an earlier term may be about entries that were overwritten since: the same
      // (index, term) can have been written, replaced and written again (ABA, semantics §16).
      if (message.term === this.term) this.log.stableTo(message.last);
      return;
    }
    if (message.kind === 'storage-apply-response') {
      this.log.appliedTo(message.index, message.encodedBytes);
      this.uncommittedBytes = Math.max(0, this.uncommittedBytes - message.payloadBytes);
      return;
    }
    if (message.term > this.term && !this.#raiseTerm(message)) return;
    if (message.term < this.term) {
      this.#answerOldTerm(message);
      return;
    }
    if (message.kind === 'vote-request' || message.kind === 'pre-vote-request') {
      this.#onVoteRequest(message);
      return;
    }
    if (this.role === 'leader') stepLeader(this, message);
    else if (this.role === 'follower') stepFollower(this, message);
    else stepCandidate(this, message);
  }

  /** A message of a later term: usually makes us a follower of it. False: drop the message. */
  #raiseTerm(message: PeerMessage): boolean {
    switch (message.kind) {
      case 'pre-vote-request':
      case 'vote-request':
        // Thesis §6, 9.6: whoever hears from a leader does not help to depose it.
        if (this.#inLease) return false;
        if (message.kind === 'vote-request') this.becomeFollower(message.term, noMember);
        return true;
      case 'pre-vote-response':
        // A grant carries the term we asked about; only a rejection tells of a later one.
        if (!message.granted) this.becomeFollower(message.term, noMember);
        return true;
      case 'append-request':
      case 'heartbeat-request':
        this.becomeFollower(message.term, message.from);
        return true;
      default:
        this.becomeFollower(message.term, noMember);
        return true;
    }
  }

  get #inLease(): boolean {
    return (
      this.config.checkQuorum &&
      this.leader !== noMember &&
      this.electionElapsed < this.config.electionTicks
    );
  }

  #answerOldTerm(message: PeerMessage): void {
    const { from } = message;
    if (message.kind === 'append-request' || message.kind === 'heartbeat-request') {
      // Tells a leader of an old term about ours: otherwise, with pre-vote or check-quorum, a member
      // that came back with a higher term could neither win nor rejoin (semantics H12).
      if (!this.config.checkQuorum && !this.config.preVote) return;
      this.send({ kind: 'append-response', from: this.id, to: from, term: this.term, index: 0 });
    } else if (message.kind === 'pre-vote-request') {
      const { id, term } = this;
      this.send({ kind: 'pre-vote-response', from: id, to: from, term, granted: false });
    }
  }

  /** Raft §5.2 and §5.4.1, the same in every role; a pre-vote changes nothing (thesis §9.6). */
  #onVoteRequest(message: VoteRequest | PreVoteRequest): void {
    const preVote = message.kind === 'pre-vote-request';
    const free =
      this.vote === message.from ||
      (this.vote === noMember && this.leader === noMember) ||
      (preVote && message.term > this.term);
    const granted = free && this.log.isUpToDate(message.last);
    this.send({
      kind: preVote ? 'pre-vote-response' : 'vote-response',
      from: this.id,
      to: message.from,
      // A grant of a pre-vote is about the candidate's next term, a rejection tells ours (H10).
      term: granted ? message.term : this.term,
      granted,
    });
    if (granted && !preVote) {
      this.electionElapsed = 0;
      this.vote = message.from;
    }
  }

  /** Puts a message where it may leave: pledges wait for the disk, the rest does not. */
  send(message: PeerMessage): void {
    switch (message.kind) {
      // A vote request waits too: a candidate that crashes before its term is durable could
      // campaign for the same term again and lead it with other entries (semantics O1).
      case 'vote-request':
      case 'vote-response':
      case 'pre-vote-response':
      case 'append-response':
        this.afterPersist.push(message);
        break;
      default:
        assert(message.to !== this.id, `no ${message.kind} to itself`);
        this.messages.push(message);
    }
  }

  becomeFollower(term: number, leader: MemberId): void {
    this.#reset(term);
    this.role = 'follower';
    this.leader = leader;
  }

  forgetLeader(): void {
    if (this.role === 'follower') this.leader = noMember;
  }

  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    // Term and vote stay: asking must not disturb anyone.
    this.role = 'pre-candidate';
    this.leader = noMember;
    this.votes.clear();
    this.#drawElectionTimeout();
  }

  becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    this.#reset(this.term + 1);
    this.vote = this.id;
    this.role = 'candidate';
  }

  becomeLeader(): void {
    assert(this.role !== 'follower', 'a follower becomes a leader only by an election');
    this.#reset(this.term);
    this.role = 'leader';
    this.leader = this.id;
    const own = this.progress.get(this.id);
    assert(own !== undefined, 'a leader is a voter');
    own.becomeReplicate();
    own.recentActive = true;
    // Raft §8: an empty entry of the own term lets everything before it commit (H3).
    appendOwn(this, [new Uint8Array(0)]);
  }

  #reset(term: number): void {
    if (term !== this.term) {
      this.term = term;
      this.vote = noMember;
    }
    this.leader = noMember;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.#drawElectionTimeout();
    this.votes.clear();
    this.uncommittedBytes = 0;
    // Reads that waited are dropped, not kept for a later leadership (semantics O8).
    this.reads = new ReadQueue();
    this.wantsHeartbeat = false;
    const lastIndex = this.log.lastIndex;
    for (const id of this.voters) {
      // Own match counts what is not durable yet; safe, because a leader commits only through an
      // entry of its own term, which it acknowledges to itself after its own write (semantics S7).
      this.progress.set(id, this.#newProgress(id === this.id ? lastIndex : 0));
    }
  }

  #newProgress(match: number): Progress {
    const { inflightMessagesMax, inflightBytesMax } = this.config;
    const next = this.log.lastIndex + 1;
    return new Progress({ match, next, inflightMessagesMax, inflightBytesMax });
  }

  #drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.electionTimeout = electionTicks + randomInt(random, electionTicks);
  }

  /** The progress of a peer that a message came from. */
  peer(id: MemberId): Progress {
    const progress = this.progress.get(id);
    if (progress === undefined) {
      throw kontikiError(
        'MEMBER_UNKNOWN',
        `raft: expected a message of a member, got one of ${id}`,
      );
    }
    return progress;
  }
}
