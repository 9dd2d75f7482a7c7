/**
 * Bookmarks at intervals, for watches that want them: one timer for all watches of an interval, and
 * none while there is no such watch.
 */
import type { Timer, Timers } from '../base/clock.js';
import type { Watch } from './watch.js';

interface Beat {
  readonly everyMs: number;
  readonly watches: Set<Watch>;
  timer: Timer | undefined;
}

/**
 * A store's. Every interval each watch that had no event in it is asked for a bookmark.
 *
 * @since 0.1.0
 */
export class WatchProgress {
  readonly #timers: Timers;
  readonly #beats = new Map<number, Beat>();
  readonly #beatOf = new Map<Watch, Beat>();

  /** @param timers - the environment's */
  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Watches that get bookmarks. */
  get size(): number {
    return this.#beatOf.size;
  }

  /**
   * Begins to ask a watch.
   *
   * @param watch - in no beat yet
   * @param everyMs - milliseconds, above 0
   */
  add(watch: Watch, everyMs: number): void {
    let beat = this.#beats.get(everyMs);
    if (beat === undefined) {
      beat = { everyMs, watches: new Set(), timer: undefined };
      this.#beats.set(everyMs, beat);
      this.#arm(beat);
    }
    beat.watches.add(watch);
    this.#beatOf.set(watch, beat);
    // What it waits for first is a whole interval without an event.
    watch._tick();
  }

  /** Asks a watch no more; nothing happens when it was never added. */
  remove(watch: Watch): void {
    const beat = this.#beatOf.get(watch);
    if (beat === undefined) return;
    this.#beatOf.delete(watch);
    beat.watches.delete(watch);
    if (beat.watches.size > 0) return;
    beat.timer?.cancel();
    this.#beats.delete(beat.everyMs);
  }

  #arm(beat: Beat): void {
    beat.timer = this.#timers.after(beat.everyMs, () => {
      this.#arm(beat);
      for (const watch of beat.watches) watch._tick();
    });
  }
}
