/**
 * What a node tells about itself: it stands where the observer of a simulation would, hands everything
 * on to that one, counts, follows the leaderships, and writes to the logger. Nothing of it steers.
 */
import type { Clock, Timers } from '../base/clock.js';
import type { KontikiError } from '../base/errors.js';
import type { ConfState } from '../raft/configuration.js';
import type { Message, PeerMessage } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { ReadState } from '../raft/read-index.js';
import type { StorageAppend } from '../raft/ready.js';
import type { Entry, MemberId, Role } from '../raft/types.js';
import type { Env } from './env.js';
import type { NodeEvents } from './events.js';
import { giveUpLeadership } from './give-up-leadership.js';
import { isOnlyVoter } from './is-only-voter.js';
import { Leaderships } from './leadership.js';
import { leaseMsOf } from './lease.js';
import { NodeLog } from './logger.js';
import { countKind, NodeMeter } from './metrics.js';
import type { NodeObserver, OpenedNode } from './observer.js';
import type { ApplyResult, RequestId, StateMachine } from './state-machine.js';
import { traced } from './tracing.js';

/** @since 0.1.0 */
export interface TelemetryParts {
  readonly env: Pick<Env, 'clock' | 'timers' | 'observer' | 'tracing' | 'logger'>;
  readonly memberId: MemberId;
  readonly tickMs: number;
  readonly electionTicks: number;
  /** Counts; a new one by default. */
  readonly meter?: NodeMeter | undefined;
  /** Has a quorum asked in the next turn whether this member leads. */
  readonly probe: () => void;
  /** A turn is due. */
  readonly wake: () => void;
}

/** @since 0.1.0 */
export class NodeTelemetry implements NodeObserver {
  readonly meter: NodeMeter;
  readonly leaderships: Leaderships;
  readonly #parts: TelemetryParts;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #next: NodeObserver | undefined;
  readonly #log: NodeLog | undefined;
  #raft: RawNode | undefined;
  #role: Role = 'follower';
  /**
   * When the writes were handed over that are not durable, in order: what brings nothing new is asked for
   * again and again while a disk is full, and so counted with the one before.
   */
  readonly #writes: { atMs: number; newestMs: number; readonly isBare: boolean; times: number }[] =
    [];
  #applyMs = 0;

  constructor(parts: TelemetryParts) {
    const { env, memberId, meter = new NodeMeter() } = parts;
    this.#parts = parts;
    this.#clock = env.clock;
    this.#timers = env.timers;
    this.#next = env.observer;
    this.#log = env.logger && new NodeLog(env.logger, memberId);
    this.meter = meter;
    this.leaderships = new Leaderships({
      clock: env.clock,
      timers: env.timers,
      proofMs: () => this.#proofMs(),
      probe: () => this.#probe(),
      isAlone: () => this.#isAlone(),
      giveUp: () => this.#giveUp(),
    });
  }

  opened(node: OpenedNode): void {
    this.#raft = node.raft;
    this.#next?.opened(node);
  }

  proposed(request: RequestId): void {
    this.#next?.proposed(request);
  }

  received(message: Message): void {
    countKind(this.meter.messagesReceived, message.kind);
    this.#next?.received(message);
  }

