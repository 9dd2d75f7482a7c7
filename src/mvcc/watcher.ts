/**
 * One watcher's place in the sequence of revisions, and its bounded queue. A watcher is always in
 * one of three states; it never skips, repeats or goes back (invariants W1, W2, W4).
 *
 * ```
 * synced       queue holds everything that is not taken yet     -- queue full, reset -->  behind
 * behind       nothing is queued; history serves from #gapFrom  -- catchUp() -->  catching up
 * catching up  history serves [#gapFrom, #gapEnd), the queue what comes after
 *                                                               -- caughtUp() -->  any of the three
 * ```
 */
import { assert } from '../base/assert.js';
import type { History, RevisionEvents } from './history-query.js';
import type { KeySelection } from './types.js';

/** What a watcher that is behind must read from history. @since 0.1.0 */
export interface CatchUp {
  readonly keys: KeySelection;
  readonly fromRevision: number;
  /** Inclusive. */
  readonly upTo: number;
}

/** How a {@link Watcher} is tied to its hub. @since 0.1.0 */
export interface WatcherOptions {
  readonly keys: KeySelection;
  /** First revision to deliver. */
  readonly startRevision: number;
  /** Whether that revision is past already. */
  readonly isBehind: boolean;
  readonly eventsMax: number;
  /** Newest revision there is. */
  readonly revisionNow: () => number;
  readonly onClose: (watcher: Watcher) => void;
  /** Called when there is something to take or to catch up on; must only schedule, not throw. */
  readonly onReady: (() => void) | undefined;
}

/**
 * Made by `WatchHub.watch`. Caller: one consumer, which asks {@link take} and, when
 * {@link isBehind}, reads what {@link catchUp} names and hands it to {@link caughtUp}.
 *
 * @since 0.1.0
 */
export class Watcher {
  readonly keys: KeySelection;
  /** First revision this watcher delivers, if it changes one of its keys. */
  readonly startRevision: number;
  readonly #options: WatcherOptions;
  /** While synced or catching up: the first revision that may still be queued. */
  #position: number;
  /** First revision that must come from history; `undefined` while synced. */
  #gapFrom: number | undefined;
  /** First revision that history need not serve; `undefined` unless catching up. */
  #gapEnd: number | undefined;
  #request: CatchUp | undefined;
  #queue: RevisionEvents[] = [];
  #queuedEvents = 0;
  /** While catching up: whether the queue still has everything from #gapEnd on. */
  #isQueueWhole = true;
  #isClosed = false;

  /** Made by `WatchHub.watch`. */
  constructor(options: WatcherOptions) {
    this.keys = options.keys;
    this.startRevision = options.startRevision;
    this.#options = options;
    this.#position = options.startRevision;
    if (options.isBehind) this.#gapFrom = options.startRevision;
  }

  /** Whether what comes next must be read from history. */
  get isBehind(): boolean {
    return this.#gapFrom !== undefined;
  }

  /** Revisions waiting in the queue, in order and whole; `undefined` for none. */
  take(): readonly RevisionEvents[] | undefined {
    if (this.#gapFrom !== undefined || this.#queue.length === 0) return undefined;
    const taken = this.#queue;
    this.#clearQueue();
    return taken;
  }

  /**
   * Starts catching up, one request at a time: what to read from history. `undefined` when nothing
   * is missing after all, or the watcher is closed.
   */
  catchUp(): CatchUp | undefined {
    const from = this.#gapFrom;
    if (from === undefined || this.#isClosed) return undefined;
    if (this.#gapEnd === undefined) {
      const end = this.#options.revisionNow() + 1;
      this.#position = Math.max(from, end);
      if (from >= end) {
        this.#gapFrom = undefined;
        return undefined;
      }
      this.#gapEnd = end;
      this.#isQueueWhole = true;
    }
    this.#request = { keys: this.keys, fromRevision: from, upTo: this.#gapEnd - 1 };
    return this.#request;
  }

  /**
   * Takes the answer to {@link catchUp}.
   *
   * @returns what to deliver; `undefined` when the request was overtaken by a reset or a close
   */
  caughtUp(request: CatchUp, history: History): readonly RevisionEvents[] | undefined {
    if (request !== this.#request || this.#isClosed) return undefined;
    const { nextRevision } = history;
    const end = request.upTo + 1;
    assert(nextRevision > request.fromRevision, 'history goes on');
    assert(nextRevision <= end, `history ends where asked: ${nextRevision} <= ${end}`);
    this.#request = undefined;
    if (nextRevision < end) this.#gapFrom = nextRevision;
    else {
      this.#gapFrom = this.#isQueueWhole ? undefined : end;
      this.#gapEnd = undefined;
    }
    return history.revisions;
  }

  /** Stops the watcher and forgets its queue. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clearQueue();
    this.#options.onClose(this);
  }

  /** The hub's: queues a revision, or falls behind from it on. */
  _offer(group: RevisionEvents): void {
    if (group.revision < this.#position || this.#isClosed) return;
    if (this.#gapFrom !== undefined && (this.#gapEnd === undefined || !this.#isQueueWhole)) return;
    const count = this.#queuedEvents + group.events.length;
    if (count > this.#options.eventsMax) {
      this.#overflow(group.revision);
    } else {
      this.#queue.push(group);
      this.#queuedEvents = count;
      this.#position = group.revision + 1;
    }
    this.#options.onReady?.();
  }

  /** The hub's: what came after `revisionBefore` was not offered and must come from history. */
  _reset(revisionBefore: number): void {
    if (this.#isClosed) return;
    if (this.#gapFrom === undefined) {
      const next = Math.max(this.#position, revisionBefore + 1);
      this.#gapFrom = this.#queue[0]?.revision ?? next;
    }
    this.#clearQueue();
    this.#gapEnd = undefined;
    this.#request = undefined;
    this.#options.onReady?.();
  }

  #overflow(revision: number): void {
    if (this.#gapFrom === undefined) this.#gapFrom = this.#queue[0]?.revision ?? revision;
    else this.#isQueueWhole = false;
    this.#clearQueue();
  }

  #clearQueue(): void {
    this.#queue = [];
    this.#queuedEvents = 0;
  }
}
