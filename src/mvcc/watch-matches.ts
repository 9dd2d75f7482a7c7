/**
 * Who is to be told what of one revision, put together part by part: a revision of a million changes is
 * matched in many turns. What is held meanwhile is bounded; a watcher of more than that reads history.
 */
import type { BinaryString } from '../base/bytes.js';
import { eventBytes } from './held-revision.js';
import type { KeyEvent } from './types.js';
import type { WatcherList } from './watcher-list.js';

/** @since 0.1.0 */
export interface WatchMatchesOptions {
  /** The lists of those who watch a key; the array may be used again. */
  readonly find: (key: BinaryString) => readonly WatcherList[];
  /** Events that one watcher can hold. */
  readonly eventsMax: number;
  /** Events of all lists together, each counted where it is held. */
  readonly totalEventsMax: number;
  /** Bytes of all events held, each counted once. */
  readonly totalBytesMax: number;
}

/**
 * Made by the hub, for one revision.
 *
 * @since 0.1.0
 */
export class WatchMatches {
  readonly #options: WatchMatchesOptions;
  /** `undefined`: more than is held. */
  readonly #lists = new Map<WatcherList, KeyEvent[] | undefined>();
  #events = 0;
  #bytes = 0;

  /** @param options - see {@link WatchMatchesOptions} */
  constructor(options: WatchMatchesOptions) {
    this.#options = options;
  }

  /** Takes the next events of the revision, in order. */
  add(events: readonly KeyEvent[]): void {
    for (const event of events) {
      let isHeld = false;
      for (const list of this.#options.find(event.key)) {
        if (this.#hold(list, event)) isHeld = true;
      }
      if (isHeld) this.#bytes += eventBytes(event);
    }
  }

  /** Leaves a list of watchers to history: it came when a part of the revision was matched already. */
  leave(list: WatcherList): void {
    this.#events -= this.#lists.get(list)?.length ?? 0;
    this.#lists.set(list, undefined);
  }

  /** The events for each list that is to be told; `undefined`: history has them. */
  get lists(): ReadonlyMap<WatcherList, readonly KeyEvent[] | undefined> {
    return this.#lists;
  }

  #hold(list: WatcherList, event: KeyEvent): boolean {
    const own = this.#lists.get(list);
    if (own === undefined && this.#lists.has(list)) return false;
    const { eventsMax, totalEventsMax, totalBytesMax } = this.#options;
    const isFull = this.#events >= totalEventsMax || this.#bytes >= totalBytesMax;
    if (isFull || (own !== undefined && own.length >= eventsMax)) {
      this.leave(list);
      return false;
    }
    if (own === undefined) this.#lists.set(list, [event]);
    else own.push(event);
    this.#events += 1;
    return true;
  }
}
