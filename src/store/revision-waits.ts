/**
 * Reads of local state that must not be of an earlier revision than their callers know of: each waits
 * until this member has applied it.
 */
import type { Timers } from '../base/clock.js';
import type { KontikiError } from '../base/errors.js';
import { TimedWait, type WaitLimits } from './timed-wait.js';

/** @since 0.1.0 */
export class RevisionWaits {
  readonly #timers: Timers;
  /** By the revision that each waits for. */
  readonly #waits = new Map<TimedWait, number>();
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
  wait(revision: number, options: WaitLimits): Promise<void> {
    TimedWait.check(this.#waits.size, options);
    if (this.#closed !== undefined) throw this.#closed;
    const wait: TimedWait = new TimedWait(this.#timers, options, {
      expected: `reach revision ${revision}`,
      onSettled: () => this.#waits.delete(wait),
    });
    this.#waits.set(wait, revision);
    return wait.over;
  }

  /** This member has applied everything up to `revision`. */
  reached(revision: number): void {
    for (const [wait, awaited] of this.#waits) if (awaited <= revision) wait.settle();
  }

  /** Ends everything, and every later {@link wait}, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    for (const wait of this.#waits.keys()) wait.settle(error);
  }
}
