/**
 * A set of small numbers of which mostly the low ones are in and the high ones are out, written
 * down as what lies between. The operations a search has linearized are such a set: in order of their
 * answers they are everything up to some point, but for the few that overlap with it.
 */

const wordBits = 16;
const fullWord = 0xffff;

/**
 * Bits in 16-bit words, with the words between the full and the empty ones known.
 *
 * @since 0.1.0
 */
export class BitWindow {
  readonly #words: Uint16Array;
  /** Words before it are full. */
  #lo = 0;
  /** It and the words behind it are empty. */
  #hi = 0;

  /**
   * @param size - numbers are 0 to `size - 1`
   */
  constructor(size: number) {
    // One word more than needed is never full, so that no walk runs out.
    this.#words = new Uint16Array(Math.floor(size / wordBits) + 1);
  }

  /** Takes a number in that is not in. */
  add(bit: number): void {
    const word = Math.floor(bit / wordBits);
    this.#words[word] = (this.#words[word] as number) | (1 << (bit % wordBits));
    if (word >= this.#hi) this.#hi = word + 1;
    while (this.#words[this.#lo] === fullWord) this.#lo += 1;
  }

  /** Takes a number out that is in. */
  remove(bit: number): void {
    const word = Math.floor(bit / wordBits);
    this.#words[word] = (this.#words[word] as number) & ~(1 << (bit % wordBits));
    if (word < this.#lo) this.#lo = word;
    while (this.#hi > 0 && this.#words[this.#hi - 1] === 0) this.#hi -= 1;
  }

  /**
   * Appends the set as 16-bit units. Different sets of one size give different units, and none of them
   * is the beginning of another.
   */
  write(units: number[]): void {
    units.push(this.#lo & fullWord, this.#lo >>> wordBits);
    units.push(this.#hi & fullWord, this.#hi >>> wordBits);
    for (let at = this.#lo; at < this.#hi; at += 1) units.push(this.#words[at] as number);
  }
}
