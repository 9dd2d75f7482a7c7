/**
 * The driver: binds core, log store, transport and state machine (steps 2, 4, 8 and 12 of the walk
 * of a put). Everything that happens to it is queued and handled in *turns*, at its own pace:
 *
 *     inbox, proposals, tick  ->  core  ->  Ready  ->  persist | send | apply  ->  flush
 *
 * A turn is synchronous; what it starts answers by queueing again.
 */
import { EventEmitter } from 'eventemitter3';
import { assert } from '../base/assert.js';
import { Closing } from '../base/closing.js';
import { isErrorOf, isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { letGo } from '../base/let-go.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { Message, PeerMessage } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { ProgressStatus } from '../raft/status.js';
import { type MemberId, noMember, type SoftState } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { MemberIdentity } from '../transport/transport.js';
import { AppliedEntries } from './applied-entries.js';
import { ApplyBacklog } from './apply-backlog.js';
import type { ApplyLoop } from './apply-loop.js';
import { beginLife } from './begin-life.js';
import type { Care } from './care.js';
import { ClosingLeader } from './closing-leader.js';
import type { NodeEvents } from './events.js';
import { FastFailover } from './fast-failover.js';
import { giveUpLeadership } from './give-up-leadership.js';
import { Handover } from './handover.js';
import { Inbox, type InboxParts, step } from './inbox.js';
import type { LeadershipStream } from './leadership-stream.js';
import { type LeaseSetting, leaseMsOf } from './lease.js';
import type { Members } from './members.js';
import type { NodeMetrics } from './metrics.js';
import { nodeCore } from './node-core.js';
import { nodeLoops } from './node-loops.js';
import { NodeMembers } from './node-members.js';
import type { NodeOptions } from './node-options.js';
import type { PersistLoop } from './persist-loop.js';
import type { Proposals } from './proposals.js';
import { type Answerer, Questions } from './questions.js';
import type { ReadOptions, Reads } from './reads.js';
import { ReadyLoop } from './ready-loop.js';
import { finishInstall } from './snapshot-install.js';
import type { Snapshots } from './snapshots.js';
import type { StateMachine } from './state-machine.js';
import { type NodeStatus, statusOf } from './status.js';
import { NodeTelemetry } from './telemetry.js';
import { Ticker } from './ticker.js';
import type { ProposalId, ProposeOptions } from './waiter.js';

/** After this a request for a read index counts as lost, and nobody is waited for who would take it. */
const readTimeoutMs = 5_000;

/** After which this member has no business in its group. */
const finalRefusals = ['MEMBER_IDENTITY_CHANGED', 'MEMBER_REMOVED', 'MEMBER_ROLLED_BACK'] as const;

type Lifecycle = 'open' | 'closing' | 'closed';

/** @since 0.1.0 */
export class Node extends EventEmitter<NodeEvents> {
  readonly identity: MemberIdentity;
  readonly #telemetry: NodeTelemetry;
  readonly #env: NodeOptions['env'];
  readonly #log: LogStore;
  readonly #machine: StateMachine;
  readonly #raft: RawNode;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #handover: Handover;
  readonly #questions: Questions;
  readonly #persist: PersistLoop;
  readonly #apply: ApplyLoop;
  /** Absent when this member can neither make nor take any. */
  readonly #snapshots: Snapshots | undefined;
  readonly #ticker: Ticker;
  readonly #failover: FastFailover;
  readonly #care: Care;
  readonly #members: NodeMembers;
  readonly #closingLeader: ClosingLeader;
  readonly #leases: LeaseSetting;
  readonly #applied: AppliedEntries;
  readonly #ready: ReadyLoop;
  readonly #inbox = new Inbox();
  readonly #parts: InboxParts;
  readonly #tickMs: number;
  readonly #electionTicks: number;
  #tickDue = false;
  #turnScheduled = false;
  #lifecycle: Lifecycle = 'open';
  #failure: KontikiError | undefined;
  readonly #closing = new Closing();
  readonly #shuttingDown = new Closing();

  /**
   * Opens the state machine, settles what log and state disagree on, and joins the group.
   *
   * @throws {KontikiError} WAL_CORRUPT, STATE_CORRUPT, OPTIONS_INVALID, and what `open` of the state
   *   machine throws; the log is closed then, the transport is not
   */
  static async open(options: NodeOptions): Promise<Node> {
    try {
      const { log, snapshots: store, stateMachine: machine } = options;
      const { appliedIndex } = await machine.open();
      const settled = await finishInstall({ log, machine, store }, appliedIndex);
      return new Node({ ...options, identity: await beginLife(options) }, settled);
    } catch (error) {
      await letGo(() => options.snapshots?.close());
      await letGo(() => options.stateMachine.close());
      await letGo(() => options.log.close());
      throw error;
    }
  }

  private constructor(options: NodeOptions, appliedIndex: number) {
    super();
    const { identity, log, stateMachine, tickMs = 100, electionTicks = 10, meter } = options;
    this.#telemetry = new NodeTelemetry({
      ...{ env: options.env, memberId: identity.memberId, tickMs, electionTicks, meter },
      ...{ probe: () => this.#reads.probe(), wake: () => this.#scheduleTurn() },
    });
    const env = { ...options.env, observer: this.#telemetry };
    this.#env = env;
    this.identity = identity;
    this.#log = log;
    this.#machine = stateMachine;
    const { clock, timers, transport, observer } = env;
    this.#tickMs = tickMs;
    this.#electionTicks = electionTicks;
    const latestSnapshot = () => this.#snapshots?.latest();
    const found = { appliedIndex, telemetry: this.#telemetry, latestSnapshot };
    const { raft, leases, initial, ...waiters } = nodeCore(options, found);
    this.#raft = raft;
    this.#leases = leases;
    this.#reads = waiters.reads;
    this.#proposals = waiters.proposals;
    const wake = () => this.#scheduleTurn();
    const onFailed = (error: unknown) => this.#fail(error);
    const { memberId } = identity;
    this.#handover = new Handover({ memberId, raft, log, ...waiters, clock, transport });
    this.#questions = new Questions({
      ...{ memberId, life: this.#proposals.session, raft, clock, transport },
      ...{ canReachLeader: () => this.#handover.canReachLeader, onSent: wake },
      answerMembership: (question) => this.#members.answer(question),
      relayMembership: (question) => this.#members.relay(question),
    });
    const { persist, apply, care, snapshots } = nodeLoops(options, {
      ...{ raft, telemetry: this.#telemetry, wake, onFailed },
      ...{ members: () => this.#members, applied: () => this.#applied },
      onDurable: (responses) => this.#onDurable(responses),
      onSpace: (hasSpace) => this.#report('space', { hasSpace }),
      onStall: (stall) => this.#report('stall', stall),
      onSnapshot: (fact) => this.#lifecycle === 'open' && this.#report('snapshot', fact),
    });
    this.#persist = persist;
    this.#apply = apply;
    this.#care = care;
    this.#snapshots = snapshots;
    const [inbox, questions] = [this.#inbox, this.#questions];
    this.#applied = new AppliedEntries({ log, ...waiters, inbox, observer }, appliedIndex);
    const applied = () => this.#applied.index;
    const backlog = new ApplyBacklog({ raft, log, appliedIndex: applied });
    this.#parts = { raft, handover: this.#handover, questions, observer, snapshots, backlog };
    this.#ready = new ReadyLoop({
      ...{ ...this.#parts, ...waiters, log, transport, persist, apply, appliedIndex: applied },
      onSoftState: (before, soft) => this.#onSoftState(before, soft),
      wake,
      onFailed,
    });
    this.#failover = new FastFailover(raft, env, wake);
    this.#ticker = new Ticker(env, tickMs, () => this.#onTick());
    this.#closingLeader = new ClosingLeader(raft, timers);
    this.#members = new NodeMembers({
      ...{ identity, raft, log, initial, questions, options },
      ...{ transport, clock, timers, observer, electionMs: this.electionMs, wake, onFailed },
      readIndex: () => this.readIndex({ byQuorum: true }),
      linked: () => this.#handover.linked,
      onChanged: (members) => this.#report('members', { members }),
    });
    leases.take(raft);
    const [first, ...others] = initial.voters;
    this.#start(first === identity.memberId && others.length === 0);
  }

  #start(alone: boolean): void {
    const { dirId, memberId } = this.identity;
    const parts = { raft: this.#raft, log: this.#log, machine: this.#machine };
    this.#env.observer?.opened({ memberId, dirId, ...parts, appliedIndex: this.#applied.index });
    this.#log.applied(this.#applied.index);
    this.#env.transport.start(this.#members.identity, {
      onMessage: (message) => this.#onMessage(message),
      admit: (peer, probe) => this.#members.admit(peer, probe),
      onInquiry: (question) => this.#members.answerInquiry(question),
      onLink: (memberId, connected) => this.#onLink(memberId, connected),
      onRefused: (memberId, error) => this.#onRefused(memberId, error),
      onIncident: (incident) => this.#report('incident', incident),
    });
    this.#inbox.tick(this.#raft.term);
    this.#ticker.start();
    // Nobody else can be leading: waiting for the election timeout would only delay the start.
    if (alone) this.#raft.campaign();
    this.#scheduleTurn();
  }

  /** Whether the node takes calls. */
  get status(): NodeStatus {
    return statusOf(this.#raft.status(), {
      lifecycle: this.#isHandingOver ? 'closing' : this.#lifecycle,
      failure: this.#failure,
      pendingProposals: this.#proposals.pending,
      pendingReads: this.#reads.pending,
      appliedIndex: this.#applied.index,
      durableIndex: this.#machine.durableIndex,
      logBytes: this.#log.bytesAbove(0),
      hasSpace: this.#care.hasSpace,
      snapshotIndex: this.#snapshots?.newestIndex ?? 0,
    });
  }

  /** What was counted since the node was opened: docs/api/metrics.md. */
  metrics(): NodeMetrics {
    return this.#telemetry.meter.snapshot({
      proposalsPending: this.#proposals.pending,
      logBytes: this.#log.bytesAbove(0),
    });
  }

  /** The leaderships of this member from here on, one that goes on included. */
  leadership(): LeadershipStream {
    return this.#telemetry.leaderships.stream();
  }

  /**
   * Proposes a command through whichever member leads, and waits until it is applied *here*.
   *
   * @param encode - gives the command's bytes with the id in it, as the state machine will report it; a
   *   leader takes none from other members that are longer than 1.5 MiB and a few
   * @returns what the state machine answered
   * @throws {KontikiError} see {@link Proposals.open}; every error carries an `outcome`
   */
  propose(encode: (id: ProposalId) => Uint8Array, options: ProposeOptions): Promise<unknown> {
    // Not async: that would put another promise around the waiter's.
    try {
      const channel = this.#env.tracing?.propose;
      if (!channel?.hasSubscribers) return this.#open(encode, options);
      const { memberId } = this.identity;
      return channel.tracePromise(() => this.#open(encode, options), { memberId });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** It was closed, and lets another member lead first: nothing new is begun. */
  get #isHandingOver(): boolean {
    return this.#closing.hasBegun && this.#lifecycle === 'open';
  }

  #open(encode: (id: ProposalId) => Uint8Array, options: ProposeOptions): Promise<unknown> {
    if (this.#isHandingOver) {
      throw kontikiError('CLOSED', 'node: closed', { outcome: 'rejected' });
    }
    const result = this.#proposals.open(encode, options);
    this.#scheduleTurn();
    return result;
  }

  /**
   * Waits until everything acknowledged before this call, on any member, is applied here, without
   * writing to the log. All calls of a turn share one round of heartbeats.
   *
   * @throws {KontikiError} LEADER_CHANGED, OVERLOADED, TIMEOUT (5 s without a leader, or without its
   *   answer; apply has the time that it takes): ask again; CLOSED, or why the node stopped
   */
  readIndex(options?: ReadOptions): Promise<void> {
    const read = this.#reads.open(this.#env.clock.monotonicMs(), options);
    this.#scheduleTurn();
    return read;
  }

  /** Who belongs to the group, and how that is changed. */
  get members(): Members {
    return this.#members.calls;
  }

  /** The read lease that this member's timings allow, in milliseconds; 0 when they allow none. */
  get leaseMsMax(): number {
    return leaseMsOf(this.#tickMs, this.#electionTicks);
  }

  /** Milliseconds without a leader before an election. */
  get electionMs(): number {
    return this.#tickMs * this.#electionTicks;
  }

  /**
   * Lets another member lead, if one can: the voter that answered lately and has the most of the log.
   *
   * @param suits - whether it may
   */
  giveUpLeadership(suits: (successor: ProgressStatus) => boolean): void {
    if (this.#lifecycle !== 'open' || this.#raft.role !== 'leader') return;
    giveUpLeadership(this.#raft, suits);
    this.#scheduleTurn();
  }

  /** Term in which this member leads; 0 when it does not. */
  get leadTerm(): number {
    return this.#raft.role === 'leader' ? this.#raft.term : 0;
  }

  /**
   * Asks the state machine's owner on whichever member leads; see {@link answerWith}.
   *
   * @param question - at most a few hundred KiB
   * @throws {KontikiError} see {@link Questions.ask}
   */
  async ask(question: Uint8Array): Promise<Uint8Array> {
    return this.#questions.ask(question);
  }

  /** Sets who answers what members {@link ask} while this one leads. */
  answerWith(answerer: Answerer): void {
    this.#questions.answerWith(answerer);
  }

  #onMessage(message: WireMessage): void {
    if (this.#inbox.offer(message)) this.#scheduleTurn();
    else this.#telemetry.meter.messagesDropped += 1;
  }

  #onDurable(responses: readonly Message[]): void {
    for (const response of responses) {
      if (response.to === this.identity.memberId) this.#inbox.push(response);
      else this.#ready.send(response as PeerMessage);
    }
    this.#scheduleTurn();
  }

  #onTick(): void {
    this.#tickDue = true;
    this.#inbox.tick(this.#raft.term);
    this.#handover.tick();
    this.#proposals.sweep();
    this.#reads.sweep(this.#env.clock.monotonicMs() - readTimeoutMs);
    this.#questions.sweep();
    this.#ready.tick();
    this.#scheduleTurn();
  }

  #onLink(memberId: MemberId, connected: boolean): void {
    this.#handover.onLink(memberId, connected);
    // What the leader was asked, or what it answered, may have been on that connection.
    if (!connected) {
      this.#proposals.linkLost(memberId);
      if (memberId === this.#raft.leader) {
        this.#reads.leaderChanged();
        this.#questions.leaderChanged();
      }
      this.#failover.linkLost(memberId);
      this.#snapshots?.onLinkLost(memberId);
    }
    this.#report('peer', { memberId, connected });
    this.#scheduleTurn();
  }

  #onRefused(memberId: MemberId, error: KontikiError): void {
    this.#report('refused', { memberId, error });
    // The peers remember more than this member's directory does: going on could vote twice.
    if (isErrorOf(error, finalRefusals)) this.#fail(error);
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#lifecycle !== 'open') return;
    this.#turnScheduled = true;
    this.#env.timers.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnScheduled = false;
    if (this.#lifecycle !== 'open') return;
    try {
      this.#inbox.drain(this.#parts);
      this.#handover.run();
      if (this.#tickDue) {
        this.#tickDue = false;
        this.#leases.take(this.#raft);
        this.#members.tick();
        this.#care.tick();
        this.#raft.tick(this.#env.clock.monotonicMs());
        this.#snapshots?.tick();
        this.#env.observer?.stepped(this.#raft);
      }
      for (const request of this.#snapshots?.takeStored() ?? []) step(this.#parts, request);
      this.#ready.run();
      this.#snapshots?.stepped();
      this.#env.observer?.stepped(this.#raft);
      this.#env.transport.flush();
    } catch (error) {
      this.#fail(error);
    }
  };

  #onSoftState(before: SoftState, soft: SoftState): void {
    if (before.role === 'leader') this.#snapshots?.onLeadershipLost();
    const { term } = this.#raft;
    if (soft.role !== before.role) this.#report('role', { term, role: soft.role });
    if (soft.leader === before.leader) return;
    this.#closingLeader.leaderChanged(soft.leader);
    const leaderId = soft.leader === noMember ? undefined : soft.leader;
    this.#report('leader', { term, leaderId });
    this.#scheduleTurn();
  }

  /** Emits; a listener that throws is its owner's bug and must not stop the member. */
  #report<E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]): void {
    this.#telemetry.reported(event, ...args);
    try {
      (this.emit as (event: E, ...args: NodeEvents[E]) => boolean).call(this, event, ...args);
    } catch (error) {
      this.#env.timers.soon(() => {
        throw error;
      });
    }
  }

  /**
   * Stops the node, as if its own storage had failed: for parts that it does not see, such as the
   * disk below the state machine.
   *
   * @param error - what the `failed` event and every further call tell
   */
  fail(error: KontikiError): void {
    this.#fail(error);
  }

  /** Stops for good: after a failed write or apply nothing this member says can be trusted. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined || this.#lifecycle !== 'open') return;
    const failure = isKontikiError(error)
      ? (error as KontikiError)
      : kontikiError('ASSERTION', `node: unexpected ${error}`, { cause: error });
    this.#failure = failure;
    if (failure.code === 'MEMBER_ROLLED_BACK') this.#members.setAside();
    const shutDown = () => this.#shuttingDown.begin(() => this.#shutDown(failure));
    // Who closes the node is told; nobody may ever.
    this.#closing.begin(shutDown).catch(() => undefined);
    // It may have been about to close, and waits for another one to lead.
    shutDown().catch(() => undefined);
    this.#closingLeader.stop();
    this.#report('failed', { error: failure });
  }

  /**
   * Stops taking part, settles every call, and lets go of everything. A leader lets another member lead
   * first, for an election timeout at most. Idempotent.
   */
  async close(): Promise<void> {
    await this.#closing.begin(() => this.#close());
  }

  async #close(): Promise<void> {
    const closed = kontikiError('CLOSED', 'node: closed');
    this.#telemetry.leaderships.close(closed);
    const handedOver = this.#closingLeader.handOver(this.electionMs);
    if (handedOver !== undefined) {
      this.#scheduleTurn();
      await handedOver;
    }
    // It may have failed meanwhile.
    await this.#shuttingDown.begin(() => this.#shutDown(closed));
  }

  async #shutDown(error: KontikiError): Promise<void> {
    assert(this.#lifecycle === 'open', 'node: shut down once');
    this.#lifecycle = 'closing';
    this.#ticker.stop();
    this.#failover.stop();
    this.#proposals.close(error);
    this.#reads.close(error);
    this.#questions.close(error);
    this.#members.close(error);
    this.#telemetry.close(error);
    // A part that failed has said so already; what counts is that all are let go of.
    await letGo(() => this.#env.transport.close());
    await this.#members.idle();
    // Whatever waits for space on the disk would be waited for without end.
    this.#log.waitForSpace?.(false);
    this.#machine.interrupt?.();
    this.#snapshots?.interrupt();
    await this.#apply.stop();
    await this.#snapshots?.stop();
    await this.#persist.stop();
    await letGo(() => this.#machine.close());
    await letGo(() => this.#log.close());
    this.#lifecycle = 'closed';
  }
}
