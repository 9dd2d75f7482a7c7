/**
 * The core's public face: inputs in, one `Ready` of effects out. Synchronous, without clock, I/O or
 * randomness of its own; not re-entrant. Values passed in or out are never changed afterwards, by
 * either side.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { bootstrap } from './bootstrap.js';
import { checkMessage, isLocal } from './boundary.js';
import { hup } from './candidate.js';
import type { ConfChange, ConfChangeV2 } from './conf-change.js';
import { encodeConfChange } from './conf-change-codec.js';
import { type RaftOptions, raftConfig } from './config.js';
import type { Configuration } from './configuration.js';
import { checkInvariants } from './invariants.js';
import { broadcastHeartbeat } from './leader.js';
import { encodedBytes } from './log.js';
import type { Message, StorageApplyResponse } from './messages.js';
import { type Appended, notLeader, onProposals, proposeCommands } from './propose.js';
import { Raft } from './raft.js';
import { readIndex } from './read-index.js';
import type { Ready, StorageAppend, StorageApply } from './ready.js';
import { applyConfChange } from './reconfigure.js';
import { onSnapshotReport, onUnreachable, resumeFetched } from './replication.js';
import { type RaftStatus, statusOf } from './status.js';
import { startTransfer } from './transfer.js';
import type { HardState, IndexRange, LogId, MemberId, Proposal, Role, SoftState } from './types.js';
import { emptyHardState, noMember, zeroLogId } from './types.js';

/** The inside of a node, for tests: see `RawNode`. @internal */
export let coreOf: (node: RawNode) => Raft;

/**
 * One member of a Raft group.
 *
 * Storage and state machine are two more addressees: `Ready.append` and `Ready.apply` go out, and
 * their responses come back through `step`; or, in synchronous mode, `advance` says that both are
 * done. Contract of the driver: docs/api/raft.md.
 *
 * @since 0.1.0
 */
export class RawNode {
  readonly #raft: Raft;
  #softState: SoftState;
  #hardState: HardState;
  /** Synchronous mode: what `advance` is to step. */
  #advances: readonly Message[] = [];

  static {
    coreOf = (node) => node.#raft;
  }

  /**
   * @throws {KontikiError} OPTIONS_INVALID; STATE_CORRUPT, CONFIGURATION_INVALID: what is stored
   *   cannot be started from
   */
  constructor(options: RaftOptions) {
    this.#raft = new Raft(raftConfig(options));
    this.#softState = this.#currentSoftState();
    this.#hardState = this.#raft.hardState;
  }

  get id(): MemberId {
    return this.#raft.id;
  }

  get term(): number {
    return this.#raft.term;
  }

  get role(): Role {
    return this.#raft.role;
  }

  /** Milliseconds that a lease lasts; 0 without lease reads. */
  get leaseMs(): number {
    return this.#raft.leaseMs;
  }

  /** `noMember` while none is known. */
  get leader(): MemberId {
    return this.#raft.leader;
  }

  /** The applied configuration. */
  get configuration(): Configuration {
    return this.#raft.configuration;
  }

