/**
 * Scenario files speak of members 1, 2, 3 and small indexes and terms. A run may use others inside
 * and translate on the way in and out, so that the same expected text applies: what a member does
 * must not depend on how large its numbers are (conformance §7.1, items 1 to 3).
 */
import { emptyHardState, type HardState } from '../../../src/raft/index.js';

export interface RelabellingOptions {
  /** The member's real id, ascending with its number in the file; default the number itself. */
  readonly idOf?: (label: number) => number;
  /** Added to every index of the file; default 0. */
  readonly indexShift?: number;
  /** Added to every term of the file; default 0. */
  readonly termShift?: number;
}

export class Relabelling {
  readonly #idOf: (label: number) => number;
  readonly #indexShift: number;
  readonly #termShift: number;
  readonly #labels = new Map<number, number>();

  constructor(options: RelabellingOptions = {}) {
    this.#idOf = options.idOf ?? ((label) => label);
    this.#indexShift = options.indexShift ?? 0;
    this.#termShift = options.termShift ?? 0;
  }

  /** Real id of the member that the file calls `label`; 0 is nobody in both. */
  id(label: number): number {
    if (label === 0) return 0;
    const id = this.#idOf(label);
    this.#labels.set(id, label);
    return id;
  }

  label(id: number): number {
    if (id === 0) return 0;
    const label = this.#labels.get(id);
    if (label === undefined) throw new Error(`the file knows no member with id ${id}`);
    return label;
  }

  labels(ids: readonly number[]): number[] {
    return ids.map((id) => this.label(id));
  }

  index(shown: number): number {
    return shown === 0 ? 0 : shown + this.#indexShift;
  }

  /** Indexes below the shift are those of empty logs, which start at 1 in any run. */
  shownIndex(index: number): number {
    return index > this.#indexShift ? index - this.#indexShift : index;
  }

  /** The term of a member or a message. */
  shownTerm(term: number): number {
    return term >= this.#termShift ? term - this.#termShift : term;
  }

  /**
   * Files begin with term 0 and a snapshot of term 1, which no member could have written. A shifted
   * run has both at the same term, and tells them apart when they are shown.
   */
  get startTerm(): number {
    return this.#termShift === 0 ? 1 : this.#termShift;
  }

  /** The term of a position in a log. */
  shownLogTerm(term: number): number {
    if (this.#termShift > 0 && term === this.#termShift) return 1;
    return this.shownTerm(term);
  }

  /** What a new member finds on its disk. */
  get startHardState(): HardState {
    return { ...emptyHardState, term: this.#termShift };
  }
}
