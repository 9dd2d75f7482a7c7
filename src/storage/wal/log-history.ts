/**
 * What a log of Raft can and cannot say. The writer asserts it and the reader checks it: a log whose
 * checksums are right and whose history is impossible was not written by this code as it stands.
 */
import type { HardState, MemberId } from '../../raft/types.js';
import type { WalRecord } from './record.js';
import { TermRuns } from './term-runs.js';

/** The log's contents so far, without the data of entries. @since 0.1.0 */
export class LogHistory {
  readonly terms: TermRuns = new TermRuns();
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  #voters: readonly MemberId[] | undefined;

  get hardState(): HardState {
    return this.#hardState;
  }

  /** `undefined` before the first configuration. */
  get voters(): readonly MemberId[] | undefined {
    return this.#voters;
  }

  /** Takes the next record, or says why it cannot follow. */
  add(record: WalRecord): string | undefined {
    if (this.#voters === undefined && record.kind !== 'configuration') {
      return 'the log does not begin with a configuration';
    }
    if (record.kind === 'entry') return this.addEntry(record.entry.term, record.entry.index);
    if (record.kind === 'hard-state') return this.addHardState(record.hardState);
    this.#voters = record.voters;
    return undefined;
  }

  /** Takes an entry, which replaces everything from its index on. */
  addEntry(term: number, index: number): string | undefined {
    const { terms } = this;
    if (index > terms.last + 1) return `entry ${index} follows entry ${terms.last}`;
    if (index <= this.#hardState.commit) {
      return `entry ${index} is replaced although ${this.#hardState.commit} is committed`;
    }
    const before = terms.at(index - 1) as number;
    if (!(term >= before && term > 0)) return `entry ${index} of term ${term} follows ${before}`;
    terms.append(index, term);
    return undefined;
  }

  /** Takes a hard state, written after the entries of its batch. */
  addHardState(next: HardState): string | undefined {
    const now = this.#hardState;
    if (next.term < now.term) return `the term goes back from ${now.term} to ${next.term}`;
    if (next.term === now.term && now.vote !== 0 && next.vote !== now.vote) {
      return `the vote of term ${now.term} changes from ${now.vote} to ${next.vote}`;
    }
    if (next.commit < now.commit) {
      return `the commit index goes back from ${now.commit} to ${next.commit}`;
    }
    if (next.commit > this.terms.last) {
      return `commit index ${next.commit} is beyond the last entry, ${this.terms.last}`;
    }
    this.#hardState = next;
    return undefined;
  }
}
