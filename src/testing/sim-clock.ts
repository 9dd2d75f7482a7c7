/**
 * Clock and timers of one incarnation, on virtual time.
 */
import type { Clock, Timer, Timers } from '../base/clock.js';
import { type Random, randomInt } from '../base/prng.js';
import type { Incarnation } from './incarnation.js';
import type { SimScheduler } from './sim-scheduler.js';

/** Wall time at virtual time 0: an arbitrary day, the same in every run. */
const wallStartMs = 1_750_000_000_000;

/** Cost of one turn of the event loop. The same for all, so that `soon` keeps the order of calls. */
const turnUs = 2;

/** A timer of a busy process fires up to this late. */
const latenessUs = 500;

/**
 * Reads virtual time. Monotonic time starts anew with each incarnation.
 *
 * @since 0.1.0
 */
export class SimClock implements Clock {
  readonly #scheduler: SimScheduler;
  readonly #startUs: number;

  /**
   * @param scheduler - time to read; now is monotonic 0
   */
  constructor(scheduler: SimScheduler) {
    this.#scheduler = scheduler;
    this.#startUs = scheduler.nowUs;
  }

  monotonicMs(): number {
    return (this.#scheduler.nowUs - this.#startUs) / 1_000;
  }

  wallMs(): number {
    return wallStartMs + Math.floor(this.#scheduler.nowUs / 1_000);
  }
}

/**
 * Schedules on virtual time, a little late like every event loop. Dies with its incarnation.
 *
 * @since 0.1.0
 */
export class SimTimers implements Timers {
  readonly #incarnation: Incarnation;
  readonly #random: Random;

  /**
   * @param incarnation - whose timers these are
   * @param random - draws how late each timer fires
   */
  constructor(incarnation: Incarnation, random: Random) {
    this.#incarnation = incarnation;
    this.#random = random;
  }

  after(delayMs: number, callback: () => void): Timer {
    // Node rounds delays below 1 ms up to it.
    const delayUs = Math.ceil(Math.max(1, delayMs) * 1_000);
    return this.#incarnation.schedule(delayUs + randomInt(this.#random, latenessUs), callback);
  }

  soon(callback: () => void): Timer {
    return this.#incarnation.schedule(turnUs, callback);
  }
}
