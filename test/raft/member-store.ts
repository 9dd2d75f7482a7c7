/**
 * The disk of one simulated member. What was accepted and what would survive a crash are two images
 * of the same log; the core may read only where both agree, because it may read only what it was
 * told is durable.
 */
import type { LogReader, StorageAppend } from '../../src/raft/index.js';
import {
  type Entry,
  emptyHardState,
  type HardState,
  type InitialState,
  type MemberId,
} from '../../src/raft/index.js';
import { encodedBytes } from '../../src/raft/log.js';

/** Hard state and log at one moment. `entries[i]` has index i + 1. */
export class Image {
  hardState: HardState = emptyHardState;
  entries: Entry[] = [];

  get lastIndex(): number {
    return this.entries.length;
  }

  /** Term of `index`; 0 before the log, `undefined` after it. */
  term(index: number): number | undefined {
    return index === 0 ? 0 : this.entries[index - 1]?.term;
  }

  take(append: StorageAppend): void {
    if (append.hardState !== undefined) this.hardState = append.hardState;
    const first = append.entries[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex + 1) throw new Error(`store: hole before ${first.index}`);
    this.entries.length = first.index - 1;
    for (const entry of append.entries) this.entries.push(entry);
  }

  copy(): Image {
    const image = new Image();
    image.hardState = this.hardState;
    image.entries = this.entries.slice();
    return image;
  }
}

export class MemberStore implements LogReader {
  readonly #voters: readonly MemberId[];
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
    this.#voters = voters;
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

  /** Loses all but the first `survivors` writes that were not durable. */
  crash(survivors: number): void {
    const open = [...this.#unsynced, ...this.#queue];
    for (const append of open.slice(0, survivors)) this.durable.take(append);
    this.written = this.durable.copy();
    this.#unsynced = [];
    this.#queue = [];
    this.evictedTo = 0;
  }

  get openWrites(): number {
    return this.#unsynced.length + this.#queue.length;
  }

  /** Raised to the applied index at a restart, as recovery does when the stored commit lags. */
  raiseCommit(index: number): void {
    const { hardState } = this.durable;
    if (hardState.commit >= index) return;
    this.durable.hardState = { ...hardState, commit: index };
    this.written.hardState = this.durable.hardState;
  }

  initialState(): InitialState {
    return { hardState: this.durable.hardState, voters: this.#voters };
  }

  firstIndex(): number {
    return 1;
  }

  lastIndex(): number {
    return this.durable.lastIndex;
  }

  term(index: number): number | undefined {
    if (index < 0) return undefined;
    this.#checkReadable(index);
    return this.durable.term(index);
  }

  entries(
    range: { readonly lo: number; readonly hi: number },
    bytesMax: number,
  ): readonly Entry[] | 'pending' | undefined {
    const { lo, hi } = range;
    if (lo < 1) return undefined;
    this.#checkReadable(hi - 1);
    if (lo <= this.evictedTo) return 'pending';
    let bytes = 0;
    let end = lo;
    for (; end < hi; end += 1) {
      bytes += encodedBytes(this.durable.entries[end - 1]!);
      if (bytes > bytesMax && end > lo) break;
    }
    end = Math.min(hi, end + this.overshoot);
    return Object.freeze(this.durable.entries.slice(lo - 1, end - 1));
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
