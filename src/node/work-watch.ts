/**
 * For how long a piece of work has not come to an end, counted in ticks: a process that was suspended
 * gets one tick for all of that time, and so nobody takes its own absence for a disk that stalls.
 */

/** Something that does one thing after the other. @since 0.1.0 */
export interface Work {
  /** Something is under way. */
  readonly isBusy: boolean;
  /** How many things are done; never goes down. */
  readonly done: number;
}

/** @since 0.1.0 */
export class WorkWatch {
  readonly #work: Work;
  #done = 0;
  #ticks = 0;

  /** @param work - what is watched */
  constructor(work: Work) {
    this.#work = work;
  }

  /** Ticks since the last end, while something is under way. */
  get ticks(): number {
    return this.#ticks;
  }

  /** To be called with each tick. */
  tick(): void {
    const { done, isBusy } = this.#work;
    this.#ticks = isBusy && done === this.#done ? this.#ticks + 1 : 0;
    this.#done = done;
  }
}
