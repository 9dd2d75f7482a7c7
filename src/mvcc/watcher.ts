/**
 * One watcher's place in the sequence of revisions, and its bounded queue. A watcher is always in
 * one of three states; it never skips, repeats or goes back (invariants W1, W2, W4).
 *
 * ```
 * synced       queue holds everything that is not taken yet     -- queue full, reset -->  behind
 * behind       nothing is queued; history serves from the gap   -- catchUp() -->  catching up
 * catching up  history serves up to the gap's end, the queue what comes after
 *                                                               -- caughtUp() -->  any of the three
 * ```
 *
 * There may be 100,000 of them, nearly all idle: what only a busy one needs is made when needed.
 */
import { assert } from '../base/assert.js';
import { limits } from '../base/limits.js';
import type { HeldRevision } from './held-revision.js';
import type { History, HistoryRange, RevisionEvents } from './history-query.js';
import type { KeyEvent, KeySelection } from './types.js';
import type { WatchBuffers } from './watch-buffers.js';
import { WatchGap } from './watch-gap.js';
import { WatchQueue } from './watch-queue.js';
import type { WatcherList } from './watcher-list.js';

/** What a watcher that is behind must read from history. @since 0.1.0 */
export interface CatchUp extends HistoryRange {
  readonly keys: KeySelection;
  /** Inclusive. */
  readonly upTo: number;
}

/**
 * Who reads a {@link Watcher}. Both methods run inside the hub's calls: they may only take and
 * schedule, not throw.
 *
 * @since 0.1.0
 */
export interface WatchConsumer {
  /**
   * A new revision for a watcher that holds nothing: `true` takes it, `false` has it queued, to be
   * asked for with `take()`.
   */
  offer(revision: RevisionEvents): boolean;
  /** There is something to take or to catch up on. */
  ready(): void;
}

/** What of its keys' changes a watcher delivers. @since 0.1.0 */
export interface WatchFilter {
  /** Leaves puts out; default false. */
  readonly noPut?: boolean | undefined;
  /** Leaves deletes out; default false. */
  readonly noDelete?: boolean | undefined;
  /** `false`: the versions before need not be read when catching up; default true. */
  readonly previous?: boolean | undefined;
  /** Cuts a revision with too many changes for a queue into pieces; default false: it is whole. */
  readonly fragment?: boolean | undefined;
}

/** How a {@link Watcher} is tied to its hub. @since 0.1.0 */
export interface WatcherHub {
  readonly revision: number;
  readonly eventsMax: number;
  readonly buffers: WatchBuffers;
  /** The watcher is closed. */
  forget(watcher: Watcher): void;
}

/** @since 0.1.0 */
export interface WatcherOptions {
  readonly hub: WatcherHub;
  readonly list: WatcherList;
  /** First revision to deliver. */
  readonly startRevision: number;
  readonly filter: WatchFilter;
  readonly consumer: WatchConsumer | undefined;
}

const noFilter: WatchFilter = {};

/**
 * Made by `WatchHub.watch`. Caller: one consumer, which asks {@link take} and, when
 * {@link isBehind}, reads what {@link catchUp} names and hands it to {@link caughtUp}.
 *
 * @since 0.1.0
 */
export class Watcher {
  /** First revision this watcher delivers, if it changes one of its keys. */
  readonly startRevision: number;
  /** Neighbours in the list of the same keys: the list's. */
  _next: Watcher | undefined = undefined;
  _previous: Watcher | undefined = undefined;
  /** The watchers of the same keys: the hub's. */
  readonly _list: WatcherList;
  readonly #hub: WatcherHub;
  readonly #consumer: WatchConsumer | undefined;
  readonly #filter: WatchFilter;
  /** While synced or catching up: the first revision that may still be queued. */
  #position: number;
  /** What must come from history; `undefined` while synced. */
  #gap: WatchGap | undefined = undefined;
  #queue: WatchQueue | undefined = undefined;
  #isClosed = false;

  /** Made by `WatchHub.watch`. */
  constructor({ hub, list, startRevision, filter, consumer }: WatcherOptions) {
    this.startRevision = startRevision;
    this._list = list;
    this.#hub = hub;
    this.#consumer = consumer;
    const { noPut, noDelete, previous, fragment } = filter;
    const isPlain = !noPut && !noDelete && previous !== false && !fragment;
    this.#filter = isPlain ? noFilter : { noPut, noDelete, previous, fragment };
    this.#position = startRevision;
    if (startRevision <= hub.revision) this.#gap = new WatchGap(startRevision);
  }

  /** What is watched. */
  get keys(): KeySelection {
    return this._list.keys;
  }

  /** Whether what comes next must be read from history. */
  get isBehind(): boolean {
    const gap = this.#gap;
    if (gap === undefined) return false;
    // The state went back behind a revision of which a piece is delivered: it has to come again.
    return gap.sub === 0 || gap.revision <= this.#hub.revision;
  }

