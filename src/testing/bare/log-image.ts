/** Hard state, log and snapshot of a simulated member at one moment: what a disk holds. */
import { assert } from '../../base/assert.js';
import {
  type Entry,
  emptyHardState,
  type HardState,
  type LogId,
  type Snapshot,
  type StorageAppend,
  zeroLogId,
} from '../../raft/index.js';

/**
 * One image of a log. `entries[i]` has index `base.index + 1 + i`.
 *
 * @since 0.1.0
 */
export class LogImage {
  hardState: HardState = emptyHardState;
  /** The last entry that is no longer kept. */
  base: LogId = zeroLogId;
  entries: Entry[] = [];
  /** The last snapshot that came from a leader. */
  snapshot: Snapshot | undefined;

  get firstIndex(): number {
    return this.base.index + 1;
  }

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  entry(index: number): Entry | undefined {
    return this.entries[index - this.base.index - 1];
  }

  /** Term of `index`; that of the base before the log, `undefined` outside it. */
  term(index: number): number | undefined {
    return index === this.base.index ? this.base.term : this.entry(index)?.term;
  }

  /** Takes a whole write. */
  take({ hardState, snapshot, entries }: StorageAppend): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (snapshot !== undefined) this.#replace(snapshot);
    this.#put(entries);
  }

  /**
   * Takes the beginning of a write that a crash cut.
   *
   * @param parts - how much: hard state, snapshot and each entry are a part, in this order. The
   *   commit index of a torn write counts as far as its entries do: it may be about one that was to
   *   replace another
   */
  takeTorn(append: StorageAppend, parts: number): void {
    const { hardState, snapshot, entries } = append;
    if (parts <= 0) return;
    const { commit } = this.hardState;
    if (hardState !== undefined) this.hardState = hardState;
    if (snapshot !== undefined && parts > 1) this.#replace(snapshot);
    const taken = entries.slice(0, Math.max(0, parts - 2));
    this.#put(taken);
    if (taken.length === entries.length && parts > 1) return;
    const replaced = snapshot !== undefined && parts === 1 ? 1 : (entries[0]?.index ?? Infinity);
    const sound = Math.min(this.lastIndex, replaced - 1 + taken.length);
    const clamped = Math.max(commit, Math.min(this.hardState.commit, sound));
    this.hardState = { ...this.hardState, commit: clamped };
  }

  #replace(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.base = snapshot.last;
    this.entries = [];
  }

  #put(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index <= this.lastIndex + 1, `store: no hole before ${first.index}`);
    assert(first.index > this.base.index, `store: ${first.index} is not compacted`);
    this.entries.length = first.index - this.base.index - 1;
    for (const entry of entries) this.entries.push(entry);
  }

  /** Forgets entries up to `index`. */
  compact(index: number): void {
    const term = this.term(index);
    if (term === undefined || index <= this.base.index) return;
    this.entries = this.entries.slice(index - this.base.index);
    this.base = { index, term };
  }

  copy(): LogImage {
    const image = new LogImage();
    image.hardState = this.hardState;
    image.base = this.base;
    image.entries = this.entries.slice();
    image.snapshot = this.snapshot;
    return image;
  }
}
