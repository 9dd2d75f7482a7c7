/**
 * Linearizable reads: before a read looks at local state, the member must have caught up with
 * everything acknowledged before the read began. All reads that come in one go share one such pass.
 *
 * A pass changes nothing, so a failed one is simply repeated until the reader's own time is over.
 */
import type { Timer, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import { TimedWait, type WaitLimits } from './timed-wait.js';

/** Pause before a pass that was refused at once is repeated. */
const retryMs = 20;
/** A pass that takes longer gets a second one beside it. */
const repeatMs = 1_000;

/** @since 0.1.0 */
export class ReadBarrier {
  readonly #timers: Timers;
  readonly #pass: () => Promise<unknown>;
  /** Those who came in this breath. */
  #waiting: Set<TimedWait> | undefined;
  /** Readers not settled. */
  #open = 0;

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

  #join(): Set<TimedWait> {
    if (this.#waiting === undefined) {
      this.#waiting = new Set();
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
      repeat.timer.cancel();
    }
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

  #pause(ms: number): { readonly over: Promise<void>; readonly timer: Timer } {
    const over = new Deferred<void>();
    const timer = this.#timers.after(ms, () => over.resolve());
    return { over: over.promise, timer };
  }
}

/** The error without an outcome: only writes have one, and a read is always repeatable. */
function ofRead(error: unknown): unknown {
  if (!isKontikiError(error)) return error;
  const { code, message, cause, outcome: _, ...fields } = error;
  return kontikiError(code, message, { ...fields, cause } as never);
}

/** Whether the next pass may fare better. */
function isPassing(error: unknown): boolean {
  const codes = ['LEADER_CHANGED', 'NO_LEADER', 'OVERLOADED', 'TIMEOUT'] as const;
  return codes.some((code) => isKontikiError(error, code));
}
