/** Timers that fire when the test says so. */
import type { Timer, Timers } from '../../src/base/clock.js';
import { systemTimers } from '../../src/base/clock.js';

export class ManualTimers implements Timers {
  readonly #pending = new Set<{ readonly delayMs: number; readonly callback: () => void }>();

  readonly #held: (() => void)[] = [];
  holdSoon = false;

  after(delayMs: number, callback: () => void): Timer {
    const entry = { delayMs, callback };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  /** Runs in the next turn, as it should, unless `holdSoon` is set. */
  soon(callback: () => void): Timer {
    if (!this.holdSoon) return systemTimers.soon(callback);
    this.#held.push(callback);
    return { cancel: () => this.#held.splice(this.#held.indexOf(callback), 1) };
  }

  /** Runs what was held. */
  runHeld(): void {
    for (const callback of this.#held.splice(0)) callback();
  }

  /** Delays of the timers that have neither fired nor been cancelled. */
  get delays(): number[] {
    return [...this.#pending].map(({ delayMs }) => delayMs);
  }

  /** Fires every timer that was set for `delayMs`. */
  fire(delayMs: number): void {
    for (const entry of [...this.#pending]) {
      if (entry.delayMs === delayMs && this.#pending.delete(entry)) entry.callback();
    }
  }
}