  stepped(raft: RawNode): void {
    const { role } = raft;
    this.leaderships.stepped(role === 'leader' ? raft.term : 0);
    if (role !== this.#role) this.#onRole(role);
    this.#next?.stepped(raft);
  }

  readAsked(readId: number): void {
    this.meter.readRounds += 1;
    this.leaderships.readAsked(readId);
    this.#next?.readAsked(readId);
  }

  readAnswered(read: ReadState): void {
    this.meter.readRoundsAnswered += 1;
    this.leaderships.readAnswered(read.readId, read.byLease);
    this.#next?.readAnswered(read);
  }

  writing(append: StorageAppend): void {
    const { meter } = this;
    meter.logWrites += 1;
    meter.logEntries += append.entries.length;
    for (const { data } of append.entries) meter.logDataBytes += data.length;
    const isBare = append.entries.length === 0 && !append.hardState && !append.snapshot;
    const last = this.#writes.at(-1);
    const nowMs = this.#clock.monotonicMs();
    if (isBare && last?.isBare) {
      last.times += 1;
      last.newestMs = nowMs;
    } else {
      this.#writes.push({ atMs: nowMs, newestMs: nowMs, isBare, times: 1 });
    }
    this.#next?.writing(append);
  }

  written(append: StorageAppend): void {
    const first = this.#writes[0];
    if (first !== undefined) {
      this.meter.logWriteMs.observe(this.#clock.monotonicMs() - first.atMs);
      first.times -= 1;
      first.atMs = first.newestMs;
      if (first.times === 0) this.#writes.shift();
    }
    this.#next?.written(append);
  }

  sent(message: PeerMessage): void {
    countKind(this.meter.messagesSent, message.kind);
    if (message.kind === 'timeout-now') this.leaderships.handedOver();
    this.#next?.sent(message);
  }

  configured(index: number, state: ConfState): void {
    this.#next?.configured(index, state);
  }

  applied(entries: readonly Entry[], results: readonly ApplyResult[]): void {
    const { meter } = this;
    meter.applyBatches += 1;
    meter.entriesApplied += entries.length;
    meter.applyMs.observe(this.#clock.monotonicMs() - this.#applyMs);
    this.leaderships.applied(entries.at(-1)?.term ?? 0);
    this.#next?.applied(entries, results);
  }

  installed(appliedIndex: number): void {
    this.#next?.installed(appliedIndex);
  }

  /** The state machine as its entries reach it: timed, and watched by who listens. */
  watched(machine: StateMachine): Pick<StateMachine, 'apply'> {
    const { env, memberId } = this.#parts;
    return {
      apply: (entries, isAwaited) => {
        this.#applyMs = this.#clock.monotonicMs();
        const channel = env.tracing?.apply;
        if (!channel?.hasSubscribers) return machine.apply(entries, isAwaited);
        const [first] = entries;
        const context = { memberId, index: first?.index, entries: entries.length };
        return channel.tracePromise(() => machine.apply(entries, isAwaited), context);
      },
    };
  }

  /** An install of a snapshot, watched by who listens. */
  installing(install: () => Promise<void>): Promise<void> {
    const { env, memberId } = this.#parts;
    return traced(env.tracing?.snapshot, install, { memberId, kind: 'install' });
  }

  /** An event of the node. What the logger throws is its owner's bug and must not stop the member. */
  reported<E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]): void {
    if (event === 'leader') this.meter.leaderChanges += 1;
    if (event === 'stall') this.#onStall(...(args as NodeEvents['stall']));
    if (event === 'snapshot') this.#onSnapshot(...(args as NodeEvents['snapshot']));
    this.#write((log) => log.reported(event, ...args));
  }

  /**
   * The node takes part no more.
   *
   * @param error - CLOSED, or why it stopped
   */
  close(error: KontikiError): void {
    this.leaderships.close(error);
    if (error.code === 'CLOSED') this.#write((log) => log.stopped());
  }

  #write(write: (log: NodeLog) => void): void {
    if (this.#log === undefined) return;
    try {
      write(this.#log);
    } catch (error) {
      this.#timers.soon(() => {
        throw error;
      });
    }
  }

  #onStall({ part, isOver }: NodeEvents['stall'][0]): void {
    if (!isOver || part === 'loop') countKind(this.meter.stalls, part);
  }

  #onSnapshot({ kind }: NodeEvents['snapshot'][0]): void {
    if (kind === 'sent') this.meter.snapshotsSent += 1;
    else if (kind === 'failed') this.meter.snapshotsFailed += 1;
    else this.meter.snapshotsInstalled += 1;
  }

  #onRole(role: Role): void {
    const wasAsking = this.#role === 'pre-candidate' || this.#role === 'candidate';
    this.#role = role;
    if (role === 'leader') this.meter.termsLed += 1;
    else if (role !== 'follower' && !wasAsking) this.meter.campaigns += 1;
  }

  #probe(): void {
    this.#parts.probe();
    this.#parts.wake();
  }

  /** What followers stand by, where there is room for it, be their timings others than this member's. */
  #proofMs(): number {
    const { electionTicks, tickMs } = this.#parts;
    const own = Math.max(leaseMsOf(tickMs, electionTicks), (electionTicks * tickMs) / 2);
    return Math.min(own, this.#raft?.leaseMs || own);
  }

  #isAlone(): boolean {
    return this.#raft !== undefined && isOnlyVoter(this.#raft.status());
  }

  #giveUp(): void {
    if (this.#raft === undefined) return;
    // There is nobody to take over any more, and only another term can begin.
    if (this.#isAlone()) {
      this.#raft.stepDown();
      this.#raft.campaign();
    } else giveUpLeadership(this.#raft);
    this.#parts.wake();
  }
}
