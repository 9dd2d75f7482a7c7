/**
 * A watch as an async iterator (DESIGN §4.24): takes from the hub's queue while the watcher keeps
 * up, and reads history while it does not. Written by hand, not as an async generator, so that a
 * waiting `next()` can be settled from outside and traces replay on every Node version.
 */
import { assert } from '../base/assert.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type {
  History,
  HistoryRange,
  KeyEvent,
  KeySelection,
  RevisionEvents,
  Watcher,
  WatchHub,
} from '../mvcc/index.js';
import { KeyValue } from './key-value.js';

/** One change of one key. @since 0.1.0 */
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** The version put; of a delete only key and modRevision (the delete's) say something. */
  readonly kv: KeyValue;
  /** The version before; absent for a creation, or when it is compacted. */
  readonly previous?: KeyValue;
}

/** Whole revisions, in order. @since 0.1.0 */
export interface WatchBatch {
  /** The last revision in the batch: resume from the one after it. */
  readonly revision: number;
  readonly events: readonly WatchEvent[];
}

/** What a {@link Watch} reads from. @since 0.1.0 */
export interface WatchSource {
  readonly hub: WatchHub;
  /**
   * Runs a history query. May overlap with itself and with applies.
   *
   * @throws {KontikiError} COMPACTED; any other error ends the watch too
   */
  readonly history: (range: HistoryRange) => History | Promise<History>;
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
export interface WatchSettings {
  readonly keys: KeySelection;
  /** First revision to deliver; default: the one after the current. */
  readonly fromRevision?: number | undefined;
  /** Ends the watch: the iterator then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

type Next = IteratorResult<WatchBatch, undefined>;

/** Why a watch is over: closed, or an error still to be thrown once. */
type End = { readonly error?: unknown; readonly isError: boolean };

const over: End = { isError: false };
const finished: Next = { done: true, value: undefined };

/**
 * Changes of keys from a revision on: never a gap, never a repetition, or an error that says why.
 *
 * @since 0.1.0
 * @example for await (const { events } of store.watch({ prefix: 'config/' })) apply(events);
 */
export class Watch implements AsyncIterable<WatchBatch>, AsyncDisposable {
  /**
   * First revision that is delivered, if it changes one of the keys. Rejects when the watch ends
   * before it began.
   */
  readonly startRevision: Promise<number>;
  readonly #source: WatchSource;
  readonly #signal: AbortSignal | undefined;
  readonly #start = new Deferred<number>();
  #watcher: Watcher | undefined;
  #end: End | undefined;
  #pending: Deferred<Next> | undefined;
  #isReading = false;
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
    this.#signal = settings.signal;
    this.startRevision = this.#start.promise;
    // Who does not ask for the start must not get an unhandled rejection.
    this.startRevision.catch(() => undefined);
    source.onOpen?.(this);
    if (this.#signal?.aborted) {
      this.#finish({ error: this.#signal.reason, isError: true });
      return;
    }
    this.#register(settings);
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
    return {
      next: () => this.#next(),
      return: () => {
        this.#finish(over);
        return Promise.resolve(finished);
      },
    };
  }

  /** Ends the watch; a waiting `next()` is done. Idempotent. */
  close(): Promise<void> {
    this.#finish(over);
    return Promise.resolve();
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends the watch with an error, which the iterator throws. The source's: a store that closes ends
   * its watches with `CLOSED`.
   */
  fail(error: unknown): void {
    this.#finish({ error, isError: true });
  }

  #register(settings: WatchSettings): void {
    const { keys, fromRevision } = settings;
    try {
      const onReady = (): void => this.#advance();
      this.#watcher = this.#source.hub.watch({ keys, fromRevision, onReady });
    } catch (error) {
      if (!isKontikiError(error, 'COMPACTED')) {
        this.#source.onEnd?.(this);
        throw error;
      }
      this.fail(error);
      return;
    }
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { startRevision } = this.#watcher;
    const started = this.#source.started?.(startRevision);
    if (started === undefined) this.#start.resolve(startRevision);
    else {
      started.then(
        () => this.#start.resolve(startRevision),
        (error: unknown) => this.fail(error),
      );
    }
  }

  #next(): Promise<Next> {
    if (this.#pending !== undefined) {
      return Promise.reject(kontikiError('ITERATOR_BUSY', 'a next() is waiting already'));
    }
    if (this.#end !== undefined) return this.#settleEnd();
    const batch = this.#takeBatch();
    if (batch !== undefined) return Promise.resolve({ done: false, value: batch });
    const pending = new Deferred<Next>();
    this.#pending = pending;
    this.#advance();
    return pending.promise;
  }

  /** Serves the waiting `next()`, if there is one and there is something for it. */
  #advance(): void {
    while (this.#pending !== undefined && !this.#isReading) {
      const batch = this.#takeBatch();
      if (batch !== undefined) this.#deliver(batch);
      else if (!this.#readHistory()) return;
    }
  }

  #takeBatch(): WatchBatch | undefined {
    const revisions = this.#watcher?.take();
    return revisions === undefined ? undefined : batchOf(revisions);
  }

  /** Whether there was something to read. */
  #readHistory(): boolean {
    const watcher = this.#watcher;
    if (watcher === undefined || !watcher.isBehind) return false;
    const request = watcher.catchUp();
    // The gap turned out to be empty: the queue may have something now.
    if (request === undefined) return true;
    this.#isReading = true;
    const onHistory = (history: History): void => {
      this.#isReading = false;
      const revisions = watcher.caughtUp(request, history);
      if (revisions !== undefined && revisions.length > 0) this.#deliver(batchOf(revisions));
    };
    const answer = this.#ask({ ...request, limit: limits.historyChunkMax });
    if (answer === undefined) return false;
    if (!(answer instanceof Promise)) {
      onHistory(answer);
      return true;
    }
    answer.then(
      (history) => {
        onHistory(history);
        this.#advance();
      },
      (error: unknown) => this.fail(error),
    );
    return true;
  }

  #ask(range: HistoryRange): History | Promise<History> | undefined {
    try {
      return this.#source.history(range);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  #deliver(batch: WatchBatch): void {
    const pending = this.#pending;
    assert(pending !== undefined, 'only a waiting next() takes a batch');
    this.#pending = undefined;
    pending.resolve({ done: false, value: batch });
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#watcher?.close();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (!this.#start.settled) {
      this.#start.reject(end.isError ? end.error : kontikiError('CLOSED', 'the watch is closed'));
    }
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) {
      this.#end = over;
      if (end.isError) pending.reject(end.error);
      else pending.resolve(finished);
    }
    this.#source.onEnd?.(this);
  }

  /** An error is thrown once, as by a generator; afterwards the iterator is done. */
  #settleEnd(): Promise<Next> {
    const end = this.#end;
    this.#end = over;
    return end?.isError ? Promise.reject(end.error) : Promise.resolve(finished);
  }

  readonly #onAbort = (): void => this.fail(this.#signal?.reason);
}

function batchOf(revisions: readonly RevisionEvents[]): WatchBatch {
  const events: WatchEvent[] = [];
  for (const { events: own } of revisions) for (const event of own) events.push(eventOf(event));
  return { revision: (revisions.at(-1) as RevisionEvents).revision, events };
}

function eventOf({ type, key, revision, current, previous }: KeyEvent): WatchEvent {
  const kv = KeyValue.of(current ?? tombstone(key, revision));
  return previous === undefined ? { type, kv } : { type, kv, previous: KeyValue.of(previous) };
}

function tombstone(key: string, modRevision: number) {
  return { key, value: new Uint8Array(0), createRevision: 0, modRevision, version: 0 };
}
