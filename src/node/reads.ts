/**
 * Reads that wait for a quorum, and then for the local apply:
 *
 *     queued --a leader is known--> asked --Ready.reads--> indexed --applied--> settled
 *
 * A request can be lost with a message or a leader. Nobody is told then, so a new leader ends what
 * the old one was asked, and whoever waits longer asks again, with another id.
 */
import { Deferred } from '../base/deferred.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Random } from '../base/prng.js';
import type { ReadState } from '../raft/read-index.js';
import type { NodeObserver } from './observer.js';

interface Reader {
  readonly openedMs: number;
  readonly answer: Deferred<void>;
}

interface AskedReads {
  readonly atMs: number;
  readonly readers: readonly Reader[];
}

interface IndexedReads {
  readonly index: number;
  readonly readers: readonly Reader[];
}

/** What a read asks for besides an index. @since 0.1.0 */
export interface ReadOptions {
  /**
   * A quorum is to be asked after the read was, by a round of heartbeats: no lease answers. For what does
   * more than read, and so must not rest on clocks, or measures time from the question. Default false.
   */
  readonly byQuorum?: boolean;
}

/** @since 0.1.0 */
export class Reads {
  readonly #observer: NodeObserver | undefined;
  /** Random at first: what an earlier life asked may still be answered, with what was newest then. */
  #nextId: number;
  /** Wait for a leader; all of them are asked for in one go. */
  #queued: Reader[] = [];
  /** The same, of those that no lease may answer. */
  #queuedByQuorum: Reader[] = [];
  #isProbeDue = false;
  /** Asked for, by id. */
  readonly #asked = new Map<number, AskedReads>();
  /** Their index is known, in the order in which they came to be. */
  #indexed: IndexedReads[] = [];
  #waiting = 0;
  #closed: KontikiError | undefined;

  /**
   * @param random - names the reads
   * @param observer - told of questions and answers
   */
  constructor(random: Random, observer?: NodeObserver) {
    this.#nextId = random.u32() * 2 ** 20;
    this.#observer = observer;
  }

  /** Reads not settled yet. */
  get pending(): number {
    return this.#waiting;
  }

  /** Whether anything waits to be asked for that a lease may answer. */
  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  /** Whether anything waits to be asked for that only a quorum may answer. */
  get hasQueuedByQuorum(): boolean {
    return this.#isProbeDue || this.#queuedByQuorum.length > 0;
  }

  /**
   * Opens a read.
   *
   * @param nowMs - monotonic time
   * @returns resolves once everything acknowledged before this call is applied here
   * @throws {KontikiError} OVERLOADED; CLOSED or why the node stopped; LEADER_CHANGED: ask again
   */
  open(nowMs: number, { byQuorum = false }: ReadOptions = {}): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#waiting >= limits.waitersMax) {
      const message = `node: expected fewer than ${limits.waitersMax} reads waiting at once`;
      throw kontikiError('OVERLOADED', message);
    }
    const answer = new Deferred<void>();
    this.#waiting += 1;
    (byQuorum ? this.#queuedByQuorum : this.#queued).push({ openedMs: nowMs, answer });
    return answer.promise;
  }

  /** A quorum is to be asked. Only the observer hears the answer, so it takes nobody's place. */
  probe(): void {
    this.#isProbeDue = true;
  }

  /** All that a lease may answer count as asked for, at monotonic time `nowMs`, under the id returned. */
  take(nowMs: number): number {
    const readers = this.#queued;
    this.#queued = [];
    return this.#ask(nowMs, readers);
  }

  /** The same for those that only a quorum may answer. */
  takeByQuorum(nowMs: number): number {
    const readers = this.#queuedByQuorum;
    this.#queuedByQuorum = [];
    this.#isProbeDue = false;
    return this.#ask(nowMs, readers);
  }

  #ask(nowMs: number, readers: readonly Reader[]): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#asked.set(id, { atMs: nowMs, readers });
    this.#observer?.readAsked(id);
    return id;
  }

  /** What was asked for under `id` was not taken. */
  refuse(id: number, error: KontikiError): void {
    for (const reader of this.#asked.get(id)?.readers ?? []) this.#settle(reader, error);
    this.#asked.delete(id);
  }

  /** A quorum, or a lease, confirmed a read; it may be served once `index` is applied. */
  confirmed(state: ReadState, appliedIndex: number): void {
    this.#observer?.readAnswered(state);
    const asked = this.#asked.get(state.readId);
    if (asked === undefined) return;
    this.#asked.delete(state.readId);
    // A probe is answered for the observer alone: until all is applied, which may be days, it would be kept.
    if (asked.readers.length === 0) return;
    this.#indexed.push({ index: state.index, readers: asked.readers });
    this.applied(appliedIndex);
  }

  /** Entries up to `index` are applied here. */
  applied(index: number): void {
    if (this.#indexed.length === 0) return;
    const later: IndexedReads[] = [];
    for (const read of this.#indexed) {
      if (read.index > index) later.push(read);
      else for (const reader of read.readers) this.#settle(reader);
    }
    this.#indexed = later;
  }

  /** The leader that was asked is gone: its answers may never come. */
  leaderChanged(): void {
    const error = kontikiError('LEADER_CHANGED', 'node: the leader changed under the read');
    for (const id of [...this.#asked.keys()]) this.refuse(id, error);
  }

  /**
   * Gives up what was asked for at `beforeMs` or before: it was lost on its way. Also what is queued since
   * then: whoever wanted it may have gone long ago. What has its index stays, however late that is applied:
   * asked again, it would only be given a later one.
   */
  sweep(beforeMs: number): void {
    const error = kontikiError('TIMEOUT', 'node: the read was not answered, ask again');
    for (const [id, { atMs }] of this.#asked) {
      if (atMs > beforeMs) break;
      this.refuse(id, error);
    }
    for (const queue of [this.#queued, this.#queuedByQuorum]) {
      const kept = queue.findIndex(({ openedMs }) => openedMs > beforeMs);
      const late = queue.splice(0, kept < 0 ? queue.length : kept);
      for (const reader of late) this.#settle(reader, error);
    }
  }

  /** Ends everything, and every later `open`, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    for (const id of [...this.#asked.keys()]) this.refuse(id, error);
    for (const reader of [...this.#queued, ...this.#queuedByQuorum]) this.#settle(reader, error);
    for (const { readers } of this.#indexed) for (const r of readers) this.#settle(r, error);
    this.#queued = [];
    this.#queuedByQuorum = [];
    this.#indexed = [];
  }

  #settle({ answer }: Reader, error?: KontikiError): void {
    this.#waiting -= 1;
    if (error === undefined) answer.resolve();
    else answer.reject(error);
  }
}
