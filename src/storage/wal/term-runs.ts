/**
 * The term of every index, as runs: terms change rarely, so this stays small however long the log is.
 */
import { assert } from '../../base/assert.js';
import type { LogId } from '../../raft/types.js';

export class TermRuns {
  /** First index of each run, ascending. The first run begins at the base, which has no entry. */
  #starts: number[] = [0];
  #terms: number[] = [0];
  #base = 0;
  #last = 0;

  /** Index of the entry before the first one; 0 when the log has all. */
  get base(): number {
    return this.#base;
  }

  /** Index of the last entry; the base when empty. */
  get last(): number {
    return this.#last;
  }

  /** Index and term of the last entry, or of the base. */
  get lastId(): LogId {
    return { term: this.#terms.at(-1) as number, index: this.#last };
  }

  /** Empties the log to an entry that is not in it any more. */
  reset({ term, index }: LogId): void {
    this.#starts = [index];
    this.#terms = [term];
    this.#base = index;
    this.#last = index;
  }

  /** Forgets entries up to `index`, which becomes the base. */
  dropThrough(index: number): void {
    assert(index >= this.#base && index <= this.#last, `terms: ${index} is not in the log`);
    const run = this.#runOf(index);
    this.#starts = this.#starts.slice(run);
    this.#terms = this.#terms.slice(run);
    this.#starts[0] = index;
    this.#base = index;
  }

  /** Puts `index` at the end, dropping it and everything after it if it is there. */
  append(index: number, term: number): void {
    assert(index > this.#base && index <= this.#last + 1, `terms: ${index} after ${this.#last}`);
    while ((this.#starts.at(-1) as number) >= index) {
      this.#starts.pop();
      this.#terms.pop();
    }
    if (this.#terms.at(-1) !== term) {
      this.#starts.push(index);
      this.#terms.push(term);
    }
    this.#last = index;
  }

  /** Term of `index`, that of the base included; `undefined` outside of the log. */
  at(index: number): number | undefined {
    if (!(index >= this.#base && index <= this.#last)) return undefined;
    return this.#terms[this.#runOf(index)];
  }

  #runOf(index: number): number {
    // Most questions are about the newest run.
    let low = 0;
    let high = this.#starts.length - 1;
    if ((this.#starts[high] as number) <= index) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
