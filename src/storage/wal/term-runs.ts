/**
 * The term of every index, as runs: terms change rarely, so this stays small however long the log is.
 */
import { assert } from '../../base/assert.js';

export class TermRuns {
  /** First index of each run, ascending. */
  readonly #starts: number[] = [];
  readonly #terms: number[] = [];
  #last = 0;

  /** Index of the last entry; 0 when empty. */
  get last(): number {
    return this.#last;
  }

  /** Puts `index` at the end, dropping it and everything after it if it is there. */
  append(index: number, term: number): void {
    assert(index >= 1 && index <= this.#last + 1, `terms: ${index} after ${this.#last}`);
    while ((this.#starts.at(-1) ?? 0) >= index) {
      this.#starts.pop();
      this.#terms.pop();
    }
    if (this.#terms.at(-1) !== term) {
      this.#starts.push(index);
      this.#terms.push(term);
    }
    this.#last = index;
  }

  /** Term of `index`; 0 at 0, `undefined` outside of the log. */
  at(index: number): number | undefined {
    if (index === 0) return 0;
    if (!(index > 0 && index <= this.#last)) return undefined;
    // Most questions are about the newest run.
    let low = 0;
    let high = this.#starts.length - 1;
    if ((this.#starts[high] as number) <= index) return this.#terms[high];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return this.#terms[low];
  }
}
