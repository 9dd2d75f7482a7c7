/**
 * What a log holds, gathered record by record, so that it can be told up to where it is damaged.
 */
import type { WalRecord } from '../storage/wal/index.js';

type HardState = Extract<WalRecord, { readonly kind: 'hard-state' }>['hardState'];

/** Entries of one leader, from its first index on. */
interface TermRun {
  readonly term: number;
  readonly first: number;
}

const termsShownMax = 8;

export class LogContents {
  records = 0;
  lastIndex = 0;
  #lastSegment = 0;
  #hardState: HardState | undefined;
  #voters: readonly number[] = [];
  readonly #runs: TermRun[] = [];

  /** @param segment - number of the segment that holds the record */
  add(record: WalRecord, segment: number): void {
    this.records += 1;
    this.#lastSegment = segment;
    if (record.kind === 'entry') this.#addEntry(record.entry.term, record.entry.index);
    else if (record.kind === 'hard-state') this.#hardState = record.hardState;
    else this.#voters = record.voters;
  }

  /** An entry replaces all from its index on. */
  #addEntry(term: number, index: number): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop();
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ term, first: index });
    this.lastIndex = index;
  }

  /** Names and values to print. */
  describe(formatVersion: number): [name: string, value: string][] {
    const segments = `${this.#lastSegment} ${this.#lastSegment === 1 ? 'segment' : 'segments'}`;
    const { term = 0, vote = 0, commit = 0 } = this.#hardState ?? {};
    return [
      ['log', `format ${formatVersion}, ${segments}, ${this.records} intact records`],
      ['voters', this.#voters.join(', ') || 'none'],
      ['entries', this.lastIndex === 0 ? 'none' : `${this.#runs[0]?.first} to ${this.lastIndex}`],
      ['terms', this.#describeTerms()],
      ['hard state', `term ${term}, vote ${vote === 0 ? 'none' : vote}, commit ${commit}`],
    ];
  }

  #describeTerms(): string {
    const shown = this.#runs.slice(-termsShownMax).map(({ term, first }, at, runs) => {
      const last = (runs[at + 1]?.first ?? this.lastIndex + 1) - 1;
      return `${term}: ${first} to ${last}`;
    });
    const earlier = this.#runs.length - shown.length;
    if (earlier > 0) shown.unshift(`${earlier} earlier`);
    return shown.join('; ') || 'none';
  }
}
