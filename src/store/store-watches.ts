/**
 * The watches of one store: begins them, and ends all of them at once when its member can serve none.
 */
import type { Timers } from '../base/clock.js';
import type { WatchHub } from '../mvcc/watch-hub.js';
import {
  checkBoolean,
  checkCallOptions,
  checkDelay,
  checkOptions,
  checkPositive,
  toTarget,
} from './arguments.js';
import { BookmarkTurns } from './bookmark-turns.js';
import type { WatchOptions, WatchTarget } from './kv-client.js';
import type { StoreReads } from './store-reads.js';
import { Watch, type WatchSource } from './watch.js';
import { WatchHistory } from './watch-history.js';
import { WatchProgress } from './watch-progress.js';

/** @since 0.1.0 */
export interface StoreWatchesParts {
  readonly hub: WatchHub;
  readonly timers: Timers;
  readonly reads: Pick<StoreReads, 'run'>;
  /** Throws when this member serves no watch. */
  readonly check: () => void;
}

const filterNames = ['noPut', 'noDelete', 'previous', 'fragment'] as const;
const optionNames = ['fromRevision', 'progressMs', 'signal', ...filterNames];

/** @since 0.1.0 */
export class StoreWatches {
  readonly #parts: StoreWatchesParts;
  readonly #source: WatchSource;
  readonly #open = new Set<Watch>();
  readonly #progress: WatchProgress;

  constructor(parts: StoreWatchesParts) {
    this.#parts = parts;
    this.#progress = new WatchProgress(parts.timers);
    this.#source = this.#makeSource();
  }

  /** See `Store.watch`. */
  open(target: WatchTarget, options: WatchOptions): Watch {
    checkOptions(options, optionNames, 'watch');
    checkPositive(options.fromRevision, 'fromRevision');
    for (const name of filterNames) checkBoolean(options[name], name);
    const { progressMs, signal } = options;
    checkDelay(progressMs, 'progressMs');
    checkCallOptions({ signal });
    this.#parts.check();
    const watch = new Watch(this.#source, { ...options, keys: toTarget(target) });
    if (progressMs !== undefined && this.#open.has(watch)) this.#progress.add(watch, progressMs);
    return watch;
  }

  /** Ends every watch with `error`. Whether there may be others afterwards is for `check` to say. */
  end(error: unknown): void {
    for (const watch of [...this.#open]) watch.fail(error);
  }

  #makeSource(): WatchSource {
    const { hub, reads, timers } = this.#parts;
    const history = new WatchHistory({
      state: hub,
      read: (range) => reads.run((keyspace) => keyspace.historyQuery(range)),
    });
    return {
      hub,
      history: (range) => history.query(range),
      turns: new BookmarkTurns(timers),
      onOpen: (watch) => this.#open.add(watch),
      onEnd: (watch) => {
        this.#open.delete(watch);
        this.#progress.remove(watch);
      },
    };
  }
}