  /**
   * Begins a group on an empty log: the same peers in the same order on each of them. The entries
   * that add them are committed at once, and come out of `ready` like all others.
   *
   * @param peers - at least one; `context` goes into the entry, for the application
   * @throws {KontikiError} ARGUMENT_INVALID: no peers, or a log that is not empty;
   *   CONFIGURATION_INVALID: no possible ids
   */
  bootstrap(peers: readonly { readonly id: MemberId; readonly context?: Uint8Array }[]): void {
    bootstrap(this.#raft, peers);
    this.#hardState = emptyHardState;
  }

  /**
   * One unit of logical time passed.
   *
   * @param nowMs - monotonic clock, read just now, in ms; only leases need it
   */
  tick(nowMs?: number): void {
    this.#noteTime(nowMs);
    this.#raft.tick();
  }

  /**
   * Starts an election now (pre-vote first, if configured). Nothing happens on a leader, on a member
   * that may not lead, or while this one has pledged a lease.
   */
  campaign(): void {
    // Its leader, or one it had before a restart, may still count on it (semantics O5).
    if (this.#raft.pledgeTicks > 0) return;
    hup(this.#raft, this.#raft.config.preVote ? 'pre-vote' : 'vote');
  }

  /**
   * A follower stops believing in its leader: it grants votes again, and sends nothing there. Term,
   * vote and election timer stay, and the leader is back with its next message. For drivers that
   * have reason to think its process is gone. Nothing happens on any other role, with leases, or
   * while one is pledged.
   */
  forgetLeader(): void {
    const { role, leaseMs, pledgeTicks } = this.#raft;
    if (role !== 'follower' || leaseMs > 0 || pledgeTicks > 0) return;
    this.#raft.leader = noMember;
  }

  /**
   * Whether the member campaigns, by its timer or when it is asked to; true at first. For drivers that
   * find it unfit to lead for a while, as with a disk that does not answer: its own vote would wait for
   * that disk. It votes for others all the same, and a leader stays one.
   */
  set mayCampaign(mayCampaign: boolean) {
    this.#raft.mayCampaign = mayCampaign;
  }

  /**
   * A leader leads no more, as one that lost its quorum does. For drivers that find it unfit to lead and
   * nobody who takes over at once. Nothing happens on any other role.
   */
  stepDown(): void {
    if (this.#raft.role === 'leader') this.#raft.becomeFollower(this.#raft.term, noMember);
  }

  /**
   * From now on this member pledges leases and, as a leader, reads by them. It must keep the setting
   * durably before it is told to its node: one that forgets it with a crash would break its pledge.
   *
   * @param leaseMs - as the option; 0 ends it, and what was pledged is kept. A group uses one length
   *   for good: members that know another would pledge too little
   * @param pledgeTicks - as the option; default: what it was
   * @throws {KontikiError} OPTIONS_INVALID
   */
  setLease(leaseMs: number, pledgeTicks = this.#raft.pledgeLength): void {
    raftConfig({ ...this.#raft.config, leaseMs, pledgeTicks });
    this.#raft.leaseMs = leaseMs;
    this.#raft.pledgeLength = pledgeTicks;
  }

  /**
   * Appends commands to the leader's log, in order, as consecutive entries.
   *
   * @param commands - at least one; owned by the core afterwards
   * @returns id of the first entry, `undefined` when they were passed to the leader. Either way they
   *   may still be lost without notice, if the leader changes.
   * @throws {KontikiError} NOT_LEADER, PROPOSAL_DROPPED, ARGUMENT_INVALID: nothing was appended
   */
  propose(commands: readonly Uint8Array[]): LogId | undefined {
    if (commands.length === 0) {
      throw kontikiError('ARGUMENT_INVALID', 'raft: expected at least one command, got none', {
        outcome: 'rejected',
      });
    }
    if (this.#raft.role === 'leader') return proposeCommands(this.#raft, commands);
    this.#passOn(commands.map((data) => ({ type: 'normal' as const, data })));
    return undefined;
  }

  /**
   * Proposes a change of the configuration. It counts once it is committed and {@link applyConfChange}
   * was called, on each member. One change at a time: a change that cannot be made now leaves an
   * empty entry, and `refused` says why.
   *
   * @returns as {@link propose}
   * @throws {KontikiError} NOT_LEADER, PROPOSAL_DROPPED: nothing was appended; CONFIGURATION_INVALID,
   *   reason `unknown-change`: no such change
   */
  proposeConfChange(change: ConfChange | ConfChangeV2): Appended | undefined {
    const proposal = encodeConfChange(change);
    if (this.#raft.role === 'leader') return onProposals(this.#raft, [proposal]);
    this.#passOn([proposal]);
    return undefined;
  }

  #passOn(proposals: readonly Proposal[]): void {
    const { id: from, leader: to, role, config } = this.#raft;
    if (role !== 'follower' || to === noMember || !config.proposalForwarding) {
      throw notLeader(this.#raft);
    }
    this.#raft.send({ kind: 'propose-request', from, to, term: 0, proposals });
  }

  /**
   * To be called for each applied entry that changes the configuration, in order, before the
   * response of its `StorageApply` is stepped; unless the application turns the change down, on every
   * member alike.
   *
   * @param change - `decodeConfChange` of the entry
   * @returns the configuration from here on; to be kept with snapshots
   * @throws {KontikiError} CONFIGURATION_INVALID: the change cannot be made; nothing happened, the
   *   same on every member
   */
  applyConfChange(change: ConfChange | ConfChangeV2): Configuration {
    return applyConfChange(this.#raft, change);
  }

  /**
   * Hands leadership to another voter: it is brought up to date and told to campaign. Until that
   * succeeded, or an election timeout passed, no proposal is taken. A follower passes the request
   * on. An id that cannot take over is ignored; one's own ends a handover under way.
   */
  transferLeader(transferee: MemberId): void {
    const raft = this.#raft;
    if (raft.role === 'leader') {
      startTransfer(raft, transferee);
    } else if (raft.leader !== noMember) {
      const { id: from, leader: to, term } = raft;
      raft.send({ kind: 'transfer-request', from, to, term, transferee });
    }
  }

  /** The transport lost messages to a member; the leader probes it again. */
  reportUnreachable(id: MemberId): void {
    onUnreachable(this.#raft, id);
  }

  /**
   * What became of a snapshot that was sent. A failure must be reported: nothing else is sent to the
   * member meanwhile.
   */
  reportSnapshot(id: MemberId, arrived: boolean): void {
    onSnapshotReport(this.#raft, id, arrived);
  }

  /**
   * Refuses a message that {@link step} would refuse for what it says. For drivers that do something with
   * it before the core has it.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, ARGUMENT_INVALID, MESSAGE_INVALID, MEMBER_ROLLED_BACK: as `step`
   */
  checkMessage(message: Message): void {
    checkMessage(this.#raft, message);
  }

  /**
   * Takes a message of a peer, or the answer of the own storage or state machine.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, when it is an answer, and comes from no member;
   *   ARGUMENT_INVALID, when it is for somebody else, or a local answer comes from a peer, or in
   *   synchronous mode; MESSAGE_INVALID, when it contradicts itself; NOT_LEADER, PROPOSAL_DROPPED,
   *   when it is a proposal that is not taken; MEMBER_ROLLED_BACK, when it shows that this member lost
   *   acknowledged entries. Nothing was changed by any of them.
   */
  step(message: Message): void {
    checkMessage(this.#raft, message);
    if (isLocal(message) && !this.#raft.config.asyncStorageWrites) {
      throw kontikiError('ARGUMENT_INVALID', `raft: expected advance(), got ${message.kind}`);
    }
    this.#raft.step(message);
  }

  /**
   * Asks for an index to read at; the answer comes as `Ready.reads`, or never: requests are lost with
   * messages and leaders. Ask again with another id.
   *
   * @param readId - a safe integer, never used twice by this member
   * @param nowMs - monotonic clock, read just now, in ms; without it no lease answers
   * @throws {KontikiError} NO_LEADER, OVERLOADED, ARGUMENT_INVALID
   */
  readIndex(readId: number, nowMs?: number): void {
    if (!Number.isSafeInteger(readId) || readId < 0) {
      throw kontikiError('ARGUMENT_INVALID', `raft: expected a safe integer >= 0, got ${readId}`);
    }
    this.#noteTime(nowMs);
    readIndex(this.#raft, readId, nowMs ?? 0);
  }

  #noteTime(nowMs: number | undefined): void {
    if (nowMs === undefined || !Number.isFinite(nowMs)) return;
    if (nowMs > this.#raft.nowMs) this.#raft.nowMs = nowMs;
  }

  /** Entries of a range of `Ready.fetch` are in memory now. */
  entriesFetched(range: IndexRange): void {
    resumeFetched(this.#raft, range.lo);
  }

  /** Whether `ready` has anything to say. */
  hasReady(): boolean {
    const raft = this.#raft;
    return (
      raft.messages.length > 0 ||
      raft.afterPersist.length > 0 ||
      raft.fetch.length > 0 ||
      raft.readStates.length > 0 ||
      raft.wantsHeartbeat ||
      raft.log.hasUntaken ||
      raft.hasApplicable ||
      this.#hardStateChanged() ||
      this.#softStateChanged()
    );
  }

  /**
   * Takes the effects since the last call; they count as under way from now on.
   *
   * @throws {KontikiError} ARGUMENT_INVALID, in synchronous mode before `advance`
   */
  ready(): Ready {
    const raft = this.#raft;
    if (this.#advances.length > 0) {
      throw kontikiError('ARGUMENT_INVALID', 'raft: expected advance() before another ready()');
    }
    if (raft.wantsHeartbeat) broadcastHeartbeat(raft);
    const softState = this.#softStateChanged() ? this.#currentSoftState() : undefined;
    if (softState !== undefined) this.#softState = softState;
    const append = this.#takeAppend();
    const apply = this.#takeApply();
    const ready: { -readonly [K in keyof Ready]: Ready[K] } = {
      reads: raft.readStates,
      messages: raft.messages,
      fetch: raft.fetch,
    };
    if (softState !== undefined) ready.softState = softState;
    if (append !== undefined) ready.append = append;
    if (apply !== undefined) ready.apply = apply;
    raft.messages = [];
    raft.fetch = [];
    raft.readStates = [];
    return ready;
  }

  /**
   * Synchronous mode: the last `Ready` was carried out, its write is durable and its entries are
   * applied.
   */
  advance(): void {
    const messages = this.#advances;
    this.#advances = [];
    for (const message of messages) {
      // An own vote may come after somebody else won, and then means nothing any more.
      this.#raft.step(message);
    }
  }

  #takeAppend(): StorageAppend | undefined {
    const raft = this.#raft;
    const changed = this.#hardStateChanged();
    if (!changed && !raft.log.hasUntaken && raft.afterPersist.length === 0) return undefined;
    const snapshot = raft.log.takeSnapshot();
    const entries = raft.log.takeUnstable();
    const hardState = raft.hardState;
    const mustSync =
      entries.length > 0 ||
      snapshot !== undefined ||
      hardState.term !== this.#hardState.term ||
      hardState.vote !== this.#hardState.vote;
    this.#hardState = hardState;
    const append: { -readonly [K in keyof StorageAppend]: StorageAppend[K] } = {
      entries,
      mustSync,
      responses: this.#takeResponses(snapshot?.last),
    };
    if (changed) append.hardState = hardState;
    if (snapshot !== undefined) append.snapshot = snapshot;
    return append;
  }

  #takeResponses(snapshot: LogId | undefined): readonly Message[] {
    const raft = this.#raft;
    const responses: Message[] = raft.afterPersist;
    raft.afterPersist = [];
    if (raft.log.hasUnstable || snapshot !== undefined) {
      // Attests the whole tail again, so that a response ignored after a term change is made good
      // by a later one (ABA, semantics §16).
      const { id, term, log } = raft;
      const last = log.hasUnstable ? log.last : zeroLogId;
      const envelope = { kind: 'storage-append-response', from: id, to: id, term } as const;
      responses.push(
        snapshot === undefined
          ? { kind: envelope.kind, from: id, to: id, term, last }
          : { ...envelope, last, snapshot },
      );
    }
    if (raft.config.asyncStorageWrites) return responses;
    this.#advances = responses.filter((message) => message.to === raft.id);
    return responses.filter((message) => message.to !== raft.id);
  }

  #takeApply(): StorageApply | undefined {
    const raft = this.#raft;
    if (!raft.hasApplicable) return undefined;
    const entries = raft.log.takeCommitted();
    const last = entries[entries.length - 1];
    if (last === undefined) return undefined;
    let payload = 0;
    let encoded = 0;
    for (const entry of entries) {
      payload += entry.data.length;
      encoded += encodedBytes(entry);
    }
    const response: StorageApplyResponse = {
      kind: 'storage-apply-response',
      from: raft.id,
      to: raft.id,
      term: 0,
      index: last.index,
      payloadBytes: payload,
      encodedBytes: encoded,
    };
    if (!raft.config.asyncStorageWrites) this.#advances = [...this.#advances, response];
    return { entries, response };
  }

  /** A copy of the state, for people, metrics and tests. */
  status(): RaftStatus {
    return statusOf(this.#raft);
  }

  /** Asserts the invariants of one member; tests and simulations call it after every step. */
  check(): void {
    assert(this.#hardState.term <= this.#raft.term, 'the term never falls');
    checkInvariants(this.#raft);
  }

  #currentSoftState(): SoftState {
    return { leader: this.#raft.leader, role: this.#raft.role };
  }

  #softStateChanged(): boolean {
    const { leader, role } = this.#softState;
    return leader !== this.#raft.leader || role !== this.#raft.role;
  }

  #hardStateChanged(): boolean {
    const { term, vote, commit } = this.#hardState;
    const raft = this.#raft;
    return term !== raft.term || vote !== raft.vote || commit !== raft.log.committed;
  }
}