  /** Revisions there are from the first undelivered one on, whether it wants them or not. */
  get lag(): number {
    const first = this.#gap?.revision ?? this.#queue?.firstRevision;
    return first === undefined ? 0 : Math.max(0, this.#hub.revision + 1 - first);
  }

  /** Whether the first revision to deliver is still to come. */
  get isEarly(): boolean {
    return this.startRevision > this.#hub.revision + 1;
  }

  /**
   * The newest revision, when nothing up to it is left to deliver: what a bookmark may say (W6).
   * `undefined` while something is undelivered, and before the start (incidents 15220, 20221).
   */
  get progress(): number | undefined {
    if (this.#gap !== undefined || this.#queue !== undefined || this.#isClosed) return undefined;
    const { revision } = this.#hub;
    return this.#position > revision + 1 ? undefined : revision;
  }

  /** Revisions waiting in the queue, in order and whole; `undefined` for none. */
  take(): readonly RevisionEvents[] | undefined {
    if (this.#gap !== undefined) return undefined;
    return this.#letGo();
  }

  /**
   * Starts catching up, one request at a time: what to read from history. `undefined` when nothing
   * is missing after all, or the watcher is closed.
   */
  catchUp(): CatchUp | undefined {
    const gap = this.#gap;
    if (gap === undefined || this.#isClosed || !this.isBehind) return undefined;
    if (gap.end === undefined) {
      const end = this.#hub.revision + 1;
      this.#position = Math.max(gap.revision, end);
      if (gap.revision >= end) {
        this.#gap = undefined;
        return undefined;
      }
      gap.end = end;
      gap.isQueueWhole = true;
    }
    const request: CatchUp = {
      ...this.#filter,
      keys: this.keys,
      fromRevision: gap.revision,
      fromSub: gap.sub,
      upTo: gap.end - 1,
      limit: gap.limit,
    };
    gap.request = request;
    return request;
  }

  /**
   * Whether an answer to `request`, or its failure, still matters: a reset makes both void.
   */
  isAwaiting(request: CatchUp): boolean {
    return this.#gap?.request === request && !this.#isClosed;
  }

  /**
   * Takes the answer to {@link catchUp}.
   *
   * @returns what to deliver; `undefined` when the request was overtaken by a reset or a close
   */
  caughtUp(request: CatchUp, history: History): readonly RevisionEvents[] | undefined {
    const gap = this.#gap;
    if (gap === undefined || !this.isAwaiting(request)) return undefined;
    const revisions = gap.advance(request, history);
    if (gap.revision > request.upTo) {
      gap.end = undefined;
      if (gap.isQueueWhole) this.#gap = undefined;
    }
    return revisions;
  }

  /** Stops the watcher and forgets its queue. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#letGo();
    this.#hub.forget(this);
  }

  /** The hub's: whether an event passes the filter. */
  _wants(event: KeyEvent): boolean {
    const { noPut, noDelete } = this.#filter;
    return event.type === 'put' ? noPut !== true : noDelete !== true;
  }

  /** The hub's: whether any event passes the filter. */
  get _wantsAll(): boolean {
    const { noPut, noDelete } = this.#filter;
    return noPut !== true && noDelete !== true;
  }

  /**
   * The hub's: delivers or queues a revision, or falls behind from it on.
   *
   * @param held - `undefined`: too large to be held
   */
  _offer(revision: number, held: HeldRevision | undefined): void {
    if (this.#isClosed) return;
    const gap = this.#gap;
    if (gap !== undefined && !gap.takesLive) {
      // See isBehind: the rest of a revision in pieces can be read from now on.
      if (gap.sub > 0 && gap.revision === revision) this.#consumer?.ready();
      return;
    }
    if (revision < this.#position) return;
    const events = held?.events.length ?? Infinity;
    if (held === undefined || events + (this.#queue?.events ?? 0) > this.#eventsMax) {
      this._fallBehind(revision);
    } else {
      this.#position = revision + 1;
      const isFirst = gap === undefined && this.#queue === undefined;
      if (isFirst && this.#consumer?.offer(held) === true) return;
      this.#enqueue(held);
    }
    this.#consumer?.ready();
  }

  /** The hub's: what came after `revisionBefore` was not offered and must come from history. */
  _reset(revisionBefore: number): void {
    if (this.#isClosed) return;
    const next = Math.max(this.#position, revisionBefore + 1);
    if (this.#gap === undefined) this.#gap = new WatchGap(this.#queue?.firstRevision ?? next);
    this.#gap.restart();
    this.#letGo();
    this.#consumer?.ready();
  }

  /** The hub's: history below `compactRevision` is gone; who needs it has to learn that. */
  _compacted(compactRevision: number): void {
    const gap = this.#gap;
    if (gap !== undefined && gap.revision < compactRevision && !this.#isClosed) {
      this.#consumer?.ready();
    }
  }

  /**
   * The hub's and its own: the queue is dropped, and history serves from its first revision on.
   *
   * @param revision - the first one to miss when nothing is queued
   */
  _fallBehind(revision: number): void {
    const gap = this.#gap;
    if (gap === undefined) this.#gap = new WatchGap(this.#queue?.firstRevision ?? revision);
    else gap.isQueueWhole = false;
    this.#letGo();
  }

  get #eventsMax(): number {
    const { eventsMax } = this.#hub;
    // A larger revision comes from history, which cuts it.
    return this.#filter.fragment ? Math.min(eventsMax, limits.historyChunkMax) : eventsMax;
  }

  #enqueue(held: HeldRevision): void {
    const { buffers } = this.#hub;
    if (this.#queue === undefined) {
      this.#queue = new WatchQueue(this);
      buffers.enter(this.#queue);
    }
    buffers.hold(this.#queue, held);
    while (buffers.isOver) {
      const { slowest } = buffers;
      assert(slowest !== undefined, 'only queues hold events');
      // It has a queue, so this revision is not what it misses first.
      slowest.watcher._fallBehind(held.revision);
    }
  }

  #letGo(): readonly HeldRevision[] | undefined {
    const queue = this.#queue;
    if (queue === undefined) return undefined;
    this.#queue = undefined;
    this.#hub.buffers.leave(queue);
    return queue.revisions;
  }
}
