/** A caller who waits: until it is settled, its time is over, or its signal aborts. */
import type { Timer, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';

/** How long somebody waits. @since 0.1.0 */
export interface WaitLimits {
  readonly timeoutMs: number;
  /** What others before left of it; default all. */
  readonly leftMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @since 0.1.0 */
export class TimedWait {
  readonly #deferred = new Deferred<void>();
  readonly #timer: Timer;
  readonly #stopListening: (() => void) | undefined;
  readonly #onSettled: () => void;

  /**
   * @param expected - what is waited for, after "expected this member to", for the error
   * @param onSettled - called once, however it ends
   */
  constructor(
    timers: Timers,
    { timeoutMs, leftMs = timeoutMs, signal }: WaitLimits,
    parts: { readonly expected: string; readonly onSettled: () => void },
  ) {
    this.#onSettled = parts.onSettled;
    this.#timer = timers.after(leftMs, () => {
      const message = `store: expected this member to ${parts.expected} within ${timeoutMs} ms`;
      this.settle(kontikiError('TIMEOUT', message));
    });
    if (signal === undefined) return;
    // A signal of another make may have no reason, and without one the wait would count as over well.
    const abort = () => this.settle(signal.reason ?? kontikiError('ABORTED', 'store: aborted'));
    signal.addEventListener('abort', abort, { once: true });
    this.#stopListening = () => signal.removeEventListener('abort', abort);
  }

  /**
   * Refuses one more.
   *
   * @param waiting - how many there are
   * @throws {KontikiError} OVERLOADED; `signal.reason`
   */
  static check(waiting: number, { signal }: WaitLimits): void {
    signal?.throwIfAborted();
    if (waiting < limits.waitersMax) return;
    const message = `store: expected fewer than ${limits.waitersMax} reads waiting at once`;
    throw kontikiError('OVERLOADED', message);
  }

  /** Rejects with TIMEOUT, `signal.reason`, or what it was settled with. */
  get over(): Promise<void> {
    return this.#deferred.promise;
  }

  /** Ends the wait; the first time counts. */
  settle(error?: unknown): void {
    if (this.#deferred.settled) return;
    this.#timer.cancel();
    this.#stopListening?.();
    this.#onSettled();
    if (error === undefined) this.#deferred.resolve();
    else this.#deferred.reject(error);
  }
}
