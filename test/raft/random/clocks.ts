/**
 * Everybody's own monotonic clock over one hidden time: they start anywhere and run at different
 * speeds. Ticks come at an interval of the member's own clock, late at times, never early and never
 * two at once, as interval timers do; a lease rests on that (DESIGN §4.18).
 */
import { type Random, randomInt } from '../../../src/base/prng.js';
import type { MemberId } from '../../../src/raft/index.js';

export const tickMs = 100;
/** Slowest and fastest, of the hidden time's. */
const speeds = { least: 0.9, most: 1.1 };

/** The longest lease that no follower's pledge ends before. */
export function leaseMsMax(electionTicks: number): number {
  return Math.floor((electionTicks - 1) * tickMs * (speeds.least / speeds.most)) - 1;
}

export class Clocks {
  readonly #random: Random;
  readonly #clocks = new Map<MemberId, { readonly offset: number; readonly speed: number }>();
  readonly #due = new Map<MemberId, number>();
  #time = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  #of(id: MemberId): { readonly offset: number; readonly speed: number } {
    let clock = this.#clocks.get(id);
    if (clock === undefined) {
      const share = randomInt(this.#random, 101) / 100;
      const speed = speeds.least + (speeds.most - speeds.least) * share;
      clock = { offset: 1 + randomInt(this.#random, 1_000_000), speed };
      this.#clocks.set(id, clock);
    }
    return clock;
  }

  start(id: MemberId): void {
    this.#due.set(id, this.#time + tickMs / this.#of(id).speed);
  }

  /** Time goes on until the member's next tick is due, and it happens. */
  passTick(id: MemberId): void {
    this.#time = Math.max(this.#time, this.#due.get(id) ?? 0);
    this.start(id);
  }

  wait(ms: number): void {
    this.#time += ms;
  }

  /** In ms of the member's own clock. */
  now(id: MemberId): number {
    const { offset, speed } = this.#of(id);
    return offset + this.#time * speed;
  }
}
