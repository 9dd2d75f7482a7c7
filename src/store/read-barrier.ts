/**
 * Linearizable reads through the log: a barrier entry is proposed, and once it is applied here,
 * everything acknowledged before the read began is here too. One barrier serves all reads that wait
 * for it; reads that come while one is under way wait for the next. (The read index of the core
 * replaces the entry; the rule stays.)
 *
 * Barriers change nothing, so a failed one is simply repeated until the reader's own time is over.
 */
import type { Timer, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';

interface Reader {
  readonly deferred: Deferred<void>;
  readonly timer: Timer;
  readonly stopListening: (() => void) | undefined;
}

/** Pause before a barrier that was refused at once is repeated. */
const retryMs = 20;
/** A barrier that takes longer gets a second one beside it. */
const repeatMs = 1_000;

/** @since 0.1.0 */
export class ReadBarrier {
  readonly #timers: Timers;
  readonly #pass: () => Promise<unknown>;
  #waiting = new Set<Reader>();
  /** Readers not settled, those a barrier is under way for included. */
  #open = 0;
  #running = false;

  /**
   * @param pass - proposes a barrier; resolves when it is applied here
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
  wait(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<void> {
    const { timeoutMs, signal } = options;
    signal?.throwIfAborted();
    if (this.#open >= limits.waitersMax) {
      const message = `store: expected fewer than ${limits.waitersMax} reads waiting at once`;
      throw kontikiError('OVERLOADED', message);
    }
    const deferred = new Deferred<void>();
    const timer = this.#timers.after(timeoutMs, () => {
      const message = `store: expected this member to catch up with a quorum within ${timeoutMs} ms`;
      this.#settle(reader, kontikiError('TIMEOUT', message));
    });
    const abort = () => this.#settle(reader, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const stopListening = signal && (() => signal.removeEventListener('abort', abort));
    const reader: Reader = { deferred, timer, stopListening };
    this.#waiting.add(reader);
    this.#open += 1;
    if (!this.#running) void this.#run();
    return deferred.promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0) {
      const readers = this.#waiting;
      this.#waiting = new Set();
      // A barrier may be lost on its way, so another follows; the one under way still counts when it
      // comes: a member that lags by seconds would otherwise start anew for ever.
      const repeat = this.#pause(repeatMs);
      await Promise.race([this.#attempt(readers), repeat.over]);
      repeat.timer.cancel();
      for (const reader of readers) {
        if (!reader.deferred.settled) this.#waiting.add(reader);
      }
    }
    this.#running = false;
  }

  /** One barrier for the readers that were waiting when it began. Never rejects. */
  async #attempt(readers: ReadonlySet<Reader>): Promise<void> {
    try {
      await this.#pass();
      for (const reader of readers) this.#settle(reader);
    } catch (error) {
      if (isPassing(error)) return this.#pause(retryMs).over;
      for (const reader of readers) this.#settle(reader, ofRead(error));
    }
  }

  #pause(ms: number): { readonly over: Promise<void>; readonly timer: Timer } {
    const over = new Deferred<void>();
    const timer = this.#timers.after(ms, () => over.resolve());
    return { over: over.promise, timer };
  }

  #settle(reader: Reader, error?: unknown): void {
    if (reader.deferred.settled) return;
    this.#open -= 1;
    reader.timer.cancel();
    reader.stopListening?.();
    this.#waiting.delete(reader);
    if (error === undefined) reader.deferred.resolve();
    else reader.deferred.reject(error);
  }
}

/** The barrier's error without its outcome: only writes have one, and a read is always repeatable. */
function ofRead(error: unknown): unknown {
  if (!isKontikiError(error)) return error;
  const { code, message, cause, outcome: _, ...fields } = error;
  return kontikiError(code, message, { ...fields, cause } as never);
}

/** Whether the next barrier may fare better. */
function isPassing(error: unknown): boolean {
  const codes = ['LEADER_CHANGED', 'NO_LEADER', 'OVERLOADED', 'TIMEOUT'] as const;
  return codes.some((code) => isKontikiError(error, code));
}
