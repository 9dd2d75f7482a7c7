/**
 * Hands the events of each revision to the watchers of its keys, in revision order, without waiting
 * for anyone.
 */
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { selectionFault } from './command-check.js';
import type { RevisionEvents } from './history-query.js';
import type { ReadableRevisions } from './range-query.js';
import { selects, singleKey } from './selection.js';
import type { KeyEvent, KeySelection } from './types.js';
import { Watcher } from './watcher.js';

/** Options of {@link WatchHub}. @since 0.1.0 */
export interface WatchHubOptions extends ReadableRevisions {
  /** Events a watcher holds before history serves it; default `limits.watcherEventsMax`. */
  readonly eventsMax?: number | undefined;
}

/** What to watch. @since 0.1.0 */
export interface WatchRequest {
  readonly keys: KeySelection;
  /** First revision to deliver, past or future; default: the one after the current. */
  readonly fromRevision?: number | undefined;
  /**
   * Called inside `notify` when the watcher has something to take or to catch up on. It must only
   * schedule, and not throw.
   */
  readonly onReady?: (() => void) | undefined;
}

/**
 * Caller: the state machine calls {@link notify} once per revision, right after it handed the
 * revision's changes to the backend; everything else may happen between those calls.
 *
 * @since 0.1.0
 */
export class WatchHub {
  #readable: ReadableRevisions;
  readonly #eventsMax: number;
  readonly #byKey = new Map<BinaryString, Set<Watcher>>();
  readonly #ranges = new Set<Watcher>();

  /**
   * @param options - the keyspace's revisions as opened (a `Keyspace` will do), and the queue size
   */
  constructor(options: WatchHubOptions) {
    const { revision, compactRevision, eventsMax = limits.watcherEventsMax } = options;
    this.#readable = { revision, compactRevision };
    this.#eventsMax = eventsMax;
  }

  /** The newest revision that was notified. */
  get revision(): number {
    return this.#readable.revision;
  }

  /** Watchers not closed. */
  get size(): number {
    let size = this.#ranges.size;
    for (const watchers of this.#byKey.values()) size += watchers.size;
    return size;
  }

  /**
   * Registers a watcher, effective at once.
   *
   * @throws {KontikiError} COMPACTED, when `fromRevision` is below the compacted revision: at it
   *   every change is still there, deletes included (etcd: watchable_store.go, chooseAll).
   *   ARGUMENT_INVALID, KEY_EMPTY, when the request can match nothing
   * @since 0.1.0
   */
  watch(request: WatchRequest): Watcher {
    const { keys, onReady } = request;
    const { revision, compactRevision } = this.#readable;
    const startRevision = request.fromRevision ?? revision + 1;
    checkRequest(keys, startRevision);
    if (startRevision < compactRevision) {
      throw kontikiError(
        'COMPACTED',
        `revision ${startRevision} is compacted, the oldest readable is ${compactRevision}`,
        { compactRevision },
      );
    }
    const watcher = new Watcher({
      keys,
      startRevision,
      isBehind: startRevision <= revision,
      eventsMax: this.#eventsMax,
      revisionNow: () => this.#readable.revision,
      onClose: (closed) => this.#remove(closed),
      onReady,
    });
    this.#add(watcher);
    return watcher;
  }

  /**
   * Tells a new revision.
   *
   * @param revision - one more than the last, save after a {@link reset}
   * @param events - all of the revision's, in order
   */
  notify(revision: number, events: readonly KeyEvent[]): void {
    this.#readable = { revision, compactRevision: this.#readable.compactRevision };
    const [event] = events;
    if (event === undefined) return;
    if (events.length > 1) this.#notifyMany(revision, events);
    // One event is the common case: all its watchers share one group.
    else {
      const group: RevisionEvents = { revision, events };
      this.#eachWatcher(event.key, (watcher) => watcher._offer(group));
    }
  }

  /**
   * Continues from a state that was not reached by `notify`: a snapshot was installed, or the
   * keyspace was opened anew. Watchers keep their places and read from history what they missed;
   * revisions told again after a step back are not delivered again.
   *
   * @param readable - the new state's revisions
   */
  reset({ revision, compactRevision }: ReadableRevisions): void {
    const before = this.#readable.revision;
    this.#readable = { revision, compactRevision };
    for (const watcher of [...this.#ranges]) watcher._reset(before);
    for (const watchers of [...this.#byKey.values()]) {
      for (const watcher of [...watchers]) watcher._reset(before);
    }
  }

  #notifyMany(revision: number, events: readonly KeyEvent[]): void {
    const matches = new Map<Watcher, KeyEvent[]>();
    for (const event of events) {
      this.#eachWatcher(event.key, (watcher) => {
        const own = matches.get(watcher);
        if (own === undefined) matches.set(watcher, [event]);
        // One too many is enough to make the watcher fall behind.
        else if (own.length <= this.#eventsMax) own.push(event);
      });
    }
    for (const [watcher, own] of matches) watcher._offer({ revision, events: own });
  }

  #eachWatcher(key: BinaryString, visit: (watcher: Watcher) => void): void {
    const exact = this.#byKey.get(key);
    if (exact !== undefined) for (const watcher of exact) visit(watcher);
    for (const watcher of this.#ranges) if (selects(watcher.keys, key)) visit(watcher);
  }

  #add(watcher: Watcher): void {
    const key = singleKey(watcher.keys);
    if (key === undefined) {
      this.#ranges.add(watcher);
      return;
    }
    const watchers = this.#byKey.get(key);
    if (watchers === undefined) this.#byKey.set(key, new Set([watcher]));
    else watchers.add(watcher);
  }

  #remove(watcher: Watcher): void {
    if (this.#ranges.delete(watcher)) return;
    const key = singleKey(watcher.keys) as BinaryString;
    const watchers = this.#byKey.get(key);
    if (watchers?.delete(watcher) && watchers.size === 0) this.#byKey.delete(key);
  }
}

function checkRequest(keys: KeySelection, startRevision: number): void {
  const fault = selectionFault(keys);
  if (fault !== undefined) throw fault;
  if (keys.lt !== undefined && keys.lt <= keys.gte) {
    throw kontikiError('ARGUMENT_INVALID', 'the range to watch is empty');
  }
  if (Number.isSafeInteger(startRevision) && startRevision > 0) return;
  throw kontikiError('ARGUMENT_INVALID', `a revision is an integer from 1, got ${startRevision}`);
}
