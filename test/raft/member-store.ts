/**
 * The disk of one simulated member. What was accepted and what would survive a crash are two images
 * of the same log; the core may read only where both agree, because it may read only what it was
 * told is durable.
 */
import type { LogReader, StorageAppend } from '../../src/raft/index.js';
import {
  type ConfState,
  type Entry,
  emptyHardState,
  type HardState,
  type InitialState,
  type LogId,
  type MemberId,
  type Snapshot,
  zeroLogId,
} from '../../src/raft/index.js';
import { encodedBytes } from '../../src/raft/log.js';

/** Hard state and log at one moment. `entries[i]` has index `base.index + 1 + i`. */
export class Image {
  hardState: HardState = emptyHardState;
  /** The last entry that is no longer kept. */
  base: LogId = zeroLogId;
  entries: Entry[] = [];
  /** The last snapshot that came from a leader. */
  snapshot: Snapshot | undefined;

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  entry(index: number): Entry | undefined {
    return this.entries[index - this.base.index - 1];
  }

  /** Term of `index`; 0 before the log, `undefined` outside it. */
  term(index: number): number | undefined {
    return index === this.base.index ? this.base.term : this.entry(index)?.term;
  }

  /**
   * @param parts - how much of the write: hard state, snapshot and each entry are a part, in this
   *   order. The commit index in a torn write counts as far as the entries do: it may be about one
   *   that was to replace another.
   */
  take(append: StorageAppend, parts = Infinity): void {
    const { hardState, snapshot, entries } = append;
    if (parts <= 0) return;
    const { commit } = this.hardState;
    if (hardState !== undefined) this.hardState = hardState;
    if (snapshot !== undefined && parts > 1) {
      this.snapshot = snapshot;
      this.base = snapshot.last;
      this.entries = [];
    }
    const taken = entries.slice(0, Math.max(0, parts - 2));
    this.#put(taken);
    if (taken.length === entries.length && parts > 1) return;
    const replaced = snapshot !== undefined && parts === 1 ? 1 : (entries[0]?.index ?? Infinity);
    const sound = Math.min(this.lastIndex, replaced - 1 + taken.length);
    const clamped = Math.max(commit, Math.min(this.hardState.commit, sound));
    this.hardState = { ...this.hardState, commit: clamped };
  }

  #put(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex + 1) throw new Error(`store: hole before ${first.index}`);
    if (first.index <= this.base.index) throw new Error(`store: ${first.index} is compacted`);
    this.entries.length = first.index - this.base.index - 1;
    for (const entry of entries) this.entries.push(entry);
  }

  compact(index: number): void {
    const term = this.term(index);
    if (term === undefined || index <= this.base.index) return;
    this.entries = this.entries.slice(index - this.base.index);
    this.base = { index, term };
  }

  copy(): Image {
    const image = new Image();
    image.hardState = this.hardState;
    image.base = this.base;
    image.entries = this.entries.slice();
    image.snapshot = this.snapshot;
    return image;
  }
}

export class MemberStore implements LogReader {
  /** Current at the applied index from which the member starts. */
  configuration: ConfState;
  /** What a crash leaves at least. */
  durable = new Image();
  /** What was accepted, durable or not. */
  written = new Image();
  /** Answered without being forced to disk: legal for commit-only writes. */
  #unsynced: StorageAppend[] = [];
  /** Accepted, not answered. */
  #queue: StorageAppend[] = [];
  /** Entries up to here are not in memory. */
  evictedTo = 0;
  /** Entries handed out beyond `bytesMax` when there are any: budgets are about right, not exact. */
  overshoot = 0;

  constructor(voters: readonly MemberId[]) {
    this.configuration = { voters };
  }

  /** A store that already holds entries of these terms, from index 1 on. */
  static of(
    voters: readonly MemberId[],
    content: { readonly terms?: readonly number[]; readonly hardState?: HardState },
  ): MemberStore {
    const store = new MemberStore(voters);
    const terms = content.terms ?? [];
    const term = terms[terms.length - 1] ?? 0;
    const entries = entriesOf(terms);
    const hardState = content.hardState ?? { term, vote: 0, commit: 0 };
    for (const image of [store.durable, store.written]) {
      image.take({ entries, hardState, mustSync: true, responses: [] });
    }
    return store;
  }

