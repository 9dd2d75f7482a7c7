/** Waits until a disk that was full has space again. */
import type { Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';

/** Between two looks, in milliseconds: one writes as much as it looks for. */
const lookEveryMs = 1_000;

/** @since 0.1.0 */
export class SpaceWait {
  readonly #timers: Timers;
  readonly #hasSpace: () => Promise<boolean>;
  readonly #interrupted = new Deferred<void>();
  #isWaiting = false;

  /**
   * @param timers - of the member
   * @param hasSpace - looks for space
   */
  constructor(timers: Timers, hasSpace: () => Promise<boolean>) {
    this.#timers = timers;
    this.#hasSpace = hasSpace;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Resolves when there is space. One call at a time.
   *
   * @param error - what found none
   * @throws `error`, once it was interrupted; what looking failed with
   */
  async until(error: unknown): Promise<void> {
    this.#isWaiting = true;
    try {
      do {
        await this.#pause();
        if (this.#interrupted.settled) throw error;
      } while (!(await this.#hasSpace()));
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Nobody waits any more, now or later. */
  interrupt(): void {
    this.#interrupted.resolve();
  }

  async #pause(): Promise<void> {
    const over = new Deferred<void>();
    const timer = this.#timers.after(lookEveryMs, () => over.resolve());
    await Promise.race([over.promise, this.#interrupted.promise]);
    timer.cancel();
  }
}
