/**
 * History for all watches of a store. After a snapshot install, or when a crowd of consumers comes
 * back, thousands of watches read the same stretch at once: it is then read and decoded once, and
 * each takes its part. Reads that wait for the disk are bounded in number; the others wait for them.
 */
import { kontikiError } from '../base/errors.js';
import { isPromise } from '../base/is-promise.js';
import { limits } from '../base/limits.js';
import type { History, HistoryRange, ReadableRevisions } from '../mvcc/index.js';
import { SharedHistory } from './shared-history.js';

/** What {@link WatchHistory} reads from. @since 0.1.0 */
export interface WatchHistoryOptions {
  /** Runs a history query. */
  readonly read: (range: HistoryRange) => History | Promise<History>;
  /** The hub, live; `epoch` changes when the state below is replaced. */
  readonly state: ReadableRevisions & { readonly epoch: number };
  /** Reads under way at most; default `limits.historyReadsMax`. */
  readonly readsMax?: number | undefined;
}

interface Waiting {
  readonly range: HistoryRange;
  readonly resolve: (history: History | Promise<History>) => void;
  readonly reject: (error: unknown) => void;
}

/** A stretch of history, as often as it was asked for; shared from the second time on. */
interface Stretch {
  readonly range: HistoryRange;
  answer: SharedHistory | Promise<SharedHistory> | undefined;
}

/** Stretches remembered; what is being read at the same time differs little. */
const stretchesMax = 4;

/**
 * A store's reader of history.
 *
 * @since 0.1.0
 */
export class WatchHistory {
  readonly #read: WatchHistoryOptions['read'];
  readonly #state: WatchHistoryOptions['state'];
  readonly #readsMax: number;
  #reads = 0;
  #waiting: (Waiting | undefined)[] = [];
  /** Slots of `#waiting` that were given up. */
  #waitingAt = 0;
  #stretches: Stretch[] = [];
  /** The state that the stretches are of. */
  #epoch: number;
  #compactRevision: number;

  constructor({ read, state, readsMax = limits.historyReadsMax }: WatchHistoryOptions) {
    this.#read = read;
    this.#state = state;
    this.#readsMax = readsMax;
    this.#epoch = state.epoch;
    this.#compactRevision = state.compactRevision;
  }

  /**
   * Answers a history query. May overlap with itself.
   *
   * @throws {KontikiError} COMPACTED, STORAGE_IO, STATE_CORRUPT; at once or as a rejection
   */
  query(range: HistoryRange): History | Promise<History> {
    this.#checkCompacted(range);
    const { compactRevision, epoch } = this.#state;
    // What changes at the compacted revision replaced is given up, by what was read before as well.
    if (this.#epoch !== epoch || this.#compactRevision !== compactRevision) {
      this.#epoch = epoch;
      this.#compactRevision = compactRevision;
      this.#stretches = [];
    }
    const known = this.#stretches.find((each) => isSameStretch(each.range, range));
    if (known === undefined) {
      this.#remember({ range, answer: undefined });
      return this.#start(range);
    }
    known.answer ??= this.#share(known);
    const { answer } = known;
    if (!isPromise(answer)) return answer.select(range);
    return answer.then((shared) => {
      this.#checkCompacted(range);
      return shared.select(range);
    });
  }

  /** What is shared may be older than the last compaction, which the others would be refused by. */
  #checkCompacted({ fromRevision }: HistoryRange): void {
    const { compactRevision } = this.#state;
    if (fromRevision >= compactRevision) return;
    const message = `revision ${fromRevision} is compacted, the oldest readable is ${compactRevision}`;
    throw kontikiError('COMPACTED', message, { compactRevision });
  }

  #remember(stretch: Stretch): void {
    this.#stretches.push(stretch);
    if (this.#stretches.length > stretchesMax) this.#stretches.shift();
  }

  #forget(stretch: Stretch): void {
    this.#stretches = this.#stretches.filter((each) => each !== stretch);
  }

  #share(stretch: Stretch): SharedHistory | Promise<SharedHistory> {
    const { fromRevision, fromSub, upTo, limit, previous, fragment } = stretch.range;
    const all = this.#start({ fromRevision, fromSub, upTo, limit, previous, fragment });
    if (!isPromise(all)) return this.#keep(stretch, all);
    return all.then(
      (history) => this.#keep(stretch, history),
      (error: unknown) => {
        this.#forget(stretch);
        throw error;
      },
    );
  }

  #keep(stretch: Stretch, history: History): SharedHistory {
    const shared = new SharedHistory(history);
    // Who comes late reads it again: large values are not kept for somebody who may not come.
    if (history.bytes > limits.historyBytesMax / 4) this.#forget(stretch);
    else stretch.answer = shared;
    return shared;
  }

  #start(range: HistoryRange): History | Promise<History> {
    if (this.#reads < this.#readsMax) return this.#launch(range);
    return new Promise((resolve, reject) => this.#waiting.push({ range, resolve, reject }));
  }

  #launch(range: HistoryRange): History | Promise<History> {
    const answer = this.#read(range);
    if (!isPromise(answer)) return answer;
    this.#reads += 1;
    const done = (): void => {
      this.#reads -= 1;
      this.#startWaiting();
    };
    answer.then(done, done);
    return answer;
  }

  #startWaiting(): void {
    while (this.#reads < this.#readsMax) {
      const next = this.#waiting[this.#waitingAt];
      if (next === undefined) {
        this.#waiting = [];
        this.#waitingAt = 0;
        return;
      }
      // Its answer would be held by it until nobody waits any more, which may be never.
      this.#waiting[this.#waitingAt] = undefined;
      this.#waitingAt += 1;
      this.#compact();
      try {
        next.resolve(this.#launch(next.range));
      } catch (error) {
        next.reject(error);
      }
    }
  }

  #compact(): void {
    if (this.#waitingAt < 1_024 || 2 * this.#waitingAt < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#waitingAt);
    this.#waitingAt = 0;
  }
}

function isSameStretch(a: HistoryRange, b: HistoryRange): boolean {
  return (
    a.fromRevision === b.fromRevision &&
    a.fromSub === b.fromSub &&
    a.upTo === b.upTo &&
    a.limit === b.limit &&
    (a.previous !== false) === (b.previous !== false) &&
    (a.fragment === true) === (b.fragment === true)
  );
}
