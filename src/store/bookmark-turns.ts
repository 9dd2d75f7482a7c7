/**
 * Turns of the event loop for bookmarks. Only promises lie between a bookmark and the request for the next
 * one: a consumer that asks behind every batch would never let the turn end, in which others are served.
 */
import type { Timers } from '../base/clock.js';

/**
 * Counted for all watches of a store, and only while there are bookmarks: a watch gets one in a turn.
 *
 * @since 0.1.0
 */
export class BookmarkTurns {
  readonly #timers: Timers;
  #turn = 0;
  #isCounted = false;
  #waiting: (() => void)[] = [];

  /** @param timers - the environment's */
  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Number of this turn. */
  current(): number {
    if (!this.#isCounted) {
      this.#isCounted = true;
      this.#timers.soon(() => this.#next());
    }
    return this.#turn;
  }

  /** Calls back in the turn behind the {@link current} one. */
  wait(callback: () => void): void {
    this.current();
    this.#waiting.push(callback);
  }

  #next(): void {
    this.#isCounted = false;
    this.#turn += 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }
}
