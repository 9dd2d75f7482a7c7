/**
 * The moving part of a watch: takes from the hub while the watcher keeps up, and reads history while
 * it does not, never more than its consumer asks for. Written by hand, not as an async generator, so
 * that a waiting `next()` can be settled from outside and traces replay on every Node version.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { isPromise } from '../base/is-promise.js';
import type {
  CatchUp,
  History,
  HistoryRange,
  RevisionEvents,
  WatchConsumer,
  Watcher,
} from '../mvcc/index.js';
import type { BookmarkTurns } from './bookmark-turns.js';
import { batchOf, type WatchBatch } from './watch-batch.js';

/** Why a watch is over: closed, or an error still to be thrown once. @since 0.1.0 */
export interface WatchEnd {
  readonly isError: boolean;
  readonly error?: unknown;
}

/** Who made a {@link WatchStream}. @since 0.1.0 */
export interface WatchStreamOwner {
  readonly _history: (range: HistoryRange) => History | Promise<History>;
  readonly _turns: BookmarkTurns | undefined;
  /** Called once. */
  _ended(end: WatchEnd): void;
}

type Next = IteratorResult<WatchBatch, undefined>;

const over: WatchEnd = { isError: false };
const finished: Next = { done: true, value: undefined };

/**
 * A watch's one iterator, and the hub's consumer. It holds no events: what the consumer does not
 * ask for stays in the watcher's bounded queue, or in history.
 *
 * @since 0.1.0
 */
export class WatchStream implements AsyncIterator<WatchBatch, undefined>, WatchConsumer {
  readonly #owner: WatchStreamOwner;
  readonly #withPrevious: boolean;
  #watcher: Watcher | undefined = undefined;
  #end: WatchEnd | undefined = undefined;
  /** Of the `next()` that waits. Its `reject` is not kept: 100,000 of them weigh 7 MiB. */
  #resolve: ((next: Next | Promise<never>) => void) | undefined = undefined;
  #isReading = false;
  #wantsBookmark = false;
  /** In which the last bookmark was given. */
  #bookmarkTurn = -1;
  #awaitsTurn = false;
  /** No event since the last {@link tick}. */
  #isQuiet = false;

  /**
   * @param owner - told of the end, asked for history
   * @param withPrevious - whether events carry the version before
   */
  constructor(owner: WatchStreamOwner, withPrevious: boolean) {
    this.#owner = owner;
    this.#withPrevious = withPrevious;
  }

