/**
 * The time of one call: whatever it waits for, one after the other, is within it together.
 *
 *     call ----- barrier ----- slice - slice - slice ... |  TIMEOUT
 *          <----------------- timeoutMs ---------------->
 *
 * What is given up is left to end by itself: nobody can call back a read that the disk has.
 */
import type { Clock, Timers } from '../base/clock.js';
import { kontikiError } from '../base/errors.js';
import type { CallOptions } from './kv-client.js';
import { TimedWait, type WaitLimits } from './timed-wait.js';

/** @since 0.1.0 */
export interface CallTimeParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Of calls that do not say how many milliseconds they have. */
  readonly timeoutMs: number;
}

/**
 * Made in the first line of a call. It runs from the first time that anything is waited for, which is in
 * the same turn: a call that never waits asks no clock, and sets no timer.
 *
 * @since 0.1.0
 */
export class CallTime {
  readonly #parts: CallTimeParts;
  readonly #timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  #endMs: number | undefined;
  /** From the first {@link of} until {@link end}. */
  #wait: TimedWait | undefined;
  /** Why time is over, once it is. */
  #over: { readonly error: unknown } | undefined;
  /** Of what is waited for. */
  #reject: ((error: unknown) => void) | undefined;

  /** @param options - of the call, checked */
  constructor(parts: CallTimeParts, { timeoutMs, signal }: CallOptions) {
    this.#parts = parts;
    this.#timeoutMs = timeoutMs ?? parts.timeoutMs;
    this.signal = signal;
  }

  /** What is left, for somebody who looks after it as a {@link TimedWait} does. */
  get left(): WaitLimits {
    const timeoutMs = this.#timeoutMs;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#endMs ??= nowMs + timeoutMs;
    return { timeoutMs, leftMs: Math.max(0, this.#endMs - nowMs), signal: this.signal };
  }

  /**
   * @throws {KontikiError} TIMEOUT, once {@link of} said so; `signal.reason`
   */
  check(): void {
    if (this.#over !== undefined) throw this.#over.error;
  }

  /**
   * As `work`, unless time is over before. One at a time.
   *
   * @returns rejects with TIMEOUT, `signal.reason`, and what `work` rejects with
   */
  of<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // Also for one that nobody waits for any more: its rejection is none of the process's.
      work.then(resolve, reject);
      this.#reject = reject;
      this.#wait ??= this.#begin();
      if (this.#over !== undefined) reject(this.#over.error);
    });
  }

  /** The call is over: no timer and no listener is left of it. Idempotent. */
  end(): void {
    this.#wait?.settle();
    this.#reject = undefined;
  }

  #begin(): TimedWait {
    const { signal } = this;
    const parts = { expected: 'read its state', onSettled: () => undefined };
    const wait = new TimedWait(this.#parts.timers, this.left, parts);
    wait.over.catch((error: unknown) => this.#giveUp(error));
    // A signal that fired between two waits calls nobody any more.
    if (signal?.aborted) this.#giveUp(signal.reason ?? kontikiError('ABORTED', 'store: aborted'));
    return wait;
  }

  #giveUp(error: unknown): void {
    this.#over ??= { error };
    this.#reject?.(error);
  }
}
