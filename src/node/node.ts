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
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { randomId } from '../base/prng.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { LocalMessage, Message, PeerMessage } from '../raft/messages.js';
import { RawNode } from '../raft/raw-node.js';
import type { Ready, StorageApply } from '../raft/ready.js';
import {
  type IndexRange,
  type LogId,
  type MemberId,
  noMember,
  type SoftState,
} from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { MemberIdentity } from '../transport/transport.js';
import { ApplyLoop } from './apply-loop.js';
import type { NodeEvents } from './events.js';
import { FastFailover } from './fast-failover.js';
import { FullDisk } from './full-disk.js';
import { Handover } from './handover.js';
import { leaseMsOf, pledgeTicksOf } from './lease.js';
import { checkTickMs, type NodeOptions } from './node-options.js';
import { PeerRegistry } from './peer-registry.js';
import { PersistLoop } from './persist-loop.js';
import { type ProposalId, Proposals, type ProposeOptions } from './proposals.js';
import { type Answerer, Questions } from './questions.js';
import { Reads } from './reads.js';
import { recoveredLog } from './recovery.js';
import { finishInstall } from './snapshot-install.js';
import { isOfSnapshots, Snapshots } from './snapshots.js';
import type { ApplyResult, StateMachine } from './state-machine.js';
import { type NodeStatus, statusOf } from './status.js';
import { Ticker } from './ticker.js';

/** After this a request for a read index counts as lost. */
const readTimeoutMs = 5_000;

/** Of the core, about messages that make no sense. */
const refusals = ['MEMBER_UNKNOWN', 'MESSAGE_INVALID', 'ARGUMENT_INVALID'] as const;

type Lifecycle = 'open' | 'closing' | 'closed';

