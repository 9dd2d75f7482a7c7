/**
 * The disk of one member in the scenarios: a log behind an optional snapshot, written in one go.
 * What the core hands out lies with the member until it is written here, so this is always durable.
 */
import {
  type ConfState,
  type Entry,
  emptyHardState,
  type HardState,
  type InitialState,
  type LogId,
  type LogReader,
  type Snapshot,
  type StorageAppend,
  zeroLogId,
} from '../../../src/raft/index.js';
import { encodedBytes } from '../../../src/raft/log.js';
import { entriesOf } from '../member-store.js';

export interface DiskContent {
  readonly configuration: ConfState;
  /** Terms of the entries behind `start`. */
  readonly terms?: readonly number[] | undefined;
  /** Where the log begins: the last entry of a snapshot that is there too. */
  readonly start?: LogId | undefined;
  readonly hardState?: HardState | undefined;
}

export class Disk implements LogReader {
  readonly #configuration: ConfState;
  #start: LogId;
  #entries: Entry[];
  hardState: HardState;
  snapshot: Snapshot | undefined;

  constructor({ configuration, terms = [], start, hardState = emptyHardState }: DiskContent) {
    this.#configuration = configuration;
    this.#start = start ?? zeroLogId;
    this.#entries = entriesOf(terms, this.#start.index + 1);
    this.hardState = hardState;
    if (start !== undefined) this.snapshot = snapshotAt(start, configuration);
  }

  write({ hardState, snapshot, entries }: StorageAppend): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (snapshot !== undefined) {
      this.snapshot = snapshot;
      this.#start = snapshot.last;
      this.#entries = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    const kept = first.index - this.#start.index - 1;
    if (kept < 0 || kept > this.#entries.length)
      throw new Error(`disk: no place for ${first.index}`);
    this.#entries = [...this.#entries.slice(0, kept), ...entries];
  }

  /** Keeps a snapshot at `index` instead of the entries up to there. */
  compact(index: number, configuration: ConfState): void {
    const term = this.term(index);
    if (term === undefined) throw new Error(`disk: nothing to compact at ${index}`);
    this.#entries = this.#entries.slice(index - this.#start.index);
    this.#start = { index, term };
    this.snapshot = snapshotAt(this.#start, configuration);
  }

  /** Terms of the entries that are kept. */
  get terms(): readonly number[] {
    return this.#entries.map((entry) => entry.term);
  }

  get log(): readonly Entry[] {
    return this.#entries;
  }

  initialState(): InitialState {
    const { voters = [], ...others } = this.#configuration;
    return { hardState: this.hardState, voters, ...others };
  }

  firstIndex(): number {
    return this.#start.index + 1;
  }

  lastIndex(): number {
    return this.#start.index + this.#entries.length;
  }

  term(index: number): number | undefined {
    if (index === this.#start.index) return this.#start.term;
    return this.#entries[index - this.firstIndex()]?.term;
  }

  entries(range: { readonly lo: number; readonly hi: number }, bytesMax: number) {
    if (range.lo < this.firstIndex()) return undefined;
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = range.lo; index < range.hi; index += 1) {
      const entry = this.#entries[index - this.firstIndex()];
      if (entry === undefined) throw new Error(`disk: the core reads ${index}, which is not there`);
      bytes += encodedBytes(entry);
      if (bytes > bytesMax && entries.length > 0) break;
      entries.push(entry);
    }
    return Object.freeze(entries);
  }
}

export function snapshotAt(last: LogId, configuration: ConfState): Snapshot {
  return { last, configuration, data: new TextEncoder().encode(`state at ${last.index}`) };
}
