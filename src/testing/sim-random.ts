/**
 * Keyed randomness: a number depends on (seed, stream, entity, counter) and on nothing that was
 * drawn elsewhere. Removing one fault from a run leaves every other decision as it was, which is
 * what makes a failing run shrink (reliability plan §7.2).
 */
import type { Random } from '../base/prng.js';
import { finish32, hashText, mix32 } from './sim-hash.js';

/**
 * What a sequence of random numbers belongs to.
 *
 * @since 0.1.0
 */
export interface RandomKey {
  /** Of the whole run; any safe integer. */
  readonly seed: number;
  /** What is decided, such as `network.drop`. */
  readonly stream: string;
  /** For whom: names and numbers, such as a machine's name and its incarnation. */
  readonly entity: readonly (string | number)[];
}

/**
 * One keyed sequence; the running number of the draw is the counter.
 *
 * @since 0.1.0
 */
export class SimRandom implements Random {
  readonly #base: number;
  #counter = 0;

  /**
   * @param key - two generators with equal keys give equal numbers
   */
  constructor(key: RandomKey) {
    let h = mix32(0, key.seed);
    h = mix32(h, Math.floor(key.seed / 2 ** 32));
    h = mix32(h, hashText(key.stream));
    for (const part of key.entity) h = mix32(h, typeof part === 'string' ? hashText(part) : part);
    this.#base = finish32(h);
  }

  u32(): number {
    this.#counter += 1;
    return finish32(mix32(mix32(this.#base, this.#counter), this.#base));
  }
}