/** @since 0.1.0 */
export class Node extends EventEmitter<NodeEvents> {
  readonly identity: MemberIdentity;
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
  readonly #fullDisk: FullDisk;
  readonly #peers: PeerRegistry;
  #inbox: (WireMessage | LocalMessage)[] = [];
  #soft: SoftState = { leader: noMember, role: 'follower' };
  /** Term the last turn ended in. */
  #lastTerm: number;
  #appliedIndex: number;
  readonly #tickMs: number;
  readonly #electionTicks: number;
  /** The setting as the core knows it. */
  #leaseMs: number;
  #tickDue = false;
  #turnScheduled = false;
  #lifecycle: Lifecycle = 'open';
  #failure: KontikiError | undefined;
  #closing: Promise<void> | undefined;

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
      return new Node(options, await finishInstall({ log, machine, store }, appliedIndex));
    } catch (error) {
      await options.snapshots?.close().catch(() => undefined);
      await options.stateMachine.close().catch(() => undefined);
      await options.log.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(options: NodeOptions, appliedIndex: number) {
    super();
    const { env, identity, log, stateMachine, tickMs = 100 } = options;
    const { heartbeatTicks = 1, electionTicks = 10 } = options;
    checkTickMs(tickMs);
    this.#env = env;
    this.identity = identity;
    this.#log = log;
    this.#machine = stateMachine;
    const reader = recoveredLog(log, appliedIndex);
    const { voters } = reader.initialState();
    const { clock, random, observer } = env;
    const ticks = { heartbeatTicks, electionTicks };
    this.#tickMs = tickMs;
    this.#electionTicks = electionTicks;
    // Whatever is set now, before it stopped this member may have pledged as much.
    this.#leaseMs = stateMachine.durableReadLease?.everMs ?? 0;
    this.#raft = new RawNode({
      id: identity.memberId,
      reader,
      random,
      applied: appliedIndex,
      latestSnapshot: () => this.#snapshots?.latest(),
      leaseMs: this.#leaseMs,
      pledgeTicks: pledgeTicksOf(this.#leaseMs, tickMs),
      ...ticks,
    });
    const session = randomId(random);
    this.#reads = new Reads(random, observer);
    this.#proposals = new Proposals({ clock, session, sweepMs: tickMs, observer });
    this.#handover = new Handover({
      memberId: identity.memberId,
      raft: this.#raft,
      log,
      proposals: this.#proposals,
      reads: this.#reads,
      clock,
      transport: env.transport,
    });
    this.#questions = new Questions({
      memberId: identity.memberId,
      raft: this.#raft,
      clock,
      transport: env.transport,
      canReachLeader: () => this.#handover.canReachLeader,
      onSent: () => this.#scheduleTurn(),
    });
    this.#persist = new PersistLoop(log, {
      onWritten: (append) => observer?.written(append),
      onDurable: (responses) => this.#onDurable(responses),
      install: async (append) => this.#snapshots?.install(append),
      onFailed: (error) => this.#fail(error),
    });
    this.#apply = new ApplyLoop(stateMachine, {
      onApplied: (batch, results) => this.#onApplied(batch, results),
      onFailed: (error) => this.#fail(error),
    });
    this.#snapshots = Snapshots.of(options, this.#raft, this.#apply, {
      wake: () => this.#scheduleTurn(),
      onInstalled: (last, sent) => this.#onInstalled(last, sent),
    });
    this.#lastTerm = this.#raft.term;
    this.#appliedIndex = appliedIndex;
    this.#failover = new FastFailover(this.#raft, env, () => this.#scheduleTurn());
    this.#fullDisk = new FullDisk(this.#raft, log, electionTicks);
    this.#ticker = new Ticker(env, tickMs, () => this.#onTick());
    this.#peers = new PeerRegistry(identity, voters, options.peerMemory);
    this.#takeLeaseSetting();
    this.#start(voters.length === 1);
  }

  #start(alone: boolean): void {
    const { memberId } = this.identity;
    const parts = { raft: this.#raft, log: this.#log, machine: this.#machine };
    this.#env.observer?.opened({ memberId, ...parts, appliedIndex: this.#appliedIndex });
    this.#log.applied(this.#appliedIndex);
    this.#env.transport.start(this.identity, {
      onMessage: (message) => this.#onMessage(message),
      admit: (peer, probe) => this.#peers.admit(peer, probe),
      onLink: (memberId, connected) => this.#onLink(memberId, connected),
      onRefused: (memberId, error) => this.#onRefused(memberId, error),
    });
    this.#ticker.start();
    // Nobody else can be leading: waiting for the election timeout would only delay the start.
    if (alone) this.#raft.campaign();
    this.#scheduleTurn();
  }

  /** Whether the node takes calls. */
  get status(): NodeStatus {
    return statusOf(this.#raft.status(), this.#lifecycle, this.#failure, this.#proposals.pending);
  }

  /**
   * Proposes a command through whichever member leads, and waits until it is applied *here*.
   *
   * @param encode - gives the command's bytes with the id in it, as the state machine will report it
   * @returns what the state machine answered
   * @throws {KontikiError} see {@link Proposals.open}; every error carries an `outcome`
   */
  async propose(encode: (id: ProposalId) => Uint8Array, options: ProposeOptions): Promise<unknown> {
    const result = this.#proposals.open(encode, options);
    this.#scheduleTurn();
    return result;
  }

  /**
   * Waits until everything acknowledged before this call, on any member, is applied here, without
   * writing to the log. All calls of a turn share one round of heartbeats.
   *
   * @throws {KontikiError} LEADER_CHANGED, OVERLOADED, TIMEOUT (after 5 s): ask again; CLOSED, or
   *   why the node stopped
   */
  readIndex(): Promise<void> {
    const read = this.#reads.open();
    this.#scheduleTurn();
    return read;
  }

  /** The read lease that this member's timings allow, in milliseconds; 0 when they allow none. */
  get leaseMsMax(): number {
    return leaseMsOf(this.#tickMs, this.#electionTicks);
  }

  /** Milliseconds without a leader before an election. */
  get electionMs(): number {
    return this.#tickMs * this.#electionTicks;
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
    // Full: drop, as the network might have. The sender repeats whatever matters.
    if (this.#inbox.length >= limits.inboxMessagesMax) return;
    this.#inbox.push(message);
    this.#scheduleTurn();
  }

  #onDurable(responses: readonly Message[]): void {
    for (const response of responses) {
      if (response.to === this.identity.memberId) this.#inbox.push(response);
      else this.#send(response as PeerMessage);
    }
    this.#scheduleTurn();
  }

  #onApplied(batch: StorageApply, results: readonly ApplyResult[]): void {
    for (let at = 0; at < results.length; at += 1) {
      this.#proposals.termApplied(batch.entries[at]?.term ?? 0);
      this.#proposals.applied(results[at] as ApplyResult);
    }
    this.#env.observer?.applied(batch.entries, results);
    this.#appliedIndex = batch.response.index;
    this.#log.applied(this.#appliedIndex);
    this.#reads.applied(this.#appliedIndex);
    this.#inbox.push(batch.response);
    this.#scheduleTurn();
  }

  #onInstalled({ index, term }: LogId, sent: readonly number[]): void {
    this.#env.observer?.installed(index);
    this.#proposals.overtaken(sent);
    this.#proposals.termApplied(term);
    this.#appliedIndex = index;
    this.#log.applied(index);
    this.#reads.applied(index);
  }

  #onTick(): void {
    this.#tickDue = true;
    this.#proposals.sweep();
    this.#reads.sweep(this.#env.clock.monotonicMs() - readTimeoutMs);
    this.#questions.sweep();
    this.#scheduleTurn();
  }

  #onLink(memberId: MemberId, connected: boolean): void {
    this.#handover.onLink(memberId, connected);
    // What the leader was asked, or what it answered, may have been on that connection.
    if (!connected) {
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
    // The peers remember this member with another directory: going on could vote twice.
    if (error.code === 'MEMBER_IDENTITY_CHANGED') this.#fail(error);
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
      this.#drainInbox();
      this.#handover.run();
      if (this.#tickDue) {
        this.#tickDue = false;
        this.#takeLeaseSetting();
        this.#raft.tick(this.#env.clock.monotonicMs());
        this.#fullDisk.tick();
        this.#snapshots?.tick();
        this.#env.observer?.stepped(this.#raft);
      }
      for (const request of this.#snapshots?.takeStored() ?? []) this.#step(request);
      while (this.#raft.hasReady()) this.#carryOut(this.#raft.ready());
      this.#snapshots?.stepped();
      this.#env.observer?.stepped(this.#raft);
      this.#env.transport.flush();
    } catch (error) {
      this.#fail(error);
    }
  };

  /** Only once it is durable: a member must not forget with a crash that it pledges leases. */
  #takeLeaseSetting(): void {
    const leaseMs = this.#machine.durableReadLease?.leaseMs ?? 0;
    if (leaseMs === this.#leaseMs) return;
    this.#leaseMs = leaseMs;
    this.#raft.setLease(leaseMs, pledgeTicksOf(leaseMs, this.#tickMs));
  }

  #drainInbox(): void {
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const message of inbox) {
      if (message.kind === 'forward-request') this.#handover.onForward(message);
      else if (message.kind === 'forward-refusal') this.#handover.onRefusal(message);
      else if (message.kind === 'ask-request') this.#questions.onRequest(message);
      else if (message.kind === 'ask-response') this.#questions.onResponse(message);
      // Proposals travel in requests of the driver's own, which are fenced by term.
      else if (message.kind === 'propose-request') continue;
      else if (isOfSnapshots(message)) this.#snapshots?.onMessage(message);
      else this.#step(message);
    }
  }

  #step(message: Message): void {
    const { observer } = this.#env;
    observer?.received(message);
    try {
      this.#raft.step(message);
    } catch (error) {
      // A message nobody should have sent is the peer's problem; losing data or a bug is ours.
      if (!refusals.some((code) => isKontikiError(error, code))) throw error;
    }
    observer?.stepped(this.#raft);
  }

  #send(message: PeerMessage): void {
    this.#env.observer?.sent(message);
    if (message.kind === 'snapshot-request') this.#snapshots?.send(message);
    else this.#env.transport.send(message);
  }

  #carryOut(ready: Ready): void {
    if (ready.append !== undefined) this.#env.observer?.writing(ready.append);
    for (const message of ready.messages) this.#send(message);
    if (ready.append?.snapshot !== undefined) {
      this.#snapshots?.taken(ready.append.snapshot.last, this.#proposals.sent);
    }
    if (ready.append !== undefined) this.#persist.push(ready.append);
    if (ready.apply !== undefined) this.#apply.push(ready.apply);
    for (const read of ready.reads) this.#reads.confirmed(read, this.#appliedIndex);
    this.#endReadsOfOldLeader(ready.softState);
    if (ready.softState !== undefined) this.#onSoftState(ready.softState);
    for (const range of ready.fetch) this.#fetch(range);
  }

  /** Older entries that a lagging peer needs. */
  #fetch(range: IndexRange): void {
    const fetched = this.#log.fetch(range).then(() => {
      this.#raft.entriesFetched(range);
      this.#scheduleTurn();
    });
    fetched.catch((error: unknown) => this.#fail(error));
  }

  /** The core dropped the reads it had, with the term or the role it had. */
  #endReadsOfOldLeader(changed: SoftState | undefined): void {
    const { term } = this.#raft;
    if (changed !== undefined || term !== this.#lastTerm) {
      this.#reads.leaderChanged();
      this.#questions.leaderChanged();
    }
    this.#lastTerm = term;
  }

  #onSoftState(soft: SoftState): void {
    const before = this.#soft;
    this.#soft = soft;
    if (before.role === 'leader') this.#snapshots?.onLeadershipLost();
    const { term } = this.#raft;
    if (soft.role !== before.role) this.#report('role', { term, role: soft.role });
    if (soft.leader === before.leader) return;
    const leaderId = soft.leader === noMember ? undefined : soft.leader;
    this.#report('leader', { term, leaderId });
    this.#scheduleTurn();
  }

  /** Emits; a listener that throws is its owner's bug and must not stop the member. */
  #report<E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]): void {
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
    this.#closing = this.#shutDown(failure);
    this.#report('failed', { error: failure });
  }

  /** Stops taking part, settles every call, and lets go of everything. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#shutDown(kontikiError('CLOSED', 'node: closed'));
    await this.#closing;
  }

  async #shutDown(error: KontikiError): Promise<void> {
    assert(this.#lifecycle === 'open', 'node: shut down once');
    this.#lifecycle = 'closing';
    this.#ticker.stop();
    this.#failover.stop();
    this.#proposals.close(error);
    this.#reads.close(error);
    this.#questions.close(error);
    // A part that failed has said so already; what counts is that all are let go of.
    await this.#env.transport.close().catch(() => undefined);
    await this.#peers.idle();
    await this.#apply.stop();
    await this.#snapshots?.stop();
    await this.#persist.stop();
    await this.#machine.close().catch(() => undefined);
    await this.#log.close().catch(() => undefined);
    this.#lifecycle = 'closed';
  }
}
