/**
 * The leaders of an election, one after the other, as an async iterator. It knows all candidates and
 * follows all their keys, so no short leadership escapes it, as it could if it asked again after each.
 */
import { binaryString } from '../base/bytes.js';
import type { Timers } from '../base/clock.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import type { KeyValue } from '../store/key-value.js';
import type { KvClient } from '../store/kv-client.js';
import type { WatchEvent } from '../store/watch-batch.js';
import { persist } from './persist.js';

/** @since 0.1.0 */
export interface LeaderWatchParts {
  readonly kv: KvClient;
  readonly timers: Timers;
  /** Of the candidates' keys. */
  readonly prefix: string;
  /** Ends it: it then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

type Events = AsyncIterator<{ readonly events: readonly WatchEvent[] }>;
type Next = IteratorResult<KeyValue, undefined>;

const finished: Next = { done: true, value: undefined };

/**
 * Made by `Election.observe`. One consumer; calls of `next()` may not overlap.
 *
 * @since 0.1.0
 */
export class LeaderWatch implements AsyncIterable<KeyValue>, AsyncIterator<KeyValue, undefined> {
  readonly #parts: LeaderWatchParts;
  /** By key. */
  readonly #candidates = new Map<string, KeyValue>();
  /** Leaders nobody has asked for yet: those of one batch of events. */
  readonly #ready: KeyValue[] = [];
  /** Fires with the caller's signal, and when nobody wants to know any more. */
  readonly #over = new AbortController();
  #stopListening: (() => void) | undefined;
  #events: Events | undefined;
  /** The newest one that was found. */
  #leader: KeyValue | undefined;
  #hasIterator = false;
  #isEnded = false;

  constructor(parts: LeaderWatchParts) {
    this.#parts = parts;
  }

  /** @throws {KontikiError} ITERATOR_BUSY, at the second call */
  [Symbol.asyncIterator](): AsyncIterator<KeyValue, undefined> {
    if (this.#hasIterator) throw kontikiError('ITERATOR_BUSY', 'an observation has one consumer');
    this.#hasIterator = true;
    return this;
  }

  /** @throws {KontikiError} CLOSED, or why the store stopped; `signal.reason` */
  async next(): Promise<Next> {
    this.#listen();
    try {
      while (!this.#isEnded) {
        const leader = this.#ready.shift();
        if (leader !== undefined) return { done: false, value: leader };
        if (this.#events === undefined) await this.#begin();
        else await this.#take(this.#events);
      }
    } catch (error) {
      // Who ended it meanwhile is told nothing else.
      if (!this.#isEnded) {
        this.#end();
        throw error;
      }
    }
    this.#end();
    return finished;
  }

  /** Ends it; a `next()` that is pending is done. */
  async return(): Promise<Next> {
    this.#end();
    this.#over.abort();
    await this.#events?.return?.();
    return finished;
  }

  /** From the first call on, so that one that is never asked leaves nothing at the caller's signal. */
  #listen(): void {
    const { signal } = this.#parts;
    if (signal === undefined || this.#stopListening !== undefined) return;
    const abort = () => this.#over.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    this.#stopListening = () => signal.removeEventListener('abort', abort);
  }

  #end(): void {
    this.#isEnded = true;
    this.#stopListening?.();
  }

  async #begin(): Promise<void> {
    const { kv, prefix, timers } = this.#parts;
    const { signal } = this.#over;
    const look = () => kv.range({ prefix, signal });
    const { kvs, revision } = await persist(look, { timers, signal });
    this.#candidates.clear();
    for (const each of kvs) this.#candidates.set(binaryString(each.key), each);
    this.#tell();
    const options = { fromRevision: revision + 1, previous: false, signal };
    if (!this.#isEnded) this.#events = kv.watch({ prefix }, options)[Symbol.asyncIterator]();
  }

  async #take(iterator: Events): Promise<void> {
    try {
      const { done, value } = await iterator.next();
      if (done === true) this.#isEnded = true;
      else this.#follow(value.events);
    } catch (error) {
      if (!isKontikiError(error, 'COMPACTED')) throw error;
      this.#events = undefined;
    }
  }

  #follow(events: readonly WatchEvent[]): void {
    events.forEach(({ type, kv }, at) => {
      const key = binaryString(kv.key);
      if (type === 'put') this.#candidates.set(key, kv);
      else this.#candidates.delete(key);
      // Keys of one revision come and go together.
      if (events[at + 1]?.kv.modRevision !== kv.modRevision) this.#tell();
    });
  }

  /** Takes note of who leads, if that is somebody else, or says something else, than before. */
  #tell(): void {
    let leader: KeyValue | undefined;
    for (const each of this.#candidates.values()) {
      if (leader === undefined || each.createRevision < leader.createRevision) leader = each;
    }
    const { createRevision, modRevision } = this.#leader ?? {};
    const isSame = leader?.createRevision === createRevision && leader?.modRevision === modRevision;
    if (leader === undefined || isSame) return;
    this.#leader = leader;
    this.#ready.push(leader);
  }
}
