/**
 * Deadlines of very many calls with one timer: calls are put into buckets of one tick each, and the
 * node's own tick empties the buckets that are over. A deadline is met up to two ticks late: its bucket
 * ends within one, and the next tick comes within another.
 */

/** @since 0.1.0 */
export class Deadlines<T> {
  readonly #bucketMs: number;
  readonly #buckets = new Map<number, Set<T>>();
  #swept: number;

  /**
   * @param bucketMs - width of a bucket, the interval between calls of `sweep`
   * @param nowMs - monotonic time now
   */
  constructor(bucketMs: number, nowMs: number) {
    this.#bucketMs = bucketMs;
    this.#swept = Math.floor(nowMs / bucketMs);
  }

  /**
   * Watches over `item`.
   *
   * @returns the bucket it is in, for `remove`
   */
  add(item: T, deadlineMs: number): number {
    const number = Math.max(Math.ceil(deadlineMs / this.#bucketMs), this.#swept + 1);
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(number, bucket);
    }
    bucket.add(item);
    return number;
  }

  remove(item: T, bucket: number): void {
    const items = this.#buckets.get(bucket);
    // Deadlines may be days away: the buckets of calls that were answered must not wait for them.
    if (items?.delete(item) && items.size === 0) this.#buckets.delete(bucket);
  }

  /** How many buckets hold anything. */
  get bucketCount(): number {
    return this.#buckets.size;
  }

  /** Takes every item whose deadline has passed at `nowMs`, in order of deadline. */
  sweep(nowMs: number): T[] {
    const upTo = Math.floor(nowMs / this.#bucketMs);
    const over: T[] = [];
    for (; this.#swept < upTo; this.#swept += 1) {
      const bucket = this.#buckets.get(this.#swept + 1);
      if (bucket === undefined) continue;
      this.#buckets.delete(this.#swept + 1);
      for (const item of bucket) over.push(item);
    }
    return over;
  }
}
