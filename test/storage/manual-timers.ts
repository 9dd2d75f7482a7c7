/** Timers that fire when the test says so, earliest first. */
import type { Timer, Timers } from '../../src/base/clock.js';

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualTimers implements Timers {
  #now = 0;
  #pending: Pending[] = [];

  get count(): number {
    return this.#pending.length;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = { at: this.#now + delayMs, callback };
    this.#pending.push(entry);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  soon(callback: () => void): Timer {
    return this.after(0, callback);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (;;) {
      const due = this.#pending.filter((entry) => entry.at <= this.#now);
      const next = due.sort((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.#pending = this.#pending.filter((entry) => entry !== next);
      next.callback();
    }
  }
}

/** What a promise comes to that goes on in later turns. */
export async function pumped<T>(promise: T | Promise<T>, timers: ManualTimers): Promise<T> {
  let isDone = !(promise instanceof Promise);
  const end = () => {
    isDone = true;
  };
  if (promise instanceof Promise) promise.then(end, end);
  for (let turn = 1; !isDone; turn += 1) {
    timers.advance(0);
    await Promise.resolve();
    // What really reads a disk needs turns of the loop.
    if (turn % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}
