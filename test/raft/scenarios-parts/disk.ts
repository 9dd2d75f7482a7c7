/**
 * The disk of one member of a scenario: log, hard state and snapshot, as accepted and as a crash would
 * leave them. Unlike a real store it refuses to answer where the two differ, because the core may read
 * only what it was told is durable.
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

export interface DiskContent {
  /** Position before the first entry; default the start of everything. */
  readonly base?: LogId;
  /** Terms of the entries behind it. */
  readonly terms?: readonly number[];
  /** The entries themselves, instead of `terms`. */
  readonly entries?: readonly Entry[];
  readonly hardState?: HardState;
  readonly configuration?: ConfState;
}

/** Everything at one moment. */
class Image {
  hardState: HardState = emptyHardState;
  base: LogId = zeroLogId;
  entries: Entry[] = [];

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  term(index: number): number | undefined {
    if (index === this.base.index) return this.base.term;
    return this.entries[index - this.base.index - 1]?.term;
  }

  take({ hardState, snapshot, entries }: Omit<StorageAppend, 'mustSync' | 'responses'>): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (snapshot !== undefined) {
      this.base = snapshot.last;
      this.entries = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    if (first.index <= this.base.index || first.index > this.lastIndex + 1) {
      throw new Error(`disk: ${first.index} after ${this.base.index}..${this.lastIndex}`);
    }
    this.entries.length = first.index - this.base.index - 1;
    for (const entry of entries) this.entries.push(entry);
  }

  copy(): Image {
    const image = new Image();
    image.hardState = this.hardState;
    image.base = this.base;
    image.entries = this.entries.slice();
    return image;
  }
}

export class Disk implements LogReader {
  /** What a crash leaves. */
  durable = new Image();
  /** What was accepted. */
  written = new Image();
  readonly #queue: StorageAppend[] = [];
  /** Members after each index at which they changed. */
  #configurations: { readonly index: number; readonly configuration: ConfState }[];
  /** Set before a restart: configurations after it are not known to the state machine. */
  applied = 0;
  /** Entries handed out beyond `bytesMax`, when there are any. */
  overshoot = 0;
  /** Entries up to here answer `pending`. */
  evictedTo = 0;

  constructor(content: DiskContent = {}) {
    const { base = zeroLogId, hardState, configuration = {} } = content;
    const entries = content.entries ?? entriesOf(content.terms ?? [], base.index + 1);
    const term = entries.at(-1)?.term ?? base.term;
    for (const image of [this.durable, this.written]) {
      image.base = base;
      image.take({ entries });
      image.hardState = hardState ?? { term, vote: 0, commit: base.index };
    }
    this.#configurations = [{ index: base.index, configuration }];
  }

  get pending(): readonly StorageAppend[] {
    return this.#queue;
  }

  accept(append: StorageAppend): void {
    const { snapshot } = append;
    if (snapshot !== undefined) this.configured(snapshot.last.index, snapshot.configuration);
    this.written.take(append);
    this.#queue.push(append);
  }

  /** Makes the oldest write durable. */
  complete(): StorageAppend {
    const append = this.#queue.shift();
    if (append === undefined) throw new Error('disk: nothing to complete');
    this.durable.take(append);
    return append;
  }

  /** Loses all but the first `survivors` writes that were not answered. */
  crash(survivors = 0): void {
    for (const append of this.#queue.splice(0).slice(0, survivors)) this.durable.take(append);
    this.written = this.durable.copy();
  }

  configured(index: number, configuration: ConfState): void {
    this.#configurations.push({ index, configuration });
  }

  /** Drops entries up to `index` from both images. */
  compact(index: number): void {
    for (const image of [this.durable, this.written]) {
      const term = image.term(index);
      if (term === undefined) throw new Error(`disk: ${index} is not in the log`);
      image.entries.splice(0, index - image.base.index);
      image.base = { index, term };
    }
  }

  initialState(): InitialState {
    const at = Math.max(this.applied, this.durable.base.index);
    const found = this.#configurations.findLast((each) => each.index <= at)?.configuration ?? {};
    return { ...found, voters: found.voters ?? [], hardState: this.durable.hardState };
  }

  firstIndex(): number {
    return this.durable.base.index + 1;
  }

  lastIndex(): number {
    return this.durable.lastIndex;
  }

  term(index: number): number | undefined {
    this.#checkReadable(index);
    return this.durable.term(index);
  }

  entries(range: { readonly lo: number; readonly hi: number }, bytesMax: number) {
    const { lo, hi } = range;
    const { base, entries } = this.durable;
    if (lo <= base.index) return undefined;
    if (lo <= this.evictedTo) return 'pending';
    this.#checkReadable(hi - 1);
    let bytes = 0;
    let end = lo;
    for (; end < hi; end += 1) {
      bytes += encodedBytes(entries[end - base.index - 1]!);
      if (bytes > bytesMax && end > lo) break;
    }
    end = Math.min(hi, end + this.overshoot);
    return Object.freeze(entries.slice(lo - base.index - 1, end - base.index - 1));
  }

  #checkReadable(index: number): void {
    const durable = this.durable.term(index);
    const written = this.written.term(index);
    if (durable !== undefined && durable === written) return;
    throw new Error(`disk: the core reads ${index}, durable ${durable}, written ${written}`);
  }
}

/** A snapshot of members, without anything in it. */
export function snapshotAt(index: number, term: number, configuration: ConfState): Snapshot {
  return { last: { index, term }, configuration, data: bytes(`state at ${index}`) };
}

/** Entries of these terms from `first` on, each with bytes that name it. */
export function entriesOf(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, at) => entryOf(term, first + at));
}

export function entryOf(term: number, index: number, data = bytes(`${index}@${term}`)): Entry {
  return Object.freeze({ term, index, type: 'normal', data });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
