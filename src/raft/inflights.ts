/**
 * The window of append messages a follower has not acknowledged: a queue of (last index, payload
 * bytes), bounded in count and, softly, in bytes. It grows to its bound only when used.
 */
import { assert } from '../base/assert.js';

/** @since 0.1.0 */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #indexes: number[] = [];
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;

  /**
   * @param countMax - messages; 1 or more
   * @param bytesMax - payload bytes; one message may overshoot; `Infinity` for no limit
   */
  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#indexes.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.count >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  /** Records a message whose last entry is `lastIndex`. */
  add(lastIndex: number, bytes: number): void {
    assert(!this.full, 'inflights: add to a full window');
    this.#indexes.push(lastIndex);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** Frees every message up to and including `upTo`. */
  freeTo(upTo: number): void {
    let head = this.#head;
    while (head < this.#indexes.length && (this.#indexes[head] as number) <= upTo) {
      this.#bytes -= this.#sizes[head] as number;
      head += 1;
    }
    this.#head = head;
    // Shift rarely: a shift per acknowledgement would make the window quadratic.
    if (head > 64 && head * 2 > this.#indexes.length) {
      this.#indexes = this.#indexes.slice(head);
      this.#sizes = this.#sizes.slice(head);
      this.#head = 0;
    }
  }

  reset(): void {
    this.#indexes = [];
    this.#sizes = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /** Last indexes in the window, oldest first. For checks and status. */
  indexes(): readonly number[] {
    return this.#indexes.slice(this.#head);
  }
}
