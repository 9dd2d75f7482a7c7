/**
 * A watch as an async iterator (DESIGN §4.24): what a caller holds. The reading is the stream's.
 */
import { asyncDispose } from '../base/async-dispose.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import type { History, HistoryRange, Watcher, WatchFilter, WatchHub } from '../mvcc/index.js';
import type { KeySelection } from '../mvcc/types.js';
import type { BookmarkTurns } from './bookmark-turns.js';
import type { WatchBatch } from './watch-batch.js';
import { type WatchEnd, WatchStream } from './watch-stream.js';

/** What a {@link Watch} reads from. @since 0.1.0 */
export interface WatchSource {
  readonly hub: WatchHub;
  /**
   * Runs a history query. May overlap with itself and with applies.
   *
   * @throws {KontikiError} COMPACTED; any other error ends the watch too
   */
  readonly history: (range: HistoryRange) => History | Promise<History>;
  /** Default: several bookmarks may come in one turn of the event loop. */
  readonly turns?: BookmarkTurns | undefined;
  /**
   * Told that a watch is registered, before its `startRevision` resolves, which waits for the
   * answer. Events do not wait. A member that has not caught up yet may use it to catch up; a start
   * it has not reached simply waits in the hub. Called once per watch; a rejection ends the watch.
   */
  readonly started?: ((startRevision: number) => void | Promise<void>) | undefined;
  /** Called with each watch as it begins and ends, so that the source can end them all. */
  readonly onOpen?: ((watch: Watch) => void) | undefined;
  readonly onEnd?: ((watch: Watch) => void) | undefined;
}

/** What a {@link Watch} follows. @since 0.1.0 */
export interface WatchSettings extends WatchFilter {
  readonly keys: KeySelection;
  /** First revision to deliver; default: the one after the current. */
  readonly fromRevision?: number | undefined;
  /** Ends the watch: the iterator then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Changes of keys from a revision on: never a gap, never a repetition, or an error that says why.
 * A revision is never split over two batches, unless asked and then marked.
 *
 * @since 0.1.0
 * @example for await (const { events } of store.watch({ prefix: 'config/' })) apply(events);
 */
export class Watch implements AsyncIterable<WatchBatch>, AsyncDisposable {
  readonly #source: WatchSource;
  readonly #stream: WatchStream;
  /** Stops listening to the signal; only when there is one. */
  #unlisten: (() => void) | undefined = undefined;
  /** Made when asked for: few ask. */
  #start: Deferred<number> | undefined = undefined;
  #startsAt: number | undefined = undefined;
  #endBeforeStart: WatchEnd | undefined = undefined;
  #hasIterator = false;

  /**
   * Registers at once: what is applied after this call is seen.
   *
   * @param source - the store's
   * @param settings - what to follow
   * @throws {KontikiError} ARGUMENT_INVALID, KEY_EMPTY. A compacted start is thrown by the iterator
   */
  constructor(source: WatchSource, settings: WatchSettings) {
    this.#source = source;
    this.#stream = new WatchStream(this, settings.previous !== false);
    source.onOpen?.(this);
    if (settings.signal?.aborted) this.fail(settings.signal.reason);
    else this.#register(settings);
  }

  /**
   * First revision that is delivered, if it changes one of the keys. Rejects when the watch ends
   * before it began.
   */
  get startRevision(): Promise<number> {
    if (this.#start === undefined) {
      this.#start = new Deferred();
      // Who asks and lets go must not get an unhandled rejection.
      this.#start.promise.catch(() => undefined);
      this.#settleStart();
    }
    return this.#start.promise;
  }

  /**
   * The one iterator of this watch. Its `next()` throws `COMPACTED` with `compactRevision`,
   * `signal.reason`, or `CLOSED`, once; then it is done. Calls of `next()` may not overlap.
   *
   * @throws {KontikiError} ITERATOR_BUSY, at the second call
   */
  [Symbol.asyncIterator](): AsyncIterator<WatchBatch, undefined> {
    if (this.#hasIterator) throw kontikiError('ITERATOR_BUSY', 'a watch has one consumer');
    this.#hasIterator = true;
    return this.#stream;
  }

  /**
   * Asks for a bookmark: a batch without events, whose `revision` says up to where everything was
   * delivered. It comes behind all events there are, once the watch has caught up, and at most one in a
   * turn of the event loop; several requests give one. A watch whose first revision is still to come gives none.
   */
  requestProgress(): void {
    this.#stream.requestProgress();
  }

  /** Ends the watch; a waiting `next()` is done. Idempotent. */
  close(): Promise<void> {
    this.#stream.finish({ isError: false });
    return Promise.resolve();
  }

  /** Same as {@link close}. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends the watch with an error, which the iterator throws. The source's: a store that closes ends
   * its watches with `CLOSED`.
   */
  fail(error: unknown): void {
    this.#stream.finish({ isError: true, error });
  }

  /** The progress clock's: time for a bookmark, unless there was an event since the last time. */
  _tick(): void {
    this.#stream.tick();
  }

  /** The stream's: reads history. */
  get _history(): WatchSource['history'] {
    return this.#source.history;
  }

  /** The stream's: when it gives bookmarks. */
  get _turns(): WatchSource['turns'] {
    return this.#source.turns;
  }

  /** The stream's: it is over. */
  _ended(end: WatchEnd): void {
    if (this.#startsAt === undefined) this.#endBeforeStart = end;
    this.#settleStart();
    this.#unlisten?.();
    this.#source.onEnd?.(this);
  }

  #register(settings: WatchSettings): void {
    const { keys, fromRevision, noPut, noDelete, previous, fragment } = settings;
    const consumer = this.#stream;
    const filter = { noPut, noDelete, previous, fragment };
    let watcher: Watcher;
    try {
      watcher = this.#source.hub.watch({ keys, fromRevision, consumer, ...filter });
    } catch (error) {
      if (isKontikiError(error, 'COMPACTED')) {
        this.fail(error);
        return;
      }
      this.#source.onEnd?.(this);
      throw error;
    }
    consumer.follow(watcher);
    if (settings.signal !== undefined) this.#listen(settings.signal);
    this.#begin(watcher.startRevision);
  }

  #listen(signal: AbortSignal): void {
    const onAbort = (): void => this.fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', onAbort);
  }

  #begin(startRevision: number): void {
    const { started } = this.#source;
    if (started === undefined) this.#startsAt = startRevision;
    else void this.#beginLater(started, startRevision);
  }

  async #beginLater(
    started: NonNullable<WatchSource['started']>,
    startRevision: number,
  ): Promise<void> {
    try {
      const waiting = started(startRevision);
      if (waiting !== undefined) await waiting;
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.#stream.isEnded) return;
    this.#startsAt = startRevision;
    this.#settleStart();
  }

  #settleStart(): void {
    const start = this.#start;
    if (start === undefined || start.settled) return;
    const end = this.#endBeforeStart;
    if (this.#startsAt !== undefined) start.resolve(this.#startsAt);
    else if (end?.isError) start.reject(end.error);
    else if (end !== undefined) start.reject(kontikiError('CLOSED', 'the watch is closed'));
  }
}
