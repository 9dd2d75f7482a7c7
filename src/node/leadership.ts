/**
 * Leadership for services that only need one leader. A member that leads may *act* as the leader from
 * when it has applied an entry of its own term, and until it cannot prove any more that it leads.
 *
 * The proof is a round of heartbeats that a quorum answered (thesis §6.4): it says that nobody else led
 * when the round was *asked* for. What a lease answers is none: its round was asked for earlier, and one
 * proof would be put on top of another, beyond what followers pledged. A proof lasts less than an
 * election timeout, for about as long as a lease would, and is renewed while somebody needs it. A leader
 * that is cut off, suspended or stalled so notices before its core does, which takes up to two election
 * timeouts. A term whose proof ran out is over for good; the member then hands it over, so that another
 * one can begin.
 */
import type { Clock, Timer, Timers } from '../base/clock.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { LeadershipStream } from './leadership-stream.js';

/** One leadership of this member. @since 0.1.0 */
export interface Leadership {
  /**
   * Grows with every leadership in the group. Hand it to whatever is changed from outside, and let that
   * refuse lower ones: a process can be stopped between a look at {@link lost} and the change.
   */
  readonly term: number;
  /**
   * Aborted when this member leads no more, or cannot prove that it does. To read it is to look at the
   * clock: a process that was stopped learns of it here before its timers run.
   */
  readonly lost: AbortSignal;
}

/** @since 0.1.0 */
export interface LeadershipsParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Milliseconds that a proof lasts. */
  readonly proofMs: () => number;
  /** Has a round of heartbeats asked for, lease or no lease, which {@link Leaderships.readAsked} is told. */
  readonly probe: () => void;
  /** Whether this member alone is the quorum. */
  readonly isAlone: () => boolean;
  /** Lets another member lead, if there is one. */
  readonly giveUp: () => void;
}

/** Rounds asked for while a proof lasts. */
const probesPerProof = 4;
/** Lengths of a proof between two attempts to hand over, each of which may hold up proposals. */
const giveUpPause = 4;

/** The leaderships of one node, for all who want to know. @since 0.1.0 */
export class Leaderships {
  readonly #parts: LeadershipsParts;
  readonly #streams = new Set<LeadershipStream>();
  /** Term in which this member leads, by its core; 0 when it does not. */
  #term = 0;
  /** An entry of that term is applied here. */
  #isReady = false;
  /** Somebody may act on it. */
  #current: { readonly leadership: Leadership; readonly controller: AbortController } | undefined;
  /** The newest term that anybody was to act in and is not any more. */
  #overTerm = 0;
  /** Until when nobody else can lead, by the own clock. */
  #provenUntilMs = 0;
  /** Until when the rounds would prove it that are not answered. */
  readonly #asked = new Map<number, number>();
  #timer: Timer | undefined;
  #end: { readonly error: KontikiError } | undefined;

  constructor(parts: LeadershipsParts) {
    this.#parts = parts;
  }

