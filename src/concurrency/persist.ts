/**
 * Calls that go on through changes of the leader, full queues and partitions: what fails in passing is
 * tried again until its caller gives up.
 */
import type { Timers } from '../base/clock.js';
import { isErrorOf } from '../base/errors.js';
import { sleep } from '../base/sleep.js';

/** Pause before what failed is tried again, in milliseconds. */
const retryMs = 100;

/** What may fare better the next time. */
const passing = [
  'LEADER_CHANGED',
  'NO_LEADER',
  'NO_SPACE',
  'OVERLOADED',
  'OVERTAKEN',
  // Always with an unknown outcome: the session of writes ended, and nobody knows what it had done.
  'SESSION_EXPIRED',
  'TIMEOUT',
] as const;

/** @since 0.1.0 */
export interface PersistOptions {
  readonly timers: Timers;
  /** Ends it: it then rejects with `signal.reason`. */
  readonly signal: AbortSignal;
  /** Also after an unknown outcome: only for what may be done twice; default false. */
  readonly evenUnknown?: boolean;
}

/**
 * Calls until it succeeds.
 *
 * @param call - made once or more
 * @param options - see {@link PersistOptions}
 * @returns what the call came to
 * @throws `signal.reason`; whatever does not pass by itself
 * @since 0.1.0
 */
export async function persist<T>(call: () => Promise<T>, options: PersistOptions): Promise<T> {
  const { timers, signal, evenUnknown = false } = options;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error, evenUnknown)) throw error;
    }
    await sleep(timers, retryMs, signal);
  }
}

function isPassing(error: unknown, evenUnknown: boolean): boolean {
  return isErrorOf(error, passing) && (error.outcome !== 'unknown' || evenUnknown);
}
