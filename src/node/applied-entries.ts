/**
 * What follows when entries are applied here (step 12 of the walk of a put): waiters settle, reads that
 * waited for the index are served, the core hears of it.
 */
import type { StorageApply } from '../raft/ready.js';
import type { LogId } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { Inbox } from './inbox.js';
import type { NodeObserver } from './observer.js';
import type { Proposals } from './proposals.js';
import type { Reads } from './reads.js';
import type { ApplyResult, RequestId } from './state-machine.js';

/** @since 0.1.0 */
export interface AppliedEntriesParts {
  readonly log: Pick<LogStore, 'applied'>;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly inbox: Inbox;
  readonly observer: NodeObserver | undefined;
}

/** @since 0.1.0 */
export class AppliedEntries {
  readonly #parts: AppliedEntriesParts;
  #index: number;

  /** @param index - last entry in the state machine */
  constructor(parts: AppliedEntriesParts, index: number) {
    this.#parts = parts;
    this.#index = index;
  }

  /** Last entry that is applied here. */
  get index(): number {
    return this.#index;
  }

  /** Whether somebody here waits for what an entry names. */
  isAwaited(id: RequestId): boolean {
    return this.#parts.proposals.isAwaited(id);
  }

  /** The state machine took a batch. */
  take(batch: StorageApply, results: readonly ApplyResult[]): void {
    const { inbox, observer, proposals } = this.#parts;
    for (let at = 0; at < results.length; at += 1) {
      proposals.termApplied(batch.entries[at]?.term ?? 0);
      proposals.applied(results[at] as ApplyResult);
    }
    observer?.applied(batch.entries, results);
    this.#moveTo(batch.response.index);
    inbox.push(batch.response);
  }

  /**
   * A snapshot took the place of the state.
   *
   * @param sent - proposals that it may carry
   */
  installed({ index, term }: LogId, sent: readonly number[]): void {
    const { observer, proposals } = this.#parts;
    observer?.installed(index);
    proposals.overtaken(sent);
    proposals.termApplied(term);
    this.#moveTo(index);
  }

  #moveTo(index: number): void {
    this.#index = index;
    this.#parts.log.applied(index);
    this.#parts.reads.applied(index);
  }
}
