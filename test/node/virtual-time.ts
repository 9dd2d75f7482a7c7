// Clock and timers of the tests of the driver: time passes only while a test lets it, and every
// timer that was set and neither fired nor cancelled can be counted.
import type { Clock, Timer, Timers } from '../../src/base/clock.js';
import { SimScheduler } from '../../src/testing/sim-scheduler.js';

export class VirtualTime implements Clock, Timers {
  readonly #scheduler = new SimScheduler();
  readonly #live = new Set<object>();
  /** What callbacks threw: on a real event loop they would be uncaught exceptions. */
  readonly uncaught: unknown[] = [];

  monotonicMs(): number {
    return this.#scheduler.nowUs / 1_000;
  }

  wallMs(): number {
    return 1_750_000_000_000 + this.monotonicMs();
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#schedule(Math.ceil(Math.max(delayMs, 0) * 1_000), callback);
  }

  soon(callback: () => void): Timer {
    return this.#schedule(1, callback);
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#live.size;
  }

  /** Lets this much time pass. */
  async run(ms: number): Promise<void> {
    await this.#scheduler.runTo(this.#scheduler.nowUs + ms * 1_000);
  }

  /** Lets time pass until `condition` holds; fails after `maxMs`. */
  async until(condition: () => boolean, maxMs = 60_000): Promise<void> {
    const end = this.#scheduler.nowUs + maxMs * 1_000;
    if (await this.#scheduler.runTo(end, condition)) return;
    throw new Error(`not within ${maxMs} virtual ms: ${condition}`);
  }

  /** Lets time pass until the promise settles, and settles likewise. */
  async settle<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await this.until(() => settled, maxMs);
    return promise;
  }

  #schedule(delayUs: number, callback: () => void): Timer {
    const key = {};
    this.#live.add(key);
    const event = this.#scheduler.after(delayUs, () => {
      this.#live.delete(key);
      try {
        callback();
      } catch (error) {
        this.uncaught.push(error);
      }
    });
    return {
      cancel: () => {
        this.#live.delete(key);
        event.cancel();
      },
    };
  }
}
