/**
 * Which flushes of the past a log of the engine may still hold, and the newest one that none can.
 *
 * LevelDB begins a log with the first batch that finds the write buffer full, and before it does so
 * again, the buffer before is a table. So a batch is in a table for certain when, from it on, the
 * buffer was filled twice over and one more batch was written:
 *
 * ```
 *   in tables   | oldest   lower group | upper group   newest |
 *               |   > 16 MiB           |  > 16 MiB           |
 * ```
 *
 * That one flush stays in the proof as long as there is no later one like it. Whatever tables are lost,
 * those that the newest log followed are among them, hence a flush between it and that log. Where that log holds
 * nothing but what went ahead of a flush that was cut short, the state is that of an earlier flush, exactly.
 */
import type { FlushRecord } from './flush-record.js';

/** What a flush wrote. @since 0.1.0 */
export type FlushSizes = Pick<FlushRecord, 'bytes' | 'aheadBytes'>;

/**
 * The sizes of the flushes whose records are kept, in groups.
 *
 * @since 0.1.0
 */
export class FlushWindow {
  readonly #groupBytes: number;
  /** Oldest first. */
  readonly #sizes: number[] = [];
  #oldest: number;
  /** How many there are in the lower group, and their sum. */
  #lowerCount = 0;
  #lowerBytes = 0;
  /** Sum of the upper group, which the newest flush is not part of. */
  #upperBytes = 0;

  /**
   * @param groupBytes - more than these fill the engine's write buffer for certain
   * @param oldest - number of the first flush
   * @param flushes - those from it on
   */
  constructor(groupBytes: number, oldest: number, flushes: readonly FlushSizes[]) {
    this.#groupBytes = groupBytes;
    this.#oldest = oldest;
    for (const { bytes, aheadBytes } of flushes) {
      this.extend(aheadBytes);
      this.add(bytes);
    }
  }

  /**
   * Counts in what goes ahead of the next flush: to the newest one, behind which it comes. The engine may begin a log
   * between the two, but not later than if they were one.
   */
  extend(size: number): void {
    const newest = this.#sizes.length - 1;
    if (newest >= 0) this.#sizes[newest] = (this.#sizes[newest] as number) + size;
  }

  /** Counts a flush in. @returns number of the oldest one whose record must stay */
  add(size: number): number {
    this.#upperBytes += this.#sizes.at(-1) ?? 0;
    this.#sizes.push(size);
    for (;;) {
      const lowest = this.#sizes[this.#lowerCount] as number;
      if (this.#upperBytes - lowest <= this.#groupBytes) break;
      this.#upperBytes -= lowest;
      this.#lowerBytes += lowest;
      this.#lowerCount += 1;
    }
    this.#drop();
    return this.#oldest;
  }

  #drop(): void {
    let dropped = 0;
    for (; dropped < this.#lowerCount; dropped += 1) {
      const lowest = this.#sizes[dropped] as number;
      if (this.#lowerBytes - lowest <= this.#groupBytes) break;
      this.#lowerBytes -= lowest;
    }
    this.#sizes.splice(0, dropped);
    this.#lowerCount -= dropped;
    this.#oldest += dropped;
  }
}
