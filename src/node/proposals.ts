/**
 * The waiters: who opens one closes it, steps 2 and 12 of the walk of a put.
 *
 *     queued --handed to the core, or to the leader--> sent --applied here--> settled
 *        ^                                               |
 *        '------------ not taken, or maybe lost ---------'
 *
 * A queued proposal that fails was never seen by anyone: outcome `rejected`. A sent one names the
 * term it is meant for, and no leader of another term takes it. So once an entry of a later term is
 * applied here, a sent proposal that was not applied before never will be: that copy is dead.
 *
 * Where the state machine keeps sessions (DESIGN §4.8), a proposal is handed over again until its time
 * is over: at once when its copy is dead or was refused, and when a copy may be lost. It is applied
 * once however many copies arrive, and settled by the first that is applied here. Only one that is
 * given up while a copy may still take effect is `unknown`. Without sessions a proposal is sent once.
 */
import type { Clock } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import {
  isErrorOf,
  isKontikiError,
  type KontikiError,
  kontikiError,
  withOutcome,
} from '../base/errors.js';
import { limits } from '../base/limits.js';
import { sessionIdEnd } from '../base/session-id.js';
import type { MemberId } from '../raft/types.js';
import { Deadlines } from './deadlines.js';
import type { NodeMeter } from './metrics.js';
import type { NodeObserver } from './observer.js';
import { ProposalQueue } from './proposal-queue.js';
import type { ProposalsOptions } from './proposals-options.js';
import { type Room, SentBatches } from './sent-batches.js';
import type { ApplyResult, RequestId, SessionProtocol } from './state-machine.js';
import type { ProposalId, ProposeOptions, SentBatch, Waiter } from './waiter.js';
import { isUnsent } from './waiter.js';

const handedOver = new Uint8Array(0);
/** As long as any: what has room among those that wait has it under its session, too. */
const noSession = sessionIdEnd - 1;
/** A session is asked for again when there is no answer; the one that may come later does no harm. */
const openTimeoutMs = 5_000;

/** @since 0.1.0 */
export class Proposals {
  readonly session: number;
  readonly #clock: Clock;
  readonly #observer: NodeObserver | undefined;
  readonly #meter: NodeMeter | undefined;
  readonly #sessions: SessionProtocol | undefined;
  readonly #resendMs: number;
  readonly #deadlines: Deadlines<number>;
  readonly #waiters = new Map<number, Waiter>();
  readonly #batches: SentBatches;
  readonly #queue = new ProposalQueue();
  /** Of commands that are held here. */
  #heldBytes = 0;
  /** The session of this process, once it has one. */
  #session: number | undefined;
  #opening: Waiter | undefined;
  #seq = 0;
  /** No waiter below it is open. Walked forward: the first key of a large map is slow to find. */
  #doneBelow = 1;
  #appliedTerm = 0;
  #closed: KontikiError | undefined;

  constructor(options: ProposalsOptions) {
    this.session = options.session;
    // Named from the session on, which is random: a refusal of an earlier life may still be on its way.
    this.#batches = new SentBatches(options.session, options.resendMs);
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#meter = options.meter;
    this.#sessions = options.sessions;
    this.#resendMs = options.resendMs;
    this.#deadlines = new Deadlines(options.sweepMs, options.clock.monotonicMs());
  }

  /** Proposals not settled yet. */
  get pending(): number {
    return this.#waiters.size;
  }

  /** Whether anything waits to be handed over. */
  get hasQueued(): boolean {
    return this.#queue.size > 0 || (this.#queue.hasParked && this.#opening === undefined);
  }

