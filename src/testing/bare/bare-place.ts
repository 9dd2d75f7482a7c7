/** What the world of a bare member knows of it, beyond what the member knows itself. */
import { type Random, randomInt } from '../../base/prng.js';
import { SimRandom } from '../sim-random.js';
import { BareClock } from './bare-clock.js';
import type { BareFaults } from './bare-faults.js';
import type { BareMember } from './bare-member.js';

/**
 * A member's machine: its clock, how fast its disk is, which life its process lives.
 *
 * @since 0.1.0
 */
export class BarePlace {
  readonly member: BareMember;
  /** Position among the members. */
  readonly at: number;
  readonly clock: BareClock;
  /** Everything about its disk that is left to chance. */
  readonly disk: Random;
  readonly #seed: number;
  /** A new one with each start and each crash: what was scheduled in another is void. */
  life = 0;
  /** Until then the process stands still; 0: it runs. */
  pausedUntilUs = 0;
  /** Until then the disk is slow. */
  slowUntilUs = 0;
  /** When the last write and the last page under way are done. */
  writtenUs = 0;
  appliedUs = 0;
  /** Effects until it dies between two of them. */
  effectsLeft = 0;
  /** A `ready` event is on its way. */
  isDue = false;
  inputs = 0;

  /**
   * @param member - that lives here
   * @param at - its position
   * @param chance - seed of the run, and how far clocks may drift
   */
  constructor(
    member: BareMember,
    at: number,
    chance: { readonly seed: number; readonly driftPpm: number },
  ) {
    const { seed, driftPpm } = chance;
    this.member = member;
    this.at = at;
    this.#seed = seed;
    this.clock = new BareClock(seed, member.id, driftPpm);
    this.disk = new SimRandom({ seed, stream: 'disk', entity: [member.id] });
  }

  /**
   * A process starts.
   *
   * @param nowUs - virtual microseconds
   * @param crashEffects - mean number of effects after which it dies between two; 0: never
   */
  begin(nowUs: number, crashEffects: number): void {
    this.life += 1;
    this.isDue = false;
    this.pausedUntilUs = 0;
    this.writtenUs = nowUs;
    this.appliedUs = nowUs;
    this.inputs = 0;
    const entity = [this.member.id, this.life];
    const random = new SimRandom({ seed: this.#seed, stream: 'effects', entity });
    this.effectsLeft = crashEffects === 0 ? Infinity : 1 + randomInt(random, 2 * crashEffects);
  }

  /** How long the next write takes, in virtual microseconds. */
  writeUs(nowUs: number, faults: BareFaults): number {
    const [min, max] = faults.writeUs;
    const us = min + randomInt(this.disk, max - min + 1);
    return nowUs < this.slowUntilUs ? 100 * us : us;
  }

  /** How long the next page takes the state machine, in virtual microseconds. */
  applyUs(faults: BareFaults): number {
    const [min, max] = faults.applyUs;
    return min + randomInt(this.disk, max - min + 1);
  }
}
