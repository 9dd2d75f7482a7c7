/** Waits until a disk that was full has space again. */
import type { Timers } from '../base/clock.js';
import { sleep } from '../base/sleep.js';

/** Between two looks, in milliseconds: one writes as much as it looks for. */
const lookEveryMs = 1_000;

/** @since 0.1.0 */
export class SpaceWait {
  readonly #timers: Timers;
  readonly #interruption = new AbortController();
  #isWaiting = false;

  /** @param timers - of the member */
  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Resolves when there is space. One call at a time.
   *
   * @param hasSpace - looks for it
   * @param error - what found none
   * @throws `error`, once it was interrupted
   */
  async until(hasSpace: () => Promise<boolean>, error: unknown): Promise<void> {
    const { signal } = this.#interruption;
    this.#isWaiting = true;
    try {
      do {
        await sleep(this.#timers, lookEveryMs, signal);
        if (signal.aborted) throw error;
      } while (!(await hasSpace()));
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Nobody waits any more, now or later. */
  interrupt(): void {
    this.#interruption.abort();
  }
}