  /**
   * Opens a waiter for one command.
   *
   * @param encode - gives the command's bytes, with the id written into it; called again when the
   *   command has to be sent under another session
   * @returns what the state machine answered when it applied the command on this member
   * @throws {KontikiError} ARGUMENT_INVALID, OVERLOADED, CLOSED, at once; NO_LEADER, TIMEOUT, ABORTED,
   *   SESSION_EXPIRED and what the state machine answers; without sessions also LEADER_CHANGED,
   *   OVERTAKEN; `signal.reason`
   */
  open(encode: (id: ProposalId) => Uint8Array, options: ProposeOptions): Promise<unknown> {
    options.signal?.throwIfAborted();
    if (this.#closed !== undefined) throw withOutcome(this.#closed, 'rejected');
    if (!(options.timeoutMs > 0)) {
      const message = `node: expected timeoutMs to be above 0, got ${options.timeoutMs}`;
      throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
    }
    if (this.#waiters.size >= limits.waitersMax) {
      throw this.#overloaded(`expected fewer than ${limits.waitersMax} calls waiting at once`);
    }
    const deferred = new Deferred<unknown>();
    const isRepeated = this.#sessions !== undefined && options.ownTerm === undefined;
    const waiter = this.#add(encode, options, deferred, { isRepeated });
    if (isRepeated && this.#session === undefined) this.#queue.park(waiter);
    else this.#queue.add(waiter);
    return deferred.promise;
  }

  #add(
    encode: (id: ProposalId) => Uint8Array,
    options: ProposeOptions,
    end: Waiter['end'],
    { isRepeated = false, isOpening = false },
  ): Waiter {
    const { ownTerm, signal, timeoutMs } = options;
    const seq = this.#seq + 1;
    const session = isRepeated ? (this.#session ?? noSession) : this.session;
    const command = encode({ session, seq, doneBelow: this.#lowestOpen(seq) });
    if (!isOpening) this.#checkRoom(command);
    // By the name that it keeps under whatever session it is sent.
    this.#observer?.proposed({ session: this.session, seq });
    this.#seq = seq;
    const openedMs = this.#clock.monotonicMs();
    const bucket = this.#deadlines.add(seq, openedMs + timeoutMs);
    const stopListening = signal && this.#onAbort(signal, seq);
    const waiter: Waiter = {
      seq,
      end,
      bucket,
      openedMs,
      stopListening,
      ownTerm,
      encode: isRepeated ? encode : undefined,
      session,
      command,
      term: 0,
      batch: undefined,
      doubt: 0,
      copies: 0,
    };
    this.#waiters.set(seq, waiter);
    this.#heldBytes += command.length;
    return waiter;
  }

  #lowestOpen(seq: number): number {
    while (this.#doneBelow < seq && !this.#waiters.has(this.#doneBelow)) this.#doneBelow += 1;
    return this.#doneBelow;
  }

  /** Without a leader nothing is settled: bounded too is what waits, but for what opens its session. */
  #checkRoom(command: Uint8Array): void {
    const bytes = this.#heldBytes + command.length;
    if (this.#heldBytes === 0 || bytes <= limits.queuedBytesMax) return;
    throw this.#overloaded(`expected at most ${limits.queuedBytesMax} bytes waiting, got ${bytes}`);
  }

  #overloaded(message: string): KontikiError {
    if (this.#meter !== undefined) this.#meter.proposalsOverloaded += 1;
    return kontikiError('OVERLOADED', `node: ${message}`, { outcome: 'rejected' });
  }

  #onAbort(signal: AbortSignal, seq: number): () => void {
    const abort = () => {
      const waiter = this.#waiters.get(seq);
      if (waiter === undefined) return;
      if (isUnsent(waiter)) this.#fail(waiter, signal.reason);
      else this.#giveUp(waiter, 'ABORTED', { what: 'was aborted', cause: signal.reason });
    };
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  }

  /**
   * Hands over what is queued, up to `bytesMax` but at least one, if any may go; the waiters count as
   * sent in `term`. To another member none goes that is more than may be on its way there, unless alone.
   *
   * @param to - the member that leads; 0 when it is this one
   */
  take(
    term: number,
    bytesMax: number,
    to: MemberId = 0,
  ): { readonly id: number; readonly commands: Uint8Array[] } {
    if (this.#queue.hasParked && this.#opening === undefined) this.#openSession();
    const waiters = this.#next(bytesMax, this.#batches.roomTo(to));
    if (waiters.length === 0) return { id: 0, commands: [] };
    const seqs: number[] = [];
    const id = this.#batches.nextId();
    const passedMs = this.#clock.monotonicMs() + this.#resendMs;
    const batch: SentBatch = { id, to, seqs, bytes: 0, passedMs, dueMs: 0, open: waiters.length };
    const commands: Uint8Array[] = [];
    let copies = 0;
    for (const waiter of waiters) {
      this.#queue.delete(waiter);
      waiter.term = term;
      waiter.batch = batch;
      waiter.copies += 1;
      copies = Math.max(copies, waiter.copies);
      commands.push(waiter.command);
      seqs.push(waiter.seq);
      if (to !== 0) batch.bytes += waiter.command.length;
      if (this.#isSentOnce(waiter)) this.#letGo(waiter);
    }
    batch.dueMs = passedMs + this.#resendMs * (2 ** (copies - 1) - 1);
    this.#batches.add(batch);
    return { id, commands };
  }

  /** Those that go next, under the session that they are to have. */
  #next(bytesMax: number, room: Room): Waiter[] {
    const next: Waiter[] = [];
    const end = this.#lowestOpen(this.#seq) + limits.sessionAnswersMax;
    let bytes = 0;
    for (const list of this.#queue.lists) {
      for (const waiter of list) {
        const { encode, seq } = waiter;
        // Its answer could push out one that somebody still waits for, who may be in the other list.
        if (encode !== undefined && seq >= end) break;
        // While a copy may be taken, only its own session can tell whether another one was.
        if (encode !== undefined && waiter.doubt === 0 && waiter.session !== this.#session) {
          if (this.#session === undefined) {
            this.#queue.park(waiter);
            continue;
          }
          this.#rename(waiter, encode, this.#session);
        }
        bytes += waiter.command.length;
        const isFirst = next.length === 0;
        if (bytes > (isFirst ? room.ofFirst : Math.min(bytesMax, room.ofAll))) return next;
        next.push(waiter);
      }
      // What was sent before may wait long for its next copy: the others go in batches of their own.
      if (next.length > 0) break;
    }
    return next;
  }

  #rename(waiter: Waiter, encode: (id: ProposalId) => Uint8Array, session: number): void {
    waiter.session = session;
    const { seq } = waiter;
    const command = encode({ session, seq, doneBelow: this.#lowestOpen(seq) });
    this.#heldBytes += command.length - waiter.command.length;
    waiter.command = command;
  }

  /** One commit for all that wait for it, ahead of all writes: some have to wait for those. */
  #openSession(): void {
    const sessions = this.#sessions as SessionProtocol;
    const resolve = (value: unknown): void => {
      this.#opening = undefined;
      this.#session = sessions.idOf(value);
      this.#queue.unpark();
    };
    const reject = (error: unknown): void => {
      this.#opening = undefined;
      // A leader that takes no session takes none of the writes that need one.
      if (isErrorOf(error, ['NO_SPACE', 'OVERLOADED'])) this.#refuseParked(error);
    };
    const encode = (id: ProposalId) => sessions.open(id);
    const options = { timeoutMs: openTimeoutMs };
    this.#opening = this.#add(encode, options, { resolve, reject }, { isOpening: true });
    this.#queue.addAgain(this.#opening);
  }

  #refuseParked(error: KontikiError): void {
    for (const waiter of [...this.#queue.parked]) {
      if (waiter.doubt === 0) this.#fail(waiter, withOutcome(error, 'rejected'));
    }
  }

  /**
   * Refuses what only the leader of another term may take; to be called before anything is handed
   * over.
   *
   * @param leadTerm - term in which this member leads; 0 when it does not
   */
  refuseForeign(leadTerm: number): void {
    for (const waiter of this.#queue.own) {
      if (waiter.ownTerm === leadTerm) continue;
      const message = `node: this member does not lead term ${waiter.ownTerm}`;
      this.#fail(waiter, kontikiError('LEADER_CHANGED', message, { outcome: 'rejected' }));
    }
  }

  /** A session may be opened twice: the first one is taken, and the other one does no harm. */
  #isSentOnce(waiter: Waiter): boolean {
    return waiter.encode === undefined && waiter !== this.#opening;
  }

  #letGo(waiter: Waiter): void {
    this.#heldBytes -= waiter.command.length;
    waiter.command = handedOver;
  }

  #leaveBatch(waiter: Waiter, isGivenUp = false): void {
    const { batch } = waiter;
    if (batch === undefined) return;
    waiter.batch = undefined;
    this.#batches.left(batch);
    if (!isGivenUp) this.#batches.arrived(batch);
  }

  /**
   * The batch was not taken and never will be.
   *
   * @returns whether some of it is to be handed over again, for which it is better to wait a little
   */
  refuse(id: number, error: KontikiError): boolean {
    const again: Waiter[] = [];
    const batch = this.#batches.get(id);
    if (batch !== undefined) this.#batches.arrived(batch);
    for (const waiter of this.#openOf(batch)) {
      // Refused for now, or only this copy: another one may still be taken.
      const isPassing = isKontikiError(error, 'LEADER_CHANGED') || waiter.doubt > 0;
      if (waiter.encode !== undefined && isPassing) again.push(waiter);
      else this.#fail(waiter, withOutcome(error, 'rejected'));
    }
    this.#queueAgain(again, 'dead');
    return again.length > 0 || this.#queue.hasParked;
  }

  #openOf(batch: SentBatch | undefined): Waiter[] {
    const waiters: Waiter[] = [];
    for (const seq of batch?.seqs ?? []) {
      const waiter = this.#waiters.get(seq);
      if (waiter?.batch === batch && waiter !== undefined) waiters.push(waiter);
    }
    return waiters;
  }

