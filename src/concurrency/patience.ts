/**
 * How long somebody waits: until a signal of theirs fires, a time is over, or the session that waits is
 * lost. All of them become one signal.
 */
import { isAbortSignal } from '../base/abort-signal.js';
import { type Timers, timerMsMax } from '../base/clock.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { Lease } from '../store/lease.js';
import type { Session } from './session.js';

/** @since 0.1.0 */
export interface WaitOptions {
  /** Gives up: the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before the call rejects with `TIMEOUT`; default: it waits as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/** @since 0.1.0 */
export class Patience {
  readonly #controller = new AbortController();
  readonly #stops: (() => void)[] = [];
  readonly #timers: Timers;

  /**
   * @param options - see {@link WaitOptions}
   * @param timers - that measure it
   * @throws {KontikiError} ARGUMENT_INVALID
   */
  constructor({ signal, timeoutMs }: WaitOptions, timers: Timers) {
    this.#timers = timers;
    if (signal !== undefined) checkSignal(signal);
    if (timeoutMs !== undefined) this.#setTimer(timeoutMs);
    if (signal !== undefined) this.#listen(signal);
  }

  /** Fires when it is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Is over, too, when this session is lost. */
  follow(session: Session): this {
    const abort = () => this.#controller.abort(session.lost.reason);
    if (session.lost.aborted) abort();
    else this.#stops.push(session._whenLost(abort));
    return this;
  }

  /**
   * Is over, too, when the time of this lease is, by the local clock; whether it was revoked here, or is
   * lost, makes no difference.
   *
   * @returns reason of the signal then
   */
  endWith(lease: Lease): KontikiError {
    const reason = kontikiError('LEASE_EXPIRED', `the time of lease ${lease.id} is over`);
    const end = () => this.#controller.abort(reason);
    const leftMs = lease._leftMs;
    if (leftMs > 0) {
      const timer = this.#timers.after(Math.min(leftMs, timerMsMax), end);
      this.#stops.push(() => timer.cancel());
    } else end();
    return reason;
  }

  /** Why something failed: that it was over, if it was. */
  reasonOf(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error;
  }

  /** Nobody waits any more. */
  end(): void {
    for (const stop of this.#stops) stop();
  }

  #listen(signal: AbortSignal): void {
    const abort = () => this.#controller.abort(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#stops.push(() => signal.removeEventListener('abort', abort));
  }

  #setTimer(timeoutMs: number): void {
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0 && timeoutMs <= timerMsMax)) {
      throw invalid(`expected timeoutMs from 0 to ${timerMsMax}, got ${String(timeoutMs)}`);
    }
    const message = `expected its turn to come within ${timeoutMs} ms`;
    const end = () => this.#controller.abort(kontikiError('TIMEOUT', message));
    const timer = this.#timers.after(timeoutMs, end);
    this.#stops.push(() => timer.cancel());
  }
}

/** Before a timer is set that nobody would stop. */
function checkSignal(signal: AbortSignal): void {
  if (isAbortSignal(signal)) return;
  throw invalid(`expected signal to be an AbortSignal, got ${typeof signal}`);
}

function invalid(message: string): KontikiError {
  return kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}
