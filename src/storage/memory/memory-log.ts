/** The contents of a log in memory, as they are at one moment: the newest, or what would survive. */
import { assert } from '../../base/assert.js';
import type { ConfState } from '../../raft/configuration.js';
import type { Entry, HardState, LogId } from '../../raft/types.js';
import type { AppliedConfiguration, LogBatch, SnapshotMark } from '../log-store.js';

/** A change of the log, in the order in which it becomes durable. @since 0.1.0 */
export type LogChange =
  | { readonly kind: 'append'; readonly batch: LogBatch }
  | { readonly kind: 'installed'; readonly last: LogId }
  | { readonly kind: 'truncate'; readonly index: number };

/**
 * Entries behind a base, with what else a log keeps.
 *
 * @since 0.1.0
 */
export class MemoryLog {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  /** Position before the first entry. */
  base: LogId = { term: 0, index: 0 };
  entries: Entry[] = [];
  /** Ascending; from the one that was current at `base` on. */
  configurations: readonly AppliedConfiguration[];
  installing: SnapshotMark | undefined;

  /** @param configurations - those the log was started with */
  constructor(configurations: readonly AppliedConfiguration[]) {
    this.configurations = configurations;
  }

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  term(index: number): number | undefined {
    if (index === this.base.index) return this.base.term;
    return this.entries[index - this.base.index - 1]?.term;
  }

  /** Members at `index`: those that the newest change up to there left. */
  configurationAt(index: number): ConfState {
    const found = this.configurations.findLast((one) => one.index <= index);
    return (found ?? this.configurations[0])?.configuration ?? {};
  }

  change(change: LogChange): void {
    if (change.kind === 'append') this.#append(change.batch);
    else if (change.kind === 'installed') this.#installed(change.last);
    else this.#truncate(change.index);
  }

  copy(): MemoryLog {
    const copy = new MemoryLog(this.configurations);
    copy.hardState = this.hardState;
    copy.base = this.base;
    copy.entries = this.entries.slice();
    copy.installing = this.installing;
    return copy;
  }

  #append({ snapshot, configuration, hardState, entries }: LogBatch): void {
    if (snapshot !== undefined) {
      this.base = snapshot.last;
      this.entries = [];
      this.installing = snapshot;
      this.configurations = [{ index: snapshot.last.index, configuration: snapshot.configuration }];
    }
    if (configuration !== undefined) {
      const newest = this.configurations.at(-1)?.index ?? 0;
      // One that is known is of an entry that is applied again, after a restart.
      if (configuration.index > newest) {
        this.configurations = [...this.configurations, configuration];
      }
    }
    if (hardState !== undefined) this.hardState = hardState;
    const first = entries[0];
    if (first === undefined) return;
    const kept = first.index - this.base.index - 1;
    assert(
      kept >= 0 && kept <= this.entries.length,
      `append at ${first.index} to a log from ${this.base.index + 1} to ${this.lastIndex}`,
    );
    this.entries.length = kept;
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, `a hole before entry ${entry.index}`);
      this.entries.push(entry);
    }
  }

  #installed(last: LogId): void {
    const found = this.installing?.last;
    assert(
      found?.index === last.index && found.term === last.term,
      `the snapshot to ${last.index} is being installed`,
    );
    this.installing = undefined;
  }

  #truncate(index: number): void {
    if (index <= this.base.index) return;
    const term = this.term(index);
    assert(term !== undefined, `truncated to ${index} of ${this.lastIndex}`);
    this.entries.splice(0, index - this.base.index);
    this.base = { term, index };
    const current = this.configurations.findLastIndex((one) => one.index <= index);
    this.configurations = this.configurations.slice(Math.max(0, current));
  }
}
