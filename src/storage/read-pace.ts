/**
 * Says when an engine is read inside a call instead of in a worker thread: while that takes
 * microseconds, because the pages are in memory. A thread costs more than such a read, and has to be
 * waited for when somebody else's work keeps the pool busy; a read that goes to the disk, on the other
 * hand, would stop the whole loop (docs/adr/0012-hot-reads.md).
 */
import type { BinaryString } from '../base/bytes.js';
import type { Clock } from '../base/clock.js';

/** More keys than this are cheaper in one go on another thread. */
const keysMax = 128;
/** A read from memory takes some 3 microseconds, one from a fast disk 80. */
const slowMs = 0.05;
/** Slow reads in a row after which there is a pause. */
const slowMax = 3;
/**
 * Of a slow read, what one that is not makes up for: now and then the processor is taken away in the
 * middle of one, which is no sign of a disk.
 */
const forgiven = 1 / 32;
const pauseMs = 100;

/**
 * The pace of one engine's reads.
 *
 * @since 0.1.0
 */
export class ReadPace {
  readonly #clock: Clock;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #slow = 0;

  /** @param clock - times each read */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Reads keys one after the other.
   *
   * @param get - reads a key from memory or disk, before it returns
   * @returns `undefined` when this is not the way to read them
   */
  read(
    keys: readonly BinaryString[],
    get: (key: BinaryString) => Uint8Array | undefined,
  ): readonly (Uint8Array | undefined)[] | undefined {
    if (keys.length > keysMax) return undefined;
    let before = this.#clock.monotonicMs();
    if (before < this.#pausedUntilMs) return undefined;
    const values: (Uint8Array | undefined)[] = [];
    for (const key of keys) {
      if (this.#slow >= slowMax) {
        this.#slow = 0;
        this.#pausedUntilMs = before + pauseMs;
        return undefined;
      }
      values.push(get(key));
      const now = this.#clock.monotonicMs();
      this.#slow = now - before > slowMs ? this.#slow + 1 : Math.max(0, this.#slow - forgiven);
      before = now;
    }
    return values;
  }
}
