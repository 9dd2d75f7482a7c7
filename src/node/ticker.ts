/**
 * Turns the clock into ticks. A loop that was stalled gets one tick for the whole stall, not a
 * burst: a burst would start elections over messages that already wait in the inbox (DESIGN §4.27).
 */
import type { Clock, Timer, Timers } from '../base/clock.js';

/** @since 0.1.0 */
export class Ticker {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #onTick: () => void;
  #timer: Timer | undefined;
  #dueMs = 0;

  /**
   * @param onTick - called about every `intervalMs`; must not throw
   */
  constructor(
    env: { readonly clock: Clock; readonly timers: Timers },
    intervalMs: number,
    onTick: () => void,
  ) {
    this.#clock = env.clock;
    this.#timers = env.timers;
    this.#intervalMs = intervalMs;
    this.#onTick = onTick;
  }

  start(): void {
    this.#dueMs = this.#clock.monotonicMs() + this.#intervalMs;
    this.#timer = this.#timers.after(this.#intervalMs, this.#fire);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #fire = (): void => {
    const nowMs = this.#clock.monotonicMs();
    this.#dueMs += this.#intervalMs;
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + this.#intervalMs;
    this.#timer = this.#timers.after(this.#dueMs - nowMs, this.#fire);
    this.#onTick();
  };
}
