/**
 * Linearizable reads: before a read looks at local state, the member must have caught up with
 * everything acknowledged before the read began. All reads that come in one go share one such pass.
 *
 * A pass changes nothing, so a failed one is simply repeated until the reader's own time is over.
 */
import type { Timer, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, isPassing, type KontikiError, kontikiError } from '../base/errors.js';
import { TimedWait, type WaitLimits } from './timed-wait.js';

/** Pause before a pass that was refused at once is repeated. */
const retryMs = 20;
/** A pass that takes longer gets a second one beside it. */
const repeatMs = 1_000;

interface Pause {
  readonly over: Promise<void>;
  readonly end: () => void;
  readonly timer: Timer;
}

/** @since 0.1.0 */
export class ReadBarrier {
  readonly #timers: Timers;
  readonly #pass: () => Promise<unknown>;
  /** Those who came in this breath. */
  #waiting: Set<TimedWait> | undefined;
  /** Of each pass those who are not settled, the ones who still come along included. */
  readonly #groups = new Set<Set<TimedWait>>();
  /** Readers not settled. */
  #open = 0;
  readonly #pauses = new Set<Pause>();
  #closed: KontikiError | undefined;

  /**
   * @param pass - resolves when this member has caught up with what was acknowledged before the
   *   call; rejects when that will not become known
   */
  constructor(timers: Timers, pass: () => Promise<unknown>) {
    this.#timers = timers;
    this.#pass = pass;
  }

  /**
   * Resolves once local state includes everything acknowledged, on any member, before this call.
   *
   * @throws {KontikiError} OVERLOADED, TIMEOUT, CLOSED, or what made the member stop;
   *   `signal.reason`
   */
  wait(options: WaitLimits): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    TimedWait.check(this.#open, options);
    const group = this.#join();
    const reader: TimedWait = new TimedWait(this.#timers, options, {
      expected: 'catch up with a quorum',
      onSettled: () => {
        this.#open -= 1;
        // It takes no part in further passes.
        group.delete(reader);
      },
    });
    group.add(reader);
    this.#open += 1;
    return reader.over;
  }

  /** Ends all who wait, between two passes as well, and all later ones: nobody outlives the store. */
  close(error: KontikiError): void {
    this.#closed ??= ofRead(error) as KontikiError;
    for (const readers of this.#groups) for (const reader of readers) reader.settle(this.#closed);
    for (const pause of [...this.#pauses]) this.#end(pause);
  }

  #join(): Set<TimedWait> {
    if (this.#waiting === undefined) {
      this.#waiting = new Set();
      this.#groups.add(this.#waiting);
      void this.#start(this.#waiting);
    }
    return this.#waiting;
  }

  /** Passes for these readers, all of whom came before the first began, until they are settled. */
  async #start(readers: Set<TimedWait>): Promise<void> {
    // Who reads in the same breath comes along.
    await Promise.resolve();
    this.#waiting = undefined;
    while (readers.size > 0) {
      // A pass may be lost on its way, so another follows; the one under way still counts when it
      // comes: a member that lags by seconds would otherwise start anew for ever.
      const repeat = this.#pause(repeatMs);
      await Promise.race([this.#attempt(readers), repeat.over]);
      this.#end(repeat);
    }
    this.#groups.delete(readers);
  }

  /** One pass. Never rejects. */
  async #attempt(readers: ReadonlySet<TimedWait>): Promise<void> {
    try {
      await this.#pass();
      for (const reader of readers) reader.settle();
    } catch (error) {
      if (isPassing(error)) return this.#pause(retryMs).over;
      for (const reader of readers) reader.settle(ofRead(error));
    }
  }

  #pause(ms: number): Pause {
    const over = new Deferred<void>();
    const timer = this.#timers.after(ms, () => this.#end(pause));
    const pause: Pause = { over: over.promise, end: () => over.resolve(), timer };
    this.#pauses.add(pause);
    return pause;
  }

  #end(pause: Pause): void {
    this.#pauses.delete(pause);
    pause.timer.cancel();
    pause.end();
  }
}

/** The error without an outcome: only writes have one, and a read is always repeatable. */
function ofRead(error: unknown): unknown {
  if (!isKontikiError(error)) return error;
  const { code, message, cause, outcome: _, ...fields } = error;
  return kontikiError(code, message, { ...fields, cause } as never);
}
