/**
 * What a log holds, gathered record by record, so that it can be told up to where it is damaged.
 */
import { unreachable } from '../base/assert.js';
import type { RecordPlace, WalRecord } from '../storage/wal/index.js';

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
  /** Index of the entry before the first one. */
  base = 0;
  #firstSegment = 0;
  #lastSegment = 0;
  #hardState: HardState | undefined;
  #voters: readonly number[] = [];
  readonly #runs: TermRun[] = [];

  add(record: WalRecord, { isHead, segment }: RecordPlace): void {
    this.records += 1;
    if (this.#firstSegment === 0) this.#firstSegment = segment;
    this.#lastSegment = segment;
    switch (record.kind) {
      case 'entry':
        return this.#addEntry(record.entry.term, record.entry.index);
      case 'hard-state':
        this.#hardState = record.hardState;
        return;
      case 'configuration':
        this.#voters = record.applied.configuration.voters ?? [];
        return;
      case 'head':
        if (this.records === 1) this.base = this.lastIndex = record.position.index;
        return;
      case 'start':
        this.base = Math.max(this.base, record.position.index);
        return;
      case 'installing':
        this.#voters = record.snapshot.configuration.voters ?? [];
        if (!isHead) this.#startBehind(record.snapshot.last.index);
        return;
      case 'installed':
        return;
      default:
        unreachable(record);
    }
  }

  #startBehind(index: number): void {
    const { term = 0, vote = 0, commit = 0 } = this.#hardState ?? {};
    this.#hardState = { term, vote, commit: Math.max(commit, index) };
    this.#runs.length = 0;
    this.base = index;
    this.lastIndex = index;
  }

  /** An entry replaces all from its index on. */
  #addEntry(term: number, index: number): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop();
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ term, first: index });
    this.lastIndex = index;
  }

  /** Names and values to print. */
  describe(formatVersion: number): [name: string, value: string][] {
    const count = this.#firstSegment === 0 ? 0 : this.#lastSegment - this.#firstSegment + 1;
    const segments = `${count} ${count === 1 ? 'segment' : 'segments'}`;
    const { term = 0, vote = 0, commit = 0 } = this.#hardState ?? {};
    return [
      ['log', `format ${formatVersion}, ${segments}, ${this.records} intact records`],
      ['voters', this.#voters.join(', ') || 'none'],
      ['entries', this.#describeEntries()],
      ['terms', this.#describeTerms()],
      ['hard state', `term ${term}, vote ${vote === 0 ? 'none' : vote}, commit ${commit}`],
    ];
  }

  #describeEntries(): string {
    if (this.lastIndex > this.base) return `${this.base + 1} to ${this.lastIndex}`;
    return this.base === 0 ? 'none' : `none, ${this.base} was the last`;
  }

  #describeTerms(): string {
    const all = this.#runs.flatMap(({ term, first }, at) => {
      const last = (this.#runs[at + 1]?.first ?? this.lastIndex + 1) - 1;
      return last > this.base ? [`${term}: ${Math.max(first, this.base + 1)} to ${last}`] : [];
    });
    const shown = all.slice(-termsShownMax);
    const earlier = all.length - shown.length;
    if (earlier > 0) shown.unshift(`${earlier} earlier`);
    return shown.join('; ') || 'none';
  }
}
