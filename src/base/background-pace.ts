/**
 * How fast work goes that can wait: all out while nothing else is asked of the process, else for a small
 * share of the time. Each piece of it is timed from start to end, waiting for threads and for turns
 * included, so whatever there is too little of, processor or disk, makes the pauses longer too.
 *
 * What waits for too long does harm of its own. So the pauses become shorter, evenly, until there are none:
 * no load keeps the work from being finished that leaves room for it at all.
 */
import { assert } from './assert.js';
import type { Clock } from './clock.js';

/** Work that is not done after as long goes on without pauses. */
const patienceMs = 600_000;
/** Whoever ends the work does not wait for longer; and a machine that stood still is no load. */
const restMsMax = 1_000;

/** @since 0.1.0 */
export interface BackgroundPaceParts {
  /** Times the pieces. */
  readonly clock: Clock;
  /** A number that changes with what the process does for others. */
  readonly served: () => number;
  /** Milliseconds of rest for each that a piece took, while others are served. */
  readonly restsPerWork: number;
}

/** @since 0.1.0 */
export class BackgroundPace {
  readonly #parts: BackgroundPaceParts;
  /** When the work that is under way was begun; `undefined` when there is none. */
  #sinceMs: number | undefined;
  #pieceMs = 0;
  #servedBefore: number;

  constructor(parts: BackgroundPaceParts) {
    this.#parts = parts;
    this.#servedBefore = parts.served();
  }

  /** A piece begins: the first one of the work, or the next. */
  begin(): void {
    this.#pieceMs = this.#parts.clock.monotonicMs();
    this.#sinceMs ??= this.#pieceMs;
  }

  /**
   * The piece has ended, and there is more to do.
   *
   * @returns milliseconds until the next one is to begin; 0 when nobody was served since the last call
   */
  restMs(): number {
    const { clock, restsPerWork, served } = this.#parts;
    assert(this.#sinceMs !== undefined, 'a piece of work begins before it ends');
    const nowMs = clock.monotonicMs();
    const isAlone = served() === this.#servedBefore;
    this.#servedBefore = served();
    if (isAlone) return 0;
    const patience = Math.max(0, 1 - (nowMs - this.#sinceMs) / patienceMs);
    return Math.min(restMsMax, (nowMs - this.#pieceMs) * restsPerWork * patience);
  }

  /** The work is done. */
  end(): void {
    this.#sinceMs = undefined;
  }
}
