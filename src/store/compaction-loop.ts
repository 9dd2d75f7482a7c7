/**
 * Removes compacted history in the background, slice by slice with pauses, so that calls pass in
 * between: short ones while nothing is applied, else by the pace of work that can wait (etcd always
 * pauses 10 ms after 1,000 revisions).
 */
import { BackgroundPace } from '../base/background-pace.js';
import type { Clock, Timer, Timers } from '../base/clock.js';
import { limits } from '../base/limits.js';

const pauseMsMin = 2;
/** Nobody waits for what is removed: a twentieth of the time. */
const restsPerWork = 19;

/** What {@link CompactionLoop} drives: the store's state machine. @since 0.1.0 */
export interface Compactable {
  /** Grows with every entry that is applied. */
  readonly appliedIndex: number;
  /**
   * Removes what the next changes gave up.
   *
   * @param changesMax - changes to look at
   * @returns bytes that were read; `undefined` when nothing was left to do
   */
  removeCompacted(changesMax: number): Promise<number | undefined>;
}

/**
 * One loop per store. A failure ends what is under way; the state machine keeps it for its next apply,
 * unless another state takes the place of the one that failed.
 *
 * @since 0.1.0
 */
export class CompactionLoop {
  readonly #timers: Timers;
  readonly #machine: Compactable;
  readonly #pace: BackgroundPace;
  #changesMax = 32;
  #timer: Timer | undefined;
  #isRunning = false;
  #isAsked = false;
  #isClosed = false;

  constructor(clock: Clock, timers: Timers, machine: Compactable) {
    this.#timers = timers;
    this.#machine = machine;
    this.#pace = new BackgroundPace({ clock, served: () => machine.appliedIndex, restsPerWork });
  }

  /** There may be something to remove. */
  wake(): void {
    this.#isAsked = true;
    this.#rest(pauseMsMin);
  }

  /** Starts nothing more; a slice under way may still end. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #rest(ms: number): void {
    if (this.#isRunning || this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#timers.after(ms, () => {
      this.#timer = undefined;
      void this.#step();
    });
  }

  async #step(): Promise<void> {
    this.#isRunning = true;
    this.#isAsked = false;
    this.#pace.begin();
    let bytes: number | undefined;
    try {
      bytes = await this.#machine.removeCompacted(this.#changesMax);
    } catch {
      // Kept by the state machine, whose next apply rejects with it.
      this.#isAsked = false;
    }
    this.#isRunning = false;
    if (bytes !== undefined) {
      this.#resize(bytes);
      this.#rest(Math.max(pauseMsMin, this.#pace.restMs()));
      return;
    }
    this.#pace.end();
    if (this.#isAsked) this.#rest(pauseMsMin);
  }

  /** Fewer changes at a time where values are large. */
  #resize(bytes: number): void {
    if (bytes > limits.compactionBytesAim) this.#changesMax = Math.max(1, this.#changesMax >>> 1);
    else if (2 * bytes < limits.compactionBytesAim) {
      this.#changesMax = Math.min(limits.compactionChangesMax, 2 * this.#changesMax);
    }
  }
}
