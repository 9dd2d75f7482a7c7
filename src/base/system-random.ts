/** Randomness of the platform, for what nobody replays. */
import type { Random } from './prng.js';

/** What fills blocks with random numbers; `globalThis.crypto` is one. */
interface RandomSource {
  getRandomValues(block: Uint32Array): unknown;
}

/** The platform's generator, fetched in blocks. @since 0.1.0 */
export class SystemRandom implements Random {
  readonly #block = new Uint32Array(256);
  readonly #source: RandomSource;
  #at = 256;

  /** @param source - default: the global one of Node and of browsers */
  constructor(source: RandomSource = globalThis.crypto) {
    this.#source = source;
  }

  u32(): number {
    if (this.#at === this.#block.length) {
      this.#source.getRandomValues(this.#block);
      this.#at = 0;
    }
    this.#at += 1;
    return this.#block[this.#at - 1] as number;
  }
}
