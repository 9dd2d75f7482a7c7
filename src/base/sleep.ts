/** A pause that a signal ends. */
import type { Timers } from './clock.js';

/**
 * @param ms - how long
 * @param signal - ends it early; whoever paused asks the signal
 * @returns never rejects; no timer is left behind
 * @since 0.1.0
 */
export function sleep(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = timers.after(ms, over);
    signal?.addEventListener('abort', over);
  });
}
