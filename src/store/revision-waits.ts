/**
 * Reads of local state that must not be of an earlier revision than their callers know of: each waits
 * until this member has applied it.
 */
import type { Timer, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';

interface Wait {
  readonly revision: number;
  readonly deferred: Deferred<void>;
  readonly timer: Timer;
  readonly stopListening: (() => void) | undefined;
}

/** @since 0.1.0 */
export class RevisionWaits {
  readonly #timers: Timers;
  readonly #waits = new Set<Wait>();
  #closed: KontikiError | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Resolves once {@link reached} was told `revision` or a later one.
   *
   * @param revision - one that is not there yet
   * @throws {KontikiError} TIMEOUT, OVERLOADED, and what {@link close} was given; `signal.reason`
   */
  wait(
    revision: number,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#waits.size >= limits.waitersMax) {
      const message = `store: expected fewer than ${limits.waitersMax} reads waiting at once`;
      throw kontikiError('OVERLOADED', message);
    }
    const deferred = new Deferred<void>();
    const timer = this.#timers.after(timeoutMs, () => {
      const message = `store: expected this member to reach revision ${revision} within ${timeoutMs} ms`;
      this.#settle(wait, kontikiError('TIMEOUT', message));
    });
    const abort = () => this.#settle(wait, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const stopListening = signal && (() => signal.removeEventListener('abort', abort));
    const wait: Wait = { revision, deferred, timer, stopListening };
    this.#waits.add(wait);
    return deferred.promise;
  }

  /** This member has applied everything up to `revision`. */
  reached(revision: number): void {
    for (const wait of this.#waits) if (wait.revision <= revision) this.#settle(wait);
  }

  /** Ends everything, and every later {@link wait}, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    for (const wait of this.#waits) this.#settle(wait, error);
  }

  #settle(wait: Wait, error?: unknown): void {
    this.#waits.delete(wait);
    wait.timer.cancel();
    wait.stopListening?.();
    if (error === undefined) wait.deferred.resolve();
    else wait.deferred.reject(error);
  }
}
