/**
 * One life of a simulated process, from boot to crash. Everything it has in flight hangs on this
 * object: once it is dead its timers never fire and its promises never settle, as if its memory were
 * gone.
 */
import type { Timer } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import type { SimScheduler } from './sim-scheduler.js';

/**
 * Who an incarnation is.
 *
 * @since 0.1.0
 */
export interface IncarnationName {
  /** Name of the machine. */
  readonly machine: string;
  /** 1 for the first boot. */
  readonly number: number;
}

/**
 * A life, and the only door through which simulated parts call into it.
 *
 * @since 0.1.0
 */
export class Incarnation {
  readonly scheduler: SimScheduler;
  readonly machine: string;
  readonly number: number;
  #alive = true;

  /**
   * @param scheduler - time it lives in
   * @param name - see {@link IncarnationName}
   */
  constructor(scheduler: SimScheduler, name: IncarnationName) {
    this.scheduler = scheduler;
    this.machine = name.machine;
    this.number = name.number;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends it. Idempotent. */
  kill(): void {
    this.#alive = false;
  }

  /**
   * Calls back later, if still alive then.
   *
   * @param delayUs - virtual microseconds, at least 0
   * @param callback - runs in an event of its own
   */
  schedule(delayUs: number, callback: () => void): Timer {
    return this.scheduler.after(delayUs, () => {
      if (this.#alive) callback();
    });
  }

  /**
   * Does something later and settles with its outcome; does nothing and never settles if dead then.
   *
   * @param delayUs - virtual microseconds, at least 0
   * @param effect - its value resolves the promise, what it throws rejects it
   */
  settle<T>(delayUs: number, effect: () => T): Promise<T> {
    const done = new Deferred<T>();
    // What a dead process still runs in the turn of its crash reaches nothing any more.
    if (!this.#alive) return done.promise;
    this.schedule(delayUs, () => {
      try {
        done.resolve(effect());
      } catch (error) {
        done.reject(error);
      }
    });
    return done.promise;
  }
}
