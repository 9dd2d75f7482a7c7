/**
 * A value per log index, from some first index on: an array whose numbering does not begin at 0, so
 * that a log that begins late costs nothing.
 */

/**
 * Values of consecutive indexes.
 *
 * @since 0.1.0
 */
export class IndexedList<T> {
  #first: number;
  readonly #items: T[] = [];

  /**
   * @param first - index of the first value that will be pushed
   */
  constructor(first: number) {
    this.#first = first;
  }

  get first(): number {
    return this.#first;
  }

  get last(): number {
    return this.#first + this.#items.length - 1;
  }

  at(index: number): T | undefined {
    return this.#items[index - this.#first];
  }

  /** Gives the index after the last one its value. */
  push(value: T): void {
    this.#items.push(value);
  }

  /** Forgets everything from `index` on. */
  truncate(index: number): void {
    if (index <= this.last) this.#items.length = Math.max(0, index - this.#first);
  }

  /** Starts over: the next value is of `first`. */
  restart(first: number): void {
    this.#first = first;
    this.#items.length = 0;
  }
}
