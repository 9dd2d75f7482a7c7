/**
 * The way from one simulated machine to another: how long it takes, what it loses, whether it is cut.
 * Each direction is a path of its own, so partitions may be one-way.
 */
import { assert } from '../base/assert.js';
import { type Random, randomInt } from '../base/prng.js';
import { SimRandom } from './sim-random.js';

/**
 * How a path treats what travels on it. Rates are fractions, 0 to 1.
 *
 * @since 0.1.0
 */
export interface PathOptions {
  /** No delivery is faster; virtual microseconds; default 100. */
  readonly delayMinUs: number;
  /** Average delay, exponentially distributed above the minimum; default 500. */
  readonly delayMeanUs: number;
  /** Of messages lost though the connection stands; default 0. */
  readonly dropRate: number;
  /** Of messages that arrive a second time, later; beyond the contract of a transport; default 0. */
  readonly duplicateRate: number;
  /** Of forwarded writes that arrive once more, much later; beyond the contract, too; default 0. */
  readonly forwardRepeatRate: number;
  /** Of a leader's answers to requests that are lost though the connection stands; default 0. */
  readonly answerDropRate: number;
  /** Of messages that arrive with a bit turned, which ends their connection; default 0. */
  readonly damageRate: number;
  /** Messages overtake each other; beyond the contract of a transport; default false. */
  readonly reorder: boolean;
}

/**
 * Both ends of a path, by machine name.
 *
 * @since 0.1.0
 */
export interface PathEnds {
  readonly from: string;
  readonly to: string;
}

/** How paths are unless told otherwise. @since 0.1.0 */
export const usualPath: PathOptions = {
  delayMinUs: 100,
  delayMeanUs: 500,
  dropRate: 0,
  duplicateRate: 0,
  forwardRepeatRate: 0,
  answerDropRate: 0,
  damageRate: 0,
  reorder: false,
};

/**
 * Quantiles of the exponential distribution at i/64, times 2^16, as literals: engines may differ in
 * the last bit of `Math.log`. The last one is set so that the mean is exactly 1.
 */
// biome-ignore format: a table
const quantiles: readonly number[] = [
  0, 1032, 2081, 3146, 4230, 5331, 6451, 7591, 8751, 9932, 11135,
  12360, 13608, 14880, 16178, 17502, 18854, 20233, 21643, 23083, 24556, 26063,
  27605, 29184, 30802, 32461, 34164, 35911, 37707, 39553, 41453, 43409, 45426,
  47507, 49656, 51877, 54177, 56561, 59034, 61604, 64280, 67069, 69982, 73031,
  76228, 79590, 83133, 86879, 90852, 95082, 99603, 104460, 109706, 115408, 121654,
  128559, 136278, 145029, 155132, 167080, 181704, 200558, 227130, 272557, 393178,
];

/**
 * One direction between two machines. Each decision draws from a stream of its own.
 *
 * @since 0.1.0
 */
export class SimPath {
  #options: PathOptions = usualPath;
  #blocked = false;
  #changes = 0;
  readonly #delays: Random;
  readonly #drops: Random;
  readonly #duplicates: Random;
  readonly #damages: Random;
  readonly #repeats: Random;
  readonly #answers: Random;

  /**
   * @param seed - of the whole run
   * @param ends - names of the machines
   */
  constructor(seed: number, ends: PathEnds) {
    const entity = [ends.from, ends.to];
    this.#delays = new SimRandom({ seed, stream: 'network.delay', entity });
    this.#drops = new SimRandom({ seed, stream: 'network.drop', entity });
    this.#duplicates = new SimRandom({ seed, stream: 'network.duplicate', entity });
    this.#damages = new SimRandom({ seed, stream: 'network.damage', entity });
    this.#repeats = new SimRandom({ seed, stream: 'network.repeat', entity });
    this.#answers = new SimRandom({ seed, stream: 'network.answer', entity });
  }

  /** Whether nothing gets through. */
  get blocked(): boolean {
    return this.#blocked;
  }

  set blocked(blocked: boolean) {
    if (blocked !== this.#blocked) this.#changes += 1;
    this.#blocked = blocked;
  }

  /** How often `blocked` changed: tells one partition from the next. */
  get changes(): number {
    return this.#changes;
  }

  get reorder(): boolean {
    return this.#options.reorder;
  }

  /** Changes some of the options. */
  configure(options: Partial<PathOptions>): void {
    this.#options = { ...this.#options, ...options };
    const { delayMinUs, delayMeanUs } = this.#options;
    assert(delayMinUs >= 0 && delayMinUs <= delayMeanUs, 'the least delay is below the mean');
  }

  /** Delay of the next delivery in virtual microseconds. */
  delayUs(): number {
    const { delayMinUs, delayMeanUs } = this.#options;
    const draw = this.#delays.u32();
    const cell = draw >>> 26;
    const lo = quantiles[cell] as number;
    const hi = quantiles[cell + 1] as number;
    // 16 bits of the rest place the draw inside its cell; every product stays far below 2^53.
    const fraction = (draw >>> 10) & 0xffff;
    const exponential = lo + Math.floor(((hi - lo) * fraction) / 65_536);
    const spreadUs = Math.floor(((delayMeanUs - delayMinUs) * exponential) / 65_536);
    return Math.ceil(delayMinUs) + spreadUs;
  }

  /** Whether the next message is lost. */
  drops(): boolean {
    return happens(this.#drops, this.#options.dropRate);
  }

  /** Whether the next message is damaged: which of its bits turns, as a fraction of all. */
  damages(): number | undefined {
    if (!happens(this.#damages, this.#options.damageRate)) return undefined;
    return this.#damages.u32() / 2 ** 32;
  }

  /** Whether the next forwarded write comes once more: after so many virtual microseconds. */
  repeatsForward(): number | undefined {
    if (!happens(this.#repeats, this.#options.forwardRepeatRate)) return undefined;
    return this.delayUs() + randomInt(this.#repeats, 2_000_000);
  }

  /** Whether the next answer is lost. */
  dropsAnswer(): boolean {
    return happens(this.#answers, this.#options.answerDropRate);
  }

  /** Whether the next message arrives twice. */
  duplicates(): boolean {
    return happens(this.#duplicates, this.#options.duplicateRate);
  }
}

/** Draws even at rate 0, so that raising a rate changes this stream only. */
function happens(random: Random, rate: number): boolean {
  return randomInt(random, 2 ** 32) < Math.floor(rate * 2 ** 32);
}
