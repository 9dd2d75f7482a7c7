/**
 * Seeded randomness: the same seed gives the same numbers on every engine, because only 32-bit
 * integer operations are used (reliability plan §7.2).
 */
import { assert } from './assert.js';

/**
 * A source of random numbers, injected so that a run can be replayed.
 *
 * @since 0.1.0
 */
export interface Random {
  /** The next unsigned 32-bit integer. */
  u32(): number;
}

/**
 * A small seeded generator (xoshiro128**, Blackman and Vigna), seeded through splitmix32.
 *
 * @since 0.1.0
 */
export class Prng implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed - any integer; only its low 32 bits count
   */
  constructor(seed: number) {
    let state = seed >>> 0;
    const next = () => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  u32(): number {
    const scaled = Math.imul(this.#b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }
}

/**
 * A uniform integer in `[0, bound)`.
 *
 * @param random - the source
 * @param bound - exclusive; 1 to 2^32
 * @since 0.1.0
 */
export function randomInt(random: Random, bound: number): number {
  assert(Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32, `bound in 1..2^32: ${bound}`);
  // Rejection sampling: a plain remainder would favour small numbers.
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = random.u32();
    if (value < limit) return value % bound;
  }
}

/**
 * A uniform integer in `[1, 2^53)`, for identifiers that must not collide.
 *
 * @param random - the source
 * @since 0.1.0
 */
export function randomId(random: Random): number {
  for (;;) {
    const value = (random.u32() & 0x1fffff) * 2 ** 32 + random.u32();
    if (value !== 0) return value;
  }
}
