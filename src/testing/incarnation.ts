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
 * The end of a life around one of its effects.
 *
 * @since 0.1.0
 */
export interface EffectCrash {
  /** How many effects there are until then, this one included. */
  left: number;
  readonly when: 'before' | 'after';
  readonly crash: () => void;
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
  /** What may end this life around one of its effects; see `EffectCrash`. */
  effectCrash: EffectCrash | undefined = undefined;
  #alive = true;
  #paused = false;
  /** What was due while it was paused, in order. */
  #backlog: (() => void)[] = [];

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

  get paused(): boolean {
    return this.#paused;
  }

  /** Ends it. Idempotent. */
  kill(): void {
    this.#alive = false;
    this.#backlog = [];
  }

  /**
   * Stops it where it is, as SIGSTOP or a long garbage collection does: timers, answers of the disk
   * and messages wait. Idempotent.
   */
  pause(): void {
    this.#paused = true;
  }

  /** Lets it go on: everything that was due meanwhile happens in one bunch. Idempotent. */
  resume(): void {
    this.#paused = false;
    for (const callback of this.#backlog.splice(0)) this.schedule(0, callback);
  }

  /**
   * Calls back later, if still alive then.
   *
   * @param delayUs - virtual microseconds, at least 0
   * @param callback - runs in an event of its own
   */
  schedule(delayUs: number, callback: () => void): Timer {
    let cancelled = false;
    const event = this.scheduler.after(delayUs, () => {
      if (!this.#alive) return;
      if (!this.#paused) return callback();
      this.#backlog.push(() => {
        if (!cancelled) callback();
      });
    });
    return {
      cancel: () => {
        cancelled = true;
        event.cancel();
      },
    };
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
      const crash = this.#crashNow();
      if (crash?.when === 'before') return crash.crash();
      try {
        const value = effect();
        // The effect happened, and nobody lives to hear of it.
        if (crash !== undefined) return crash.crash();
        done.resolve(value);
      } catch (error) {
        if (crash !== undefined) return crash.crash();
        done.reject(error);
      }
    });
    return done.promise;
  }

  #crashNow(): EffectCrash | undefined {
    const crash = this.effectCrash;
    if (crash === undefined) return undefined;
    crash.left -= 1;
    if (crash.left > 0) return undefined;
    this.effectCrash = undefined;
    return crash;
  }
}