  /** A new iteration over the leaderships from here on, one that goes on included. */
  stream(): LeadershipStream {
    const stream = new LeadershipStream({
      current: () => this.#current?.leadership,
      forget: (ended) => this.#streams.delete(ended),
    });
    if (this.#end !== undefined) stream.end(this.#end.error);
    else this.#streams.add(stream);
    this.#watch();
    return stream;
  }

  /**
   * The core was given something.
   *
   * @param term - in which this member leads now; 0 when it does not
   */
  stepped(term: number): void {
    if (term === this.#term) return;
    this.#asked.clear();
    this.#term = term;
    this.#isReady = false;
    // Nothing of the term has left yet: who takes its first entry follows it later than now.
    if (term !== 0) this.#provenUntilMs = this.#newProofEndMs;
    this.#lose('node: this member does not lead the term any more');
    // It may be the long pause of a term that was given up.
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watch();
  }

  /** An entry of `term` was applied here. */
  applied(term: number): void {
    if (this.#isReady || term !== this.#term || term === 0) return;
    this.#isReady = true;
    this.#begin();
  }

  /** The core is about to be asked for a round of heartbeats, or for an answer from a lease. */
  readAsked(readId: number): void {
    if (this.#isWatched) this.#asked.set(readId, this.#newProofEndMs);
  }

  /**
   * It was confirmed that this member led when it was asked for.
   *
   * @param byLease - by a lease: no quorum was asked since
   */
  readAnswered(readId: number, byLease = false): void {
    const untilMs = this.#asked.get(readId);
    if (untilMs === undefined) return;
    this.#asked.delete(readId);
    if (byLease) return;
    // In between nobody knew: what comes late mends nothing.
    this.#loseUnproven();
    this.#provenUntilMs = Math.max(this.#provenUntilMs, untilMs);
    this.#begin();
  }

  /**
   * Another member is about to be told to take over, whatever the others have heard of this one. The
   * word may reach it late, so there is no way back in this term.
   */
  handedOver(): void {
    this.#overTerm = this.#term;
    this.#lose('node: this member hands its leadership over');
  }

  /**
   * Ends all iterations: with CLOSED quietly, else with an error.
   *
   * @param error - why the node stops
   */
  close(error: KontikiError): void {
    this.#end = { error };
    this.#lose(error.message, error);
    for (const stream of [...this.#streams]) stream.end(error);
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Whether anybody needs to know if this member leads. */
  get #isWatched(): boolean {
    if (this.#term === 0 || this.#end !== undefined) return false;
    return this.#current !== undefined || this.#streams.size > 0;
  }

  get #isProven(): boolean {
    return this.#parts.clock.monotonicMs() < this.#provenUntilMs;
  }

  /** Of a round that is asked for now: it keeps its length, whatever is set later. */
  get #newProofEndMs(): number {
    return this.#parts.clock.monotonicMs() + this.#parts.proofMs();
  }

  #begin(): void {
    const term = this.#term;
    const isDue = this.#isReady && this.#current === undefined && term > this.#overTerm;
    if (!isDue || this.#streams.size === 0 || !this.#isProven) return;
    const controller = new AbortController();
    const look = () => this.#loseUnproven();
    const leadership = {
      term,
      get lost(): AbortSignal {
        look();
        return controller.signal;
      },
    };
    this.#current = { leadership, controller };
    for (const stream of [...this.#streams]) stream.offer();
  }

  #loseUnproven(): void {
    if (this.#current === undefined || this.#isProven) return;
    if (this.#parts.isAlone()) this.#provenUntilMs = this.#newProofEndMs;
    else this.#lose('node: no quorum confirmed in time that this member still leads');
  }

  /** Ends the leadership that goes on, if there is one. */
  #lose(message: string, reason: unknown = kontikiError('LEADER_CHANGED', message)): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#overTerm = current.leadership.term;
    this.#current = undefined;
    current.controller.abort(reason);
  }

  /** Sees to it that there are proofs while they are needed. */
  #watch(): void {
    if (this.#isWatched) this.#timer ??= this.#parts.timers.after(0, this.#check);
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    if (!this.#isWatched) return;
    const { clock, giveUp, probe, timers } = this.#parts;
    const proofMs = this.#parts.proofMs();
    this.#loseUnproven();
    const isOver = this.#term === this.#overTerm;
    // Who waits would wait for as long as this member leads.
    if (isOver) giveUp();
    else probe();
    const nowMs = clock.monotonicMs();
    for (const [id, untilMs] of this.#asked) if (untilMs <= nowMs) this.#asked.delete(id);
    const leftMs = this.#provenUntilMs - nowMs;
    const pauseMs = isOver ? giveUpPause * proofMs : proofMs / probesPerProof;
    const isEnding = this.#current !== undefined && leftMs < pauseMs;
    this.#timer = timers.after(isEnding ? Math.max(leftMs, 0) : pauseMs, this.#check);
  };
}