  /** @param copy - what the last one can still do */
  #queueAgain(waiters: readonly Waiter[], copy: 'dead' | 'in doubt'): void {
    for (const waiter of waiters) {
      if (copy === 'in doubt') waiter.doubt = Math.max(waiter.doubt, waiter.term);
      waiter.term = 0;
      this.#leaveBatch(waiter);
      this.#queue.addAgain(waiter);
    }
  }

  /** Whether a waiter is open for what an entry names. */
  isAwaited({ session, seq }: RequestId): boolean {
    return this.#waiters.get(seq)?.session === session;
  }

  /** An entry was applied here; settles its waiter if it is one of ours. */
  applied({ requestId, value }: ApplyResult): void {
    if (requestId === undefined) return;
    const waiter = this.#waiters.get(requestId.seq);
    if (waiter === undefined || waiter.session !== requestId.session) return;
    if (isKontikiError(value, 'SESSION_EXPIRED')) this.#expired(waiter, value);
    else if (isKontikiError(value)) this.#fail(waiter, withOutcome(value, 'rejected'));
    else {
      this.#settle(waiter);
      waiter.end.resolve(value);
    }
  }

  /**
   * A copy was refused because its session does not know any more whether there was another. This
   * member does: it would have settled the waiter, unless a snapshot hid it. And no other copy of
   * that session will be taken.
   */
  #expired(waiter: Waiter, error: KontikiError): void {
    if (this.#session === waiter.session) this.#session = undefined;
    if (waiter.encode === undefined || waiter.doubt === Infinity) {
      this.#fail(waiter, withOutcome(error, 'unknown'));
      return;
    }
    this.#queue.delete(waiter);
    this.#queueAgain([waiter], 'dead');
    waiter.doubt = 0;
  }

  /** Entries of `term` are being applied: nothing sent in an earlier one can still be. */
  termApplied(term: number): void {
    if (term <= this.#appliedTerm) return;
    this.#appliedTerm = term;
    const again: Waiter[] = [];
    for (const waiter of this.#waiters.values()) {
      if (waiter.doubt < term) waiter.doubt = 0;
      if (waiter.term === 0 || waiter.term >= term) continue;
      if (waiter.encode !== undefined) {
        again.push(waiter);
        continue;
      }
      const message = `node: the leader of term ${waiter.term} was replaced before it took the write`;
      this.#fail(waiter, kontikiError('LEADER_CHANGED', message, { outcome: 'rejected' }));
    }
    this.#queueAgain(again, 'dead');
  }

  /** The connection to a member fell: what was on it may be lost. */
  linkLost(to: MemberId): void {
    for (const batch of this.#batches.all) if (batch.to === to) this.#sendAgain(batch);
  }

  #sendAgain(batch: SentBatch): void {
    this.#batches.arrived(batch);
    const again = this.#openOf(batch).filter((waiter) => !this.#isSentOnce(waiter));
    this.#queueAgain(again, 'in doubt');
  }

  /** What was handed over and is not settled: a snapshot that came by now may carry any of it. */
  get sent(): readonly number[] {
    const seqs: number[] = [];
    for (const waiter of this.#waiters.values()) if (!isUnsent(waiter)) seqs.push(waiter.seq);
    return seqs;
  }

  /**
   * A snapshot took the place of entries that this member never applied.
   *
   * @param seqs - from {@link sent}, when the snapshot came
   */
  overtaken(seqs: readonly number[]): void {
    const message = 'node: a snapshot took the place of the entries that may have held the write';
    const again: Waiter[] = [];
    for (const seq of seqs) {
      const waiter = this.#waiters.get(seq);
      if (waiter === undefined) continue;
      if (waiter.encode === undefined) {
        this.#fail(waiter, kontikiError('OVERTAKEN', message, { outcome: 'unknown' }));
        continue;
      }
      if (waiter.term !== 0) again.push(waiter);
      waiter.doubt = Infinity;
    }
    // Its session tells: it is in the snapshot.
    this.#queueAgain(again, 'in doubt');
  }

  /** Ends the calls whose time is over, and takes for lost what was forwarded long ago. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const seq of this.#deadlines.sweep(nowMs)) {
      const waiter = this.#waiters.get(seq);
      if (waiter === undefined) continue;
      if (!isUnsent(waiter)) {
        this.#giveUp(waiter, 'TIMEOUT', { what: 'was not applied in time' });
      } else {
        const message = 'node: expected a leader that takes the proposal within the timeout';
        this.#fail(waiter, kontikiError('NO_LEADER', message, { outcome: 'rejected' }));
      }
    }
    for (const batch of this.#batches.all) {
      if (batch.passedMs <= nowMs) this.#batches.arrived(batch);
      // What went to this member's own log can not be lost without a later term.
      if (batch.to !== 0 && batch.dueMs <= nowMs) this.#sendAgain(batch);
    }
  }

  #giveUp(
    waiter: Waiter,
    code: 'ABORTED' | 'TIMEOUT',
    { what, cause }: { readonly what: string; readonly cause?: unknown },
  ): void {
    const message = `node: the proposal ${what}; it may still take effect`;
    this.#leaveBatch(waiter, true);
    this.#fail(waiter, kontikiError(code, message, { outcome: 'unknown', cause }));
  }

  /** Settles everything, and every later `open`, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    for (const waiter of this.#waiters.values()) {
      this.#fail(waiter, withOutcome(error, isUnsent(waiter) ? 'rejected' : 'unknown'));
    }
  }

  #fail(waiter: Waiter, error: unknown): void {
    this.#meter?.failed((error as Partial<KontikiError> | undefined)?.outcome);
    this.#settle(waiter);
    waiter.end.reject(error);
  }

  #settle(waiter: Waiter): void {
    this.#waiters.delete(waiter.seq);
    this.#meter?.proposalMs.observe(this.#clock.monotonicMs() - waiter.openedMs);
    if (waiter.term === 0) this.#queue.delete(waiter);
    this.#letGo(waiter);
    this.#deadlines.remove(waiter.seq, waiter.bucket);
    waiter.stopListening?.();
    this.#leaveBatch(waiter);
  }
}
