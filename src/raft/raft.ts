/**
 * The consensus state of one member: term, vote, role, configuration, log, and what it knows of the
 * others. Inputs are `tick`, `step` and `propose`; effects collect in two outboxes until
 * `RawNode.ready` takes them. `becomeX` is the only door into a role; what each role does with a
 * message is in `follower.ts`, `candidate.ts` and `leader.ts`, and what term it counts for in
 * `term-gate.ts`.
 */
import { assert } from '../base/assert.js';
import { randomInt } from '../base/prng.js';
import { hup, onVoteRequest, stepCandidate } from './candidate.js';
import { hearCommit } from './commit-by-vote.js';
import type { RaftConfig } from './config.js';
import { type Configuration, isVoter, restoreConfiguration } from './configuration.js';
import { stepFollower } from './follower.js';
import { stepLeader, tickLeader } from './leader.js';
import { LeaderLease } from './lease.js';
import { RaftLog } from './log.js';
import type { Message, PeerMessage, StorageAppendResponse } from './messages.js';
import { Progress } from './progress.js';
import { appendOpening } from './propose.js';
import { ReadQueue, type ReadState } from './read-index.js';
import {
  catchUp,
  endsAnother,
  hasConfChange,
  leaveJointWhenDue,
  type Overtaken,
  progressOf,
} from './reconfigure.js';
import { tellHeldCommit } from './replication.js';
import { checkStoredState } from './stored-state.js';
import { passTermGate } from './term-gate.js';
import type { Entry, HardState, IndexRange, MemberId, Role } from './types.js';
import { noMember } from './types.js';

/** @since 0.1.0 */
export class Raft {
  readonly config: RaftConfig;
  readonly id: MemberId;
  readonly log: RaftLog;
  /** The applied one: a change counts from when it is applied (semantics §12.1). */
  configuration: Configuration;
  /** The state machine's, while a snapshot has overtaken what it is busy with: see reconfigure.ts. */
  overtaken: Overtaken | undefined;
  /** Of every member, in ascending order: the order of iteration is visible in the messages. */
  progress: Map<MemberId, Progress>;
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
  /** No further change of the configuration is taken before this index is applied. */
  pendingConfIndex = 0;
  /** Leader: commits from here on are told to nobody before that index is applied; 0: all are. */
  heldFrom = 0;
  /** The member this leader hands over to; `noMember` while it does not. */
  transferee: MemberId = noMember;
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
  /** Reads of entries the log answered `pending`. */
  fetch: IndexRange[] = [];
  /** How long a quorum's answers allow this leader to read without asking. */
  lease = new LeaderLease();
  /** Milliseconds of `lease` after the sending of what a quorum answered; 0: no leases. */
  leaseMs: number;
  /** Ticks that a pledge lasts, and those left of the present one: not to help replace the leader. */
  pledgeLength: number;
  pledgeTicks = 0;
  /** The newest time the driver told, in ms; 0 before. At most the present. */
  nowMs = 0;
  /** False while the driver has a reason why it should not campaign: see `RawNode.mayCampaign`. */
  mayCampaign = true;
  /** Only for the reference's transcripts, which show vote requests leave too early (O1). */
  eagerVoteRequests = false;
  /** Only for the same transcripts: without what we do to end standstills that the reference has. */
  keepsStandstills = false;

