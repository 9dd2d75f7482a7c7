/**
 * The waiters: who opens one closes it, steps 2 and 12 of the walk of a put.
 *
 *     queued --handed to the core, or to the leader--> sent --applied here--> settled
 *
 * A queued proposal that fails was never seen by anyone: outcome `rejected`. A sent one names the
 * term it is meant for, and no leader of another term takes it. So once an entry of a later term is
 * applied here, a sent proposal that was not applied before never will be: `rejected` again. Only a
 * proposal that is given up before either happens is `unknown`.
 */
import type { Clock } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, type KontikiError, kontikiError, type Outcome } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { Deadlines } from './deadlines.js';
import type { NodeObserver } from './observer.js';
import type { ApplyResult } from './state-machine.js';

/** Name of a proposal, to be written into its command. @since 0.1.0 */
export interface ProposalId {
  readonly session: number;
  readonly seq: number;
  /** Every proposal of the session below this one is settled. */
  readonly doneBelow: number;
}

/** @since 0.1.0 */
export interface ProposeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Only this member may take it, and only while it leads this term; else `LEADER_CHANGED`, outcome
   * `rejected`. Default: whoever leads.
   */
  readonly ownTerm?: number | undefined;
}

/** Proposals sent together; a refusal is about all of them. */
interface SentBatch {
  readonly id: number;
  readonly seqs: readonly number[];
  open: number;
}

interface Waiter {
  readonly seq: number;
  /** Let go of once it is handed over. */
  command: Uint8Array;
  readonly deferred: Deferred<unknown>;
  readonly bucket: number;
  readonly stopListening: (() => void) | undefined;
  readonly ownTerm: number | undefined;
  /** Term the proposal was sent in; 0 while queued. */
  term: number;
  batch: SentBatch | undefined;
}

const handedOver = new Uint8Array(0);

/** @since 0.1.0 */
export class Proposals {
  readonly session: number;
  readonly #clock: Clock;
  readonly #observer: NodeObserver | undefined;
  readonly #deadlines: Deadlines<number>;
  readonly #waiters = new Map<number, Waiter>();
  readonly #batches = new Map<number, SentBatch>();
  /** Waiters not handed over yet, in order. A set, so that those that give up leave nothing. */
  readonly #queue = new Set<Waiter>();
  /** Those of the queue that only this member may take. */
  readonly #own = new Set<Waiter>();
  #queuedBytes = 0;
  #seq = 0;
  /** No waiter below it is open. Walked forward: the first key of a large map is slow to find. */
  #doneBelow = 1;
  /**
   * Name of the last batch. Counted from the session, which is random: the refusal of a batch that
   * this member sent in an earlier life may still be on its way.
   */
  #batchId: number;
  #appliedTerm = 0;
  #closed: KontikiError | undefined;

  /**
   * @param options.session - names this incarnation of the proposer
   * @param options.sweepMs - interval between calls of `sweep`
   * @param options.observer - told of every command
   */
  constructor(options: {
    readonly clock: Clock;
    readonly session: number;
    readonly sweepMs: number;
    readonly observer?: NodeObserver | undefined;
  }) {
    this.session = options.session;
    this.#batchId = options.session;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#deadlines = new Deadlines(options.sweepMs, options.clock.monotonicMs());
  }

  /** Proposals not settled yet. */
  get pending(): number {
    return this.#waiters.size;
  }

  /** Whether anything waits to be handed over. */
  get hasQueued(): boolean {
    return this.#queue.size > 0;
  }

