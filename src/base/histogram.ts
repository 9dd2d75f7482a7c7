/**
 * Durations by powers of two: counting one costs a few additions, whatever was counted before, so that
 * it can stand on the path of every write.
 */

/** Buckets 0 to 26 end at 2^n microseconds, about 67 s; the last one has no end. */
const bucketCount = 28;

/** Durations counted so far, in milliseconds. @since 0.1.0 */
export interface HistogramSnapshot {
  readonly count: number;
  readonly sumMs: number;
  /**
   * Ascending, without the empty ones: `count` durations below `belowMs` that are not in a bucket
   * before. `Infinity` for those of more than 67 s.
   */
  readonly buckets: readonly { readonly belowMs: number; readonly count: number }[];
}

/** @since 0.1.0 */
export class Histogram {
  readonly #counts = new Array<number>(bucketCount).fill(0);
  #count = 0;
  #sumMs = 0;

  get count(): number {
    return this.#count;
  }

  /** @param ms - a duration, fractions allowed */
  observe(ms: number): void {
    this.#count += 1;
    this.#sumMs += ms;
    // clz32 looks at 32 bits only: more is far beyond the last bucket anyway.
    const us = Math.min(ms * 1_000, 2 ** 31);
    const at = us < 1 ? 0 : Math.min(32 - Math.clz32(us), bucketCount - 1);
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  snapshot(): HistogramSnapshot {
    const buckets = this.#counts.flatMap((count, at) =>
      count === 0 ? [] : [{ belowMs: at === bucketCount - 1 ? Infinity : 2 ** at / 1_000, count }],
    );
    return { count: this.#count, sumMs: this.#sumMs, buckets };
  }
}