  constructor(config: RaftConfig) {
    this.config = config;
    this.id = config.id;
    this.leaseMs = config.leaseMs;
    this.pledgeLength = config.pledgeTicks;
    this.log = new RaftLog(config.reader, config.applyBytesMax, !config.asyncStorageWrites);
    const { hardState, ...confState } = config.reader.initialState();
    checkStoredState(hardState, this.log, config.applied);
    this.configuration = restoreConfiguration(confState);
    this.progress = progressOf(this, this.configuration);
    this.term = hardState.term;
    this.vote = hardState.vote;
    // What was applied was committed, whatever a lazily written commit index says (DESIGN §4.10).
    this.log.commitTo(Math.max(hardState.commit, config.applied));
    this.log.restoreApplied(config.applied);
    // It may have pledged before it stopped.
    if (this.leaseMs > 0) this.pledgeTicks = this.pledgeLength;
    this.becomeFollower(this.term, noMember);
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** Only a voter may campaign, a fit one, and only one whose state is not about to be replaced. */
  get promotable(): boolean {
    if (!this.mayCampaign) return false;
    return isVoter(this.configuration, this.id) && this.log.pendingSnapshot === undefined;
  }

  /**
   * Whether there is anything for the state machine. While a snapshot has overtaken it, it first
   * finishes what it is busy with: only then is it clear which configuration a change is made to.
   */
  get hasApplicable(): boolean {
    return this.overtaken === undefined && this.log.hasCommitted;
  }

  /** Raft §5.4.2: a leader knows what is committed once an entry of its own term is. */
  get hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  tick(): void {
    if (this.pledgeTicks > 0) this.pledgeTicks -= 1;
    if (this.role === 'leader') {
      tickLeader(this);
      return;
    }
    this.electionElapsed += 1;
    if (!this.promotable || this.electionElapsed < this.electionTimeout) return;
    // A pledge may be longer than the timeout; the own timer must not break it either.
    if (this.pledgeTicks > 0) return;
    this.electionElapsed = 0;
    hup(this, this.config.preVote ? 'pre-vote' : 'vote');
  }

  /** Handles the term once, for every role, then hands over to the role (semantics §4). */
  step(message: Message): void {
    if (message.kind === 'storage-append-response') {
      this.#onAppended(message);
      return;
    }
    if (message.kind === 'storage-apply-response') {
      this.uncommittedBytes = Math.max(0, this.uncommittedBytes - message.payloadBytes);
      this.log.appliedTo(message.index, message.encodedBytes);
      catchUp(this, message.index);
      if (this.log.applied >= this.pendingConfIndex) tellHeldCommit(this);
      leaveJointWhenDue(this);
      return;
    }
    if (!passTermGate(this, message)) return;
    hearCommit(this, message);
    if (message.kind === 'vote-request' || message.kind === 'pre-vote-request') {
      onVoteRequest(this, message);
      return;
    }
    if (this.role === 'leader') stepLeader(this, message);
    else if (this.role === 'follower') stepFollower(this, message);
    else stepCandidate(this, message);
  }

  #onAppended({ term, last, snapshot }: StorageAppendResponse): void {
    // An answer from an earlier term may be about entries that were overwritten since: the same
    // (index, term) can have been written, replaced and written again (ABA, semantics §16).
    if (term === this.term) this.log.stableTo(last);
    if (snapshot === undefined) return;
    this.log.snapshotInstalled(snapshot.index);
    if (this.overtaken !== undefined) this.overtaken.configuration = this.configuration;
    leaveJointWhenDue(this);
  }

  /** Puts a message where it may leave: pledges wait for the disk, the rest does not. */
  send(message: PeerMessage): void {
    switch (message.kind) {
      // A vote request waits too: a candidate that crashes before its term is durable could
      // campaign for the same term again and lead it with other entries (semantics O1).
      case 'vote-request':
        if (this.eagerVoteRequests) this.messages.push(message);
        else this.afterPersist.push(message);
        break;
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

  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    // Term and vote stay: asking must not disturb anyone.
    this.role = 'pre-candidate';
    this.leader = noMember;
    this.votes.clear();
    // Two that ask at the same time would otherwise do so again and again (semantics O14).
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
    assert(own !== undefined, 'a leader is a member');
    own.becomeReplicate();
    own.recentActive = true;
    // A change among the entries before may be unapplied: whatever it is, it is waited for.
    const { applied, lastIndex } = this.log;
    this.pendingConfIndex = lastIndex;
    const counts = (entry: Entry): boolean => endsAnother(this, entry);
    if (hasConfChange(this, applied + 1, lastIndex, counts)) this.heldFrom = applied + 1;
    appendOpening(this);
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
    this.pendingConfIndex = 0;
    this.heldFrom = 0;
    this.transferee = noMember;
    // Reads that waited are dropped, not kept for a later leadership (semantics O8).
    this.reads = new ReadQueue();
    this.lease = new LeaderLease();
    this.wantsHeartbeat = false;
    const { lastIndex } = this.log;
    for (const id of this.progress.keys()) {
      // Own match counts what is not durable yet; safe, because a leader commits only through an
      // entry of its own term, which it acknowledges to itself after its own write (semantics S7).
      const match = id === this.id ? lastIndex : 0;
      this.progress.set(id, this.newProgress(match, lastIndex + 1));
    }
  }

  /** A fresh account of a member, with the windows of the options. */
  newProgress(match: number, next: number): Progress {
    const { inflightMessagesMax, inflightBytesMax } = this.config;
    return new Progress({ match, next, inflightMessagesMax, inflightBytesMax });
  }

  #drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.electionTimeout = electionTicks + randomInt(random, electionTicks);
  }
}
