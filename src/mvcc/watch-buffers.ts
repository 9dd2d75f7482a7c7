/**
 * What all watchers of a hub hold in their queues, together. One slow watcher is bounded by its own
 * queue; a hundred thousand of them are bounded here: past the limit the one that has waited longest
 * to be read lets its queue go and reads history later.
 */
import { limits } from '../base/limits.js';
import type { HeldRevision } from './held-revision.js';
import type { WatchQueue } from './watch-queue.js';

/** Limits of {@link WatchBuffers}. @since 0.1.0 */
export interface WatchBufferLimits {
  /** Events in all queues, each counted where it is queued; default `limits.watchEventsMax`. */
  readonly totalEventsMax?: number | undefined;
  /** Bytes of the revisions in queues, each counted once; default `limits.watchBytesMax`. */
  readonly totalBytesMax?: number | undefined;
}

/**
 * Caller: the watchers of one hub. Queues are linked in the order they began.
 *
 * @since 0.1.0
 */
export class WatchBuffers {
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  #events = 0;
  #bytes = 0;
  #slowest: WatchQueue | undefined;
  #latest: WatchQueue | undefined;

  /** @param bufferLimits - of all queues together */
  constructor({ totalEventsMax, totalBytesMax }: WatchBufferLimits) {
    this.#eventsMax = totalEventsMax ?? limits.watchEventsMax;
    this.#bytesMax = totalBytesMax ?? limits.watchBytesMax;
  }

  /** Events in all queues. */
  get events(): number {
    return this.#events;
  }

  /** Bytes of the revisions in queues. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The queue that has been there longest. */
  get slowest(): WatchQueue | undefined {
    return this.#slowest;
  }

  /** Whether somebody must let go. */
  get isOver(): boolean {
    return this.#events > this.#eventsMax || this.#bytes > this.#bytesMax;
  }

  /** A queue begins. */
  enter(queue: WatchQueue): void {
    const last = this.#latest;
    queue._slower = last;
    if (last === undefined) this.#slowest = queue;
    else last._faster = queue;
    this.#latest = queue;
  }

  /** A queue ends: what is in it is held no more. */
  leave(queue: WatchQueue): void {
    const { _faster: faster, _slower: slower } = queue;
    if (slower === undefined) this.#slowest = faster;
    else slower._faster = faster;
    if (faster === undefined) this.#latest = slower;
    else faster._slower = slower;
    for (const held of queue.revisions) {
      this.#events -= held.events.length;
      this.#bytes -= held.release();
    }
  }

  /** Adds a revision to a queue. */
  hold(queue: WatchQueue, held: HeldRevision): void {
    queue.revisions.push(held);
    queue.events += held.events.length;
    this.#events += held.events.length;
    this.#bytes += held.hold();
  }
}