  /**
   * Opens a waiter for one command.
   *
   * @param encode - gives the command's bytes, with the id written into it
   * @returns what the state machine answered when it applied the command on this member
   * @throws {KontikiError} ARGUMENT_INVALID, OVERLOADED, CLOSED, at once; NO_LEADER, TIMEOUT, ABORTED,
   *   LEADER_CHANGED and what the state machine answers; `signal.reason`
   */
  open(encode: (id: ProposalId) => Uint8Array, options: ProposeOptions): Promise<unknown> {
    options.signal?.throwIfAborted();
    if (this.#closed !== undefined) throw withOutcome(this.#closed, 'rejected');
    if (!(options.timeoutMs > 0)) {
      const message = `node: expected timeoutMs to be above 0, got ${options.timeoutMs}`;
      throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
    }
    if (this.#waiters.size >= limits.waitersMax) {
      const message = `node: expected fewer than ${limits.waitersMax} calls waiting at once`;
      throw kontikiError('OVERLOADED', message, { outcome: 'rejected' });
    }
    const seq = this.#seq + 1;
    while (this.#doneBelow < seq && !this.#waiters.has(this.#doneBelow)) this.#doneBelow += 1;
    const id = { session: this.session, seq, doneBelow: this.#doneBelow };
    this.#observer?.proposed(id);
    const command = encode(id);
    this.#checkRoom(command);
    this.#seq = seq;
    const deferred = new Deferred<unknown>();
    const deadlineMs = this.#clock.monotonicMs() + options.timeoutMs;
    const bucket = this.#deadlines.add(seq, deadlineMs);
    const stopListening = options.signal && this.#onAbort(options.signal, seq);
    const { ownTerm } = options;
    const sending = { ownTerm, term: 0, batch: undefined };
    const waiter: Waiter = { seq, command, deferred, bucket, stopListening, ...sending };
    this.#waiters.set(seq, waiter);
    this.#queue.add(waiter);
    if (ownTerm !== undefined) this.#own.add(waiter);
    this.#queuedBytes += command.length;
    return deferred.promise;
  }

  /** Without a leader nothing is handed over, and what waits is bounded in bytes too. */
  #checkRoom(command: Uint8Array): void {
    const bytes = this.#queuedBytes + command.length;
    if (this.#queue.size === 0 || bytes <= limits.queuedBytesMax) return;
    const message = `node: expected at most ${limits.queuedBytesMax} bytes waiting, got ${bytes}`;
    throw kontikiError('OVERLOADED', message, { outcome: 'rejected' });
  }

  #onAbort(signal: AbortSignal, seq: number): () => void {
    const abort = () => {
      const waiter = this.#waiters.get(seq);
      if (waiter === undefined) return;
      if (waiter.term === 0) this.#settle(waiter, (w) => w.deferred.reject(signal.reason));
      else this.#fail(waiter, this.#givenUp('ABORTED', 'was aborted', signal.reason));
    };
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  }

  /**
   * Hands over what is queued, up to `bytesMax` but at least one; the waiters count as sent in
   * `term`.
   */
  take(term: number, bytesMax: number): { readonly id: number; readonly commands: Uint8Array[] } {
    const commands: Uint8Array[] = [];
    const seqs: number[] = [];
    const batch = { id: this.#nextBatchId(), seqs, open: 0 };
    let bytes = 0;
    for (const waiter of this.#queue) {
      bytes += waiter.command.length;
      if (commands.length > 0 && bytes > bytesMax) break;
      this.#leaveQueue(waiter);
      waiter.term = term;
      waiter.batch = batch;
      commands.push(waiter.command);
      seqs.push(waiter.seq);
      waiter.command = handedOver;
    }
    batch.open = seqs.length;
    if (batch.open > 0) this.#batches.set(batch.id, batch);
    return { id: batch.id, commands };
  }

  /**
   * Refuses what only the leader of another term may take; to be called before anything is handed
   * over.
   *
   * @param leadTerm - term in which this member leads; 0 when it does not
   */
  refuseForeign(leadTerm: number): void {
    for (const waiter of this.#own) {
      if (waiter.ownTerm === leadTerm) continue;
      const message = `node: this member does not lead term ${waiter.ownTerm}`;
      this.#fail(waiter, kontikiError('LEADER_CHANGED', message, { outcome: 'rejected' }));
    }
  }

  #leaveQueue(waiter: Waiter): void {
    if (waiter.ownTerm !== undefined) this.#own.delete(waiter);
    if (this.#queue.delete(waiter)) this.#queuedBytes -= waiter.command.length;
  }

  #nextBatchId(): number {
    this.#batchId = this.#batchId === Number.MAX_SAFE_INTEGER ? 1 : this.#batchId + 1;
    return this.#batchId;
  }

  /** The batch was not taken and never will be. */
  refuse(id: number, error: KontikiError): void {
    for (const seq of this.#batches.get(id)?.seqs ?? []) {
      const waiter = this.#waiters.get(seq);
      if (waiter !== undefined) this.#fail(waiter, withOutcome(error, 'rejected'));
    }
  }

  /** An entry was applied here; settles its waiter if it is one of ours. */
  applied(result: ApplyResult): void {
    if (result.requestId?.session !== this.session) return;
    const waiter = this.#waiters.get(result.requestId.seq);
    if (waiter === undefined) return;
    const { value } = result;
    if (isKontikiError(value)) this.#fail(waiter, withOutcome(value, 'rejected'));
    else this.#settle(waiter, (w) => w.deferred.resolve(value));
  }

  /** Entries of `term` are being applied: nothing sent in an earlier one can still be. */
  termApplied(term: number): void {
    if (term <= this.#appliedTerm) return;
    this.#appliedTerm = term;
    for (const waiter of this.#waiters.values()) {
      if (waiter.term === 0 || waiter.term >= term) continue;
      const message = `node: the leader of term ${waiter.term} was replaced before it took the write`;
      this.#fail(waiter, kontikiError('LEADER_CHANGED', message, { outcome: 'rejected' }));
    }
  }

  /** What was handed over and is not settled: a snapshot that came by now may carry any of it. */
  get sent(): readonly number[] {
    const seqs: number[] = [];
    for (const { seq, term } of this.#waiters.values()) if (term !== 0) seqs.push(seq);
    return seqs;
  }

  /**
   * A snapshot took the place of entries that this member never applied.
   *
   * @param seqs - from {@link sent}, when the snapshot came
   */
  overtaken(seqs: readonly number[]): void {
    const message = 'node: a snapshot took the place of the entries that may have held the write';
    for (const seq of seqs) {
      const waiter = this.#waiters.get(seq);
      if (waiter !== undefined) {
        this.#fail(waiter, kontikiError('OVERTAKEN', message, { outcome: 'unknown' }));
      }
    }
  }

  /** Ends the calls whose time is over. */
  sweep(): void {
    for (const seq of this.#deadlines.sweep(this.#clock.monotonicMs())) {
      const waiter = this.#waiters.get(seq);
      if (waiter === undefined) continue;
      if (waiter.term !== 0) {
        this.#fail(waiter, this.#givenUp('TIMEOUT', 'was not applied in time'));
      } else {
        const message = 'node: expected a leader within the timeout, none was known';
        this.#fail(waiter, kontikiError('NO_LEADER', message, { outcome: 'rejected' }));
      }
    }
  }

  #givenUp(code: 'ABORTED' | 'TIMEOUT', what: string, cause?: unknown): KontikiError {
    const message = `node: the proposal ${what}; it may still take effect`;
    return kontikiError(code, message, { outcome: 'unknown', cause });
  }

  /** Settles everything, and every later `open`, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    for (const waiter of this.#waiters.values()) {
      this.#fail(waiter, withOutcome(error, waiter.term === 0 ? 'rejected' : 'unknown'));
    }
  }

  #fail(waiter: Waiter, error: KontikiError): void {
    this.#settle(waiter, (w) => w.deferred.reject(error));
  }

  #settle(waiter: Waiter, how: (waiter: Waiter) => void): void {
    this.#waiters.delete(waiter.seq);
    if (waiter.term === 0) this.#leaveQueue(waiter);
    this.#deadlines.remove(waiter.seq, waiter.bucket);
    waiter.stopListening?.();
    const { batch } = waiter;
    if (batch !== undefined) {
      batch.open -= 1;
      if (batch.open === 0) this.#batches.delete(batch.id);
    }
    how(waiter);
  }
}

/** The same error, with what became of this one write. */
function withOutcome(error: KontikiError, outcome: Outcome): KontikiError {
  const { code, message, cause, ...fields } = error;
  return kontikiError(code, message, { ...fields, cause, outcome } as never);
}
