/**
 * A member's own monotonic clock over virtual time: it starts anywhere and runs at its own speed.
 * Ticks come at an interval of this clock, late at times, never early and never two at once, as
 * interval timers do; a lease rests on that (DESIGN §4.18).
 */
import { randomInt } from '../../base/prng.js';
import { SimRandom } from '../sim-random.js';

/**
 * One clock. Integer arithmetic only; exact for runs of up to some hundred hours.
 *
 * @since 0.1.0
 */
export class BareClock {
  readonly #offsetUs: number;
  readonly #ppm: number;

  /**
   * @param seed - of the run
   * @param id - of the member
   * @param driftPpm - largest deviation from the mean speed, in parts per million
   */
  constructor(seed: number, id: number, driftPpm: number) {
    const random = new SimRandom({ seed, stream: 'clock', entity: [id] });
    this.#offsetUs = 1_000_000 + randomInt(random, 1_000_000_000);
    this.#ppm = randomInt(random, 2 * Math.floor(driftPpm) + 1) - Math.floor(driftPpm);
  }

  /** In whole milliseconds of this clock. */
  nowMs(timeUs: number): number {
    return Math.floor((this.#offsetUs + timeUs + Math.floor((timeUs * this.#ppm) / 1e6)) / 1_000);
  }

  /** Virtual microseconds in which this clock goes on by at least `us`. */
  virtualUs(us: number): number {
    return Math.ceil((us * 1e6) / (1e6 + this.#ppm));
  }
}

/**
 * The longest lease that no follower's pledge ends before, whatever the clocks do.
 *
 * @param electionTicks - that a pledge lasts, the first of them cut short
 * @param tickMs - of each member's own clock
 * @param driftPpm - of clocks, from the mean
 * @since 0.1.0
 */
export function leaseMsMax(electionTicks: number, tickMs: number, driftPpm: number): number {
  const slowest = 1e6 - driftPpm;
  return Math.floor(((electionTicks - 1) * tickMs * slowest) / (1e6 + driftPpm)) - 2;
}
