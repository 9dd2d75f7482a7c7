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
 * The quartz of one machine: how fast its time passes, and what its wall clock was set to. Outlives
 * the processes.
 *
 * @since 0.1.0
 */
export class SimQuartz {
  readonly #scheduler: SimScheduler;
  /** Its own time was `#ownUs` when virtual time was `#sinceUs`. */
  #sinceUs = 0;
  #ownUs = 0;
  #driftPpm = 0;
  #wallOffsetMs = 0;

  /**
   * @param scheduler - true time
   */
  constructor(scheduler: SimScheduler) {
    this.#scheduler = scheduler;
  }

  /** Own microseconds since the start of the simulation; never goes back. */
  get nowUs(): number {
    const passedUs = this.#scheduler.nowUs - this.#sinceUs;
    return this.#ownUs + Math.floor((passedUs * (1_000_000 + this.#driftPpm)) / 1_000_000);
  }

  /** What its wall clock shows, in milliseconds; may go back when it is stepped. */
  get wallMs(): number {
    return wallStartMs + this.#wallOffsetMs + Math.floor(this.nowUs / 1_000);
  }

  /** How many microseconds it gains in each true second, from now on; negative when it loses. */
  set driftPpm(ppm: number) {
    this.#ownUs = this.nowUs;
    this.#sinceUs = this.#scheduler.nowUs;
    this.#driftPpm = ppm;
  }

  /** Sets the wall clock forward or back; monotonic time knows nothing of it. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** True microseconds until this many own ones have passed. */
  trueUs(ownUs: number): number {
    return Math.ceil((ownUs * 1_000_000) / (1_000_000 + this.#driftPpm));
  }
}

/**
 * Reads a machine's time. Monotonic time starts anew with each incarnation.
 *
 * @since 0.1.0
 */
export class SimClock implements Clock {
  readonly #quartz: SimQuartz;
  readonly #startUs: number;

  /**
   * @param quartz - time to read; now is monotonic 0
   */
  constructor(quartz: SimQuartz) {
    this.#quartz = quartz;
    this.#startUs = quartz.nowUs;
  }

  monotonicMs(): number {
    return (this.#quartz.nowUs - this.#startUs) / 1_000;
  }

  wallMs(): number {
    return this.#quartz.wallMs;
  }
}

/**
 * Schedules on virtual time, a little late like every event loop. Dies with its incarnation.
 *
 * @since 0.1.0
 */
export class SimTimers implements Timers {
  readonly #incarnation: Incarnation;
  readonly #quartz: SimQuartz;
  readonly #random: Random;

  /**
   * @param incarnation - whose timers these are
   * @param quartz - measures the delays
   * @param random - draws how late each timer fires
   */
  constructor(incarnation: Incarnation, quartz: SimQuartz, random: Random) {
    this.#incarnation = incarnation;
    this.#quartz = quartz;
    this.#random = random;
  }

  after(delayMs: number, callback: () => void): Timer {
    // Node rounds delays below 1 ms up to it.
    const delayUs = this.#quartz.trueUs(Math.max(1, delayMs) * 1_000);
    return this.#incarnation.schedule(delayUs + randomInt(this.#random, latenessUs), callback);
  }

  soon(callback: () => void): Timer {
    return this.#incarnation.schedule(turnUs, callback);
  }
}
