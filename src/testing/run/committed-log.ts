/**
 * The log that a group agreed on, gathered from what its members apply: the truth that answers are
 * held against. Members that apply different entries, or come to different results, are found here.
 */
import { equalBytes } from '../../base/bytes.js';
import type { ApplyResult, Entry } from '../../node/index.js';
import { agrees } from '../checkers/observed.js';
import { shown } from '../shown.js';

/** An entry that was applied, by at least one member. @since 0.1.0 */
export interface CommittedEntry {
  readonly entry: Entry;
  readonly result: ApplyResult;
  /** Member that applied it first. */
  readonly by: string;
}

/** @since 0.1.0 */
export class CommittedLog {
  readonly #entries = new Map<number, CommittedEntry>();
  readonly #violated: (id: string, message: string) => void;
  #lastIndex = 0;

  /**
   * @param violated - told of members that differ
   */
  constructor(violated: (id: string, message: string) => void) {
    this.#violated = violated;
  }

  /** Last index that any member applied. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** All entries in order; `undefined` where nobody said what an entry was. */
  *entries(): IterableIterator<CommittedEntry | undefined> {
    for (let index = 1; index <= this.#lastIndex; index += 1) yield this.#entries.get(index);
  }

  /** What a member applied. */
  take(by: string, entries: readonly Entry[], results: readonly ApplyResult[]): void {
    entries.forEach((entry, at) => {
      this.#takeOne({ entry, result: results[at] as ApplyResult, by });
    });
  }

  #takeOne(committed: CommittedEntry): void {
    const { entry, result, by } = committed;
    this.#lastIndex = Math.max(this.#lastIndex, entry.index);
    const known = this.#entries.get(entry.index);
    if (known === undefined) {
      this.#entries.set(entry.index, committed);
      return;
    }
    const { term, data } = known.entry;
    if (term !== entry.term || !equalBytes(data, entry.data)) {
      const message = `${by} applied another entry ${entry.index} than ${known.by}`;
      return this.#violated('R4', `${message}: of term ${entry.term}, not ${term}`);
    }
    const isSame =
      agrees(known.result.value, result.value) && agrees(result.value, known.result.value);
    if (!isSame) {
      const both = `${shown(result.value)} on ${by}, ${shown(known.result.value)} on ${known.by}`;
      const again = by === known.by ? ', which applied it twice' : '';
      this.#violated('M6', `entry ${entry.index} led to different results: ${both}${again}`);
    }
  }
}