  /** A store whose log begins behind `base`, with that committed. */
  static behind(base: LogId): MemberStore {
    const store = new MemberStore([]);
    for (const image of [store.durable, store.written]) {
      image.base = base;
      image.hardState = { term: base.term, vote: 0, commit: base.index };
    }
    return store;
  }

  get pendingAppends(): number {
    return this.#queue.length;
  }

  accept(append: StorageAppend): void {
    this.written.take(append);
    this.#queue.push(append);
  }

  /**
   * Finishes the oldest accepted write.
   *
   * @param force - sync it even if it need not be
   */
  complete(force = true): StorageAppend | undefined {
    const append = this.#queue.shift();
    if (append === undefined) return undefined;
    this.#unsynced.push(append);
    if (force || append.mustSync) {
      for (const each of this.#unsynced) this.durable.take(each);
      this.#unsynced = [];
    }
    return append;
  }

  /** Loses all but the first `survivors` writes that were not durable, and `parts` of the next. */
  crash(survivors: number, parts = 0): void {
    const open = [...this.#unsynced, ...this.#queue];
    for (const append of open.slice(0, survivors)) this.durable.take(append);
    const torn = open[survivors];
    if (torn !== undefined) this.durable.take(torn, parts);
    this.written = this.durable.copy();
    this.#unsynced = [];
    this.#queue = [];
    this.evictedTo = 0;
  }

  get openWrites(): number {
    return this.#unsynced.length + this.#queue.length;
  }

  /** Forgets entries up to `index`; the state machine has them durably. */
  compact(index: number): void {
    this.durable.compact(index);
    this.written.compact(index);
  }

  /** Raised to the applied index at a restart, as recovery does when the stored commit lags. */
  raiseCommit(index: number): void {
    const { hardState } = this.durable;
    if (hardState.commit >= index) return;
    this.durable.hardState = { ...hardState, commit: index };
    this.written.hardState = this.durable.hardState;
  }

  initialState(): InitialState {
    return { voters: [], ...this.configuration, hardState: this.durable.hardState } as InitialState;
  }

  firstIndex(): number {
    return this.durable.base.index + 1;
  }

  lastIndex(): number {
    return this.durable.lastIndex;
  }

  term(index: number): number | undefined {
    if (index < this.durable.base.index) return undefined;
    this.#checkReadable(index);
    return this.durable.term(index);
  }

  entries(
    range: { readonly lo: number; readonly hi: number },
    bytesMax: number,
  ): readonly Entry[] | 'pending' | undefined {
    const { lo, hi } = range;
    const { base, entries } = this.durable;
    if (lo <= base.index) return undefined;
    this.#checkReadable(hi - 1);
    if (lo <= this.evictedTo) return 'pending';
    let bytes = 0;
    let end = lo;
    for (; end < hi; end += 1) {
      bytes += encodedBytes(entries[end - base.index - 1]!);
      if (bytes > bytesMax && end > lo) break;
    }
    end = Math.min(hi, end + this.overshoot);
    return Object.freeze(entries.slice(lo - base.index - 1, end - base.index - 1));
  }

  /** A range that the core waited for is in memory from now on. */
  load(lo: number): void {
    this.evictedTo = Math.min(this.evictedTo, lo - 1);
  }

  #checkReadable(index: number): void {
    const durable = this.durable.term(index);
    if (durable === undefined || durable !== this.written.term(index)) {
      throw new Error(
        `store: the core reads entry ${index}, durable with term ${durable}, ` +
          `written with term ${this.written.term(index)}`,
      );
    }
  }
}

/** Entries of these terms from `first` on, each with bytes that name its position. */
export function entriesOf(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, i) => entryOf(term, first + i));
}

export function entryOf(term: number, index: number): Entry {
  const data = new TextEncoder().encode(`${index}@${term}`);
  return Object.freeze({ term, index, type: 'normal', data });
}
