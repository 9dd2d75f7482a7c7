/**
 * How the core reads what is already persisted. The storage layer implements it; the core never
 * writes through it.
 */
import type { ConfState } from './configuration.js';
import type { Entry, HardState, MemberId } from './types.js';

/**
 * What a member starts from: its hard state, and the configuration that was current at the applied
 * index. Lists other than `voters` may be absent when empty.
 *
 * @since 0.1.0
 */
export interface InitialState extends ConfState {
  /** All zero on a first start. */
  readonly hardState: HardState;
  /** Members that vote; none on a member that waits for its first snapshot. */
  readonly voters: readonly MemberId[];
}

/**
 * Synchronous view of the persisted log.
 *
 * Caller: the core, inside `step`, `tick`, `propose` and `ready`; never concurrently. It sees an
 * append as soon as the storage has *accepted* it in order, but the core asks only for indexes
 * whose append it was told is durable. A method that throws stops the member.
 *
 * @since 0.1.0
 */
export interface LogReader {
  /** Called once, when the core is built. */
  initialState(): InitialState;
  /** First index that is kept; `lastIndex() + 1` while the log is empty. */
  firstIndex(): number;
  /** Last index that is kept; `firstIndex() - 1` while the log is empty. */
  lastIndex(): number;
  /** Term of `index`, for `firstIndex() - 1 <= index <= lastIndex()`; otherwise `undefined`. */
  term(index: number): number | undefined;
  /**
   * Consecutive entries from `lo` (inclusive) up to `hi` (exclusive), cut to about `bytesMax`
   * encoded bytes but never to nothing. `'pending'` when they are not in memory: the core then
   * lists the range in `Ready.fetch` and asks again after `entriesFetched`. Entries above the
   * applied index are never pending. `undefined` when `lo` is below `firstIndex()`.
   */
  entries(
    range: { readonly lo: number; readonly hi: number },
    bytesMax: number,
  ): readonly Entry[] | 'pending' | undefined;
}
