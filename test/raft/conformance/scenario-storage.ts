/**
 * The disk of one member of a scenario: what was written, and what of it would survive the loss of
 * power. Writes that need no sync are lost with it, together with nothing else.
 */
import {
  type Configuration,
  type ConfState,
  type Entry,
  type HardState,
  type InitialState,
  type LogId,
  type LogReader,
  restoreConfiguration,
  type Snapshot,
} from '../../../src/raft/index.js';
import { encodedBytes } from '../../../src/raft/log.js';

/** What one write carries, as `StorageAppend` does. */
export interface StorageWrite {
  readonly hardState?: HardState;
  readonly snapshot?: Snapshot;
  readonly entries: readonly Entry[];
  readonly mustSync: boolean;
}

interface Image {
  readonly hardState: HardState;
  /** The position before the first entry. */
  readonly base: LogId;
  readonly entries: readonly Entry[];
}

export class ScenarioStorage implements LogReader {
  #current: Image;
  #durable: Image;
  /** Of the state machine, at its applied index. */
  #configuration: Configuration;

  constructor(options: {
    readonly hardState: HardState;
    readonly base: LogId;
    readonly configuration: ConfState;
  }) {
    this.#current = { hardState: options.hardState, base: options.base, entries: [] };
    this.#durable = this.#current;
    this.#configuration = restoreConfiguration(options.configuration);
  }

  /** Hard state, then a snapshot or entries. */
  write({ hardState, snapshot, entries, mustSync }: StorageWrite): void {
    const before = this.#current;
    const first = entries[0];
    if (snapshot !== undefined && first !== undefined) {
      throw new Error("can't apply snapshot and entries at the same time");
    }
    const base = snapshot?.last ?? before.base;
    let kept = snapshot === undefined ? before.entries : [];
    if (first !== undefined) {
      const keep = first.index - base.index - 1;
      if (keep < 0 || keep > kept.length) throw new Error(`no place for entry ${first.index}`);
      kept = [...kept.slice(0, keep), ...entries];
    }
    this.#current = { hardState: hardState ?? before.hardState, base, entries: kept };
    if (mustSync) this.#durable = this.#current;
  }

  /** Discards the log up to and including `index`. */
  compact(index: number): void {
    this.#current = compacted(this.#current, index);
    this.#durable = compacted(this.#durable, index);
  }

  /** A new process comes up. */
  restart(options: { readonly configuration: ConfState; readonly loseUnsynced: boolean }): void {
    if (options.loseUnsynced) this.#current = this.#durable;
    this.#configuration = restoreConfiguration(options.configuration);
  }

  get log(): readonly Entry[] {
    return this.#current.entries;
  }

  initialState(): InitialState {
    return { ...this.#configuration, hardState: this.#current.hardState };
  }

  firstIndex(): number {
    return this.#current.base.index + 1;
  }

  lastIndex(): number {
    return this.#current.base.index + this.#current.entries.length;
  }

  term(index: number): number | undefined {
    return termAt(this.#current, index);
  }

  entries(
    { lo, hi }: { readonly lo: number; readonly hi: number },
    bytesMax: number,
  ): readonly Entry[] | undefined {
    const { base, entries } = this.#current;
    if (lo <= base.index) return undefined;
    if (hi > this.lastIndex() + 1) throw new Error(`entries up to ${hi} of ${this.lastIndex()}`);
    const page: Entry[] = [];
    let bytes = 0;
    for (const entry of entries.slice(lo - base.index - 1, hi - base.index - 1)) {
      bytes += encodedBytes(entry);
      if (page.length > 0 && bytes > bytesMax) break;
      page.push(entry);
    }
    return page;
  }
}

function termAt({ base, entries }: Image, index: number): number | undefined {
  return index === base.index ? base.term : entries[index - base.index - 1]?.term;
}

function compacted(image: Image, index: number): Image {
  if (index <= image.base.index)
    throw new Error('requested index is unavailable due to compaction');
  const term = termAt(image, index);
  if (term === undefined) throw new Error(`compact ${index} is out of bound`);
  const entries = image.entries.slice(index - image.base.index);
  return { ...image, base: { index, term }, entries };
}
