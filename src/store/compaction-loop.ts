/**
 * Removes compacted history in the background, slice by slice with pauses, so that calls pass in
 * between (etcd does the same: 1,000 revisions, then 10 ms).
 */
import type { Timer, Timers } from '../base/clock.js';
import { limits } from '../base/limits.js';

const pauseMs = 2;

/** What {@link CompactionLoop} drives: the store's state machine. @since 0.1.0 */
export interface Compactable {
  /**
   * Removes what the next changes gave up.
   *
   * @param changesMax - changes to look at
   * @returns bytes that were read; `undefined` when nothing was left to do
   */
  removeCompacted(changesMax: number): Promise<number | undefined>;
}

/**
 * One loop per store. A failure ends it; the state machine keeps the failure for its next apply.
 *
 * @since 0.1.0
 */
export class CompactionLoop {
  readonly #timers: Timers;
  readonly #machine: Compactable;
  #changesMax = 32;
  #timer: Timer | undefined;
  #isRunning = false;
  #isAsked = false;
  #isClosed = false;

  constructor(timers: Timers, machine: Compactable) {
    this.#timers = timers;
    this.#machine = machine;
  }

  /** There may be something to remove. */
  wake(): void {
    this.#isAsked = true;
    if (this.#isRunning || this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#timers.after(pauseMs, () => {
      this.#timer = undefined;
      void this.#step();
    });
  }

  /** Starts nothing more; a slice under way may still end. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #step(): Promise<void> {
    this.#isRunning = true;
    this.#isAsked = false;
    let bytes: number | undefined;
    try {
      bytes = await this.#machine.removeCompacted(this.#changesMax);
    } catch {
      // Kept by the state machine, whose next apply rejects with it.
      this.close();
    }
    this.#isRunning = false;
    if (bytes !== undefined) this.#resize(bytes);
    if (bytes !== undefined || this.#isAsked) this.wake();
  }

  /** Fewer changes at a time where values are large. */
  #resize(bytes: number): void {
    if (bytes > limits.compactionBytesAim) this.#changesMax = Math.max(1, this.#changesMax >>> 1);
    else if (2 * bytes < limits.compactionBytesAim) {
      this.#changesMax = Math.min(limits.compactionChangesMax, 2 * this.#changesMax);
    }
  }
}
