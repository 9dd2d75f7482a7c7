/**
 * Delays between attempts to reach a peer: doubling, so that a dead peer costs little, and jittered,
 * so that members restarted together do not knock together.
 */
import { type Random, randomInt } from '../../base/prng.js';

/** Bounds of the delay before jitter, in milliseconds. @since 0.1.0 */
export interface BackoffRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The delays of one link.
 *
 * @since 0.1.0
 */
export class Backoff {
  readonly #range: BackoffRange;
  readonly #random: Random;
  #nextMs: number;

  constructor(range: BackoffRange, random: Random) {
    this.#range = range;
    this.#random = random;
    this.#nextMs = range.minMs;
  }

  /** The next delay: between half of the current step and all of it. */
  nextMs(): number {
    const step = this.#nextMs;
    this.#nextMs = Math.min(2 * step, this.#range.maxMs);
    return step * (0.5 + randomInt(this.#random, 1000) / 2000);
  }

  /** Starts from the smallest delay again. */
  reset(): void {
    this.#nextMs = this.#range.minMs;
  }
}