  /** Whether it is over. */
  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Gives it the watcher it reads; once. */
  follow(watcher: Watcher): void {
    assert(this.#watcher === undefined, 'a stream follows one watcher');
    this.#watcher = watcher;
  }

  next(): Promise<Next> {
    if (this.#resolve !== undefined) {
      return Promise.reject(kontikiError('ITERATOR_BUSY', 'a next() is waiting already'));
    }
    if (this.#end !== undefined) return this.#settleEnd();
    const batch = this.#takeBatch();
    if (batch !== undefined) return Promise.resolve({ done: false, value: batch });
    const waiting = new Promise<Next>((resolve) => {
      this.#resolve = resolve;
    });
    this.#advance();
    return waiting;
  }

  return(): Promise<Next> {
    this.finish(over);
    return Promise.resolve(finished);
  }

  /** The hub's. */
  offer(revision: RevisionEvents): boolean {
    if (this.#resolve === undefined || this.#isReading) return false;
    this.#isQuiet = false;
    this.#deliver(batchOf([revision], this.#withPrevious));
    return true;
  }

  /** The hub's. */
  ready(): void {
    this.#advance();
  }

  /** See `Watch.requestProgress`. */
  requestProgress(): void {
    const watcher = this.#watcher;
    if (watcher === undefined || watcher.isEarly) return;
    this.#wantsBookmark = true;
    this.#advance();
  }

  /** Asks for a bookmark unless there was an event since the last call. */
  tick(): void {
    if (this.#isQuiet) this.requestProgress();
    this.#isQuiet = true;
  }

  /** Ends it; a waiting `next()` is told, otherwise the following one is. Idempotent. */
  finish(end: WatchEnd): void {
    if (this.#end !== undefined) return;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#end = resolve === undefined ? end : over;
    this.#watcher?.close();
    this.#watcher = undefined;
    resolve?.(end.isError ? Promise.reject(end.error) : finished);
    this.#owner._ended(end);
  }

  /** Serves the waiting `next()`, if there is one and there is something for it. */
  #advance(): void {
    while (this.#resolve !== undefined && !this.#isReading) {
      const batch = this.#takeBatch();
      if (batch !== undefined) this.#deliver(batch);
      else if (!this.#readHistory()) return;
    }
  }

  #takeBatch(): WatchBatch | undefined {
    const watcher = this.#watcher;
    if (watcher === undefined) return undefined;
    const revisions = watcher.take();
    if (revisions !== undefined) {
      this.#isQuiet = false;
      return batchOf(revisions, this.#withPrevious);
    }
    if (!this.#wantsBookmark) return undefined;
    // Only when nothing is undelivered: a bookmark never overtakes an event (incident 15220).
    const revision = watcher.progress;
    if (revision === undefined || !this.#isBookmarkDue()) return undefined;
    this.#wantsBookmark = false;
    return { revision, events: [] };
  }

  /** Otherwise it looks again in the next turn. */
  #isBookmarkDue(): boolean {
    const turns = this.#owner._turns;
    const turn = turns?.current();
    if (turn === undefined) return true;
    if (turn !== this.#bookmarkTurn) {
      this.#bookmarkTurn = turn;
      return true;
    }
    if (this.#awaitsTurn) return false;
    this.#awaitsTurn = true;
    turns?.wait(() => {
      this.#awaitsTurn = false;
      this.#advance();
    });
    return false;
  }

  /** Whether to look again at once. */
  #readHistory(): boolean {
    const watcher = this.#watcher;
    if (watcher === undefined || !watcher.isBehind) return false;
    const request = watcher.catchUp();
    // The gap turned out to be empty: the queue may have something now.
    if (request === undefined) return true;
    this.#isReading = true;
    const answer = this.#ask(request);
    if (answer === undefined) return false;
    if (!isPromise(answer)) {
      this.#onHistory(watcher, request, answer);
      return true;
    }
    answer.then(
      (history) => {
        this.#onHistory(watcher, request, history);
        this.#advance();
      },
      (error: unknown) => this.#onFailure(watcher, request, error),
    );
    return true;
  }

  #ask(request: CatchUp): History | Promise<History> | undefined {
    try {
      return this.#owner._history(request);
    } catch (error) {
      this.finish({ isError: true, error });
      return undefined;
    }
  }

  #onHistory(watcher: Watcher, request: CatchUp, history: History): void {
    this.#isReading = false;
    const revisions = watcher.caughtUp(request, history);
    if (revisions === undefined || revisions.length === 0) return;
    this.#isQuiet = false;
    this.#deliver(batchOf(revisions, this.#withPrevious));
  }

  #onFailure(watcher: Watcher, request: CatchUp, error: unknown): void {
    this.#isReading = false;
    // A state that was replaced meanwhile may fail a read of the old one: it is read again.
    if (watcher.isAwaiting(request)) this.finish({ isError: true, error });
    else this.#advance();
  }

  #deliver(batch: WatchBatch): void {
    const resolve = this.#resolve;
    assert(resolve !== undefined, 'only a waiting next() takes a batch');
    this.#resolve = undefined;
    resolve({ done: false, value: batch });
  }

  /** An error is thrown once, as by a generator; afterwards the iterator is done. */
  #settleEnd(): Promise<Next> {
    const end = this.#end;
    this.#end = over;
    return end?.isError ? Promise.reject(end.error) : Promise.resolve(finished);
  }
}
