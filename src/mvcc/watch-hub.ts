/**
 * Hands the events of each revision to the watchers of its keys, in revision order, without waiting
 * for anyone.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { selectionFault } from './command-check.js';
import { HeldRevision } from './held-revision.js';
import { IntervalIndex } from './interval-index.js';
import type { ReadableRevisions } from './readable-revisions.js';
import { singleKey } from './selection.js';
import type { KeyEvent, KeySelection } from './types.js';
import { type WatchBufferLimits, WatchBuffers } from './watch-buffers.js';
import { WatchMatches, type WatchMatchesOptions } from './watch-matches.js';
import { type WatchConsumer, Watcher, type WatcherHub, type WatchFilter } from './watcher.js';
import { WatcherList } from './watcher-list.js';

/** Options of {@link WatchHub}. @since 0.1.0 */
export interface WatchHubOptions extends ReadableRevisions, WatchBufferLimits {
  /** Events a watcher holds before history serves it; default `limits.watcherEventsMax`. */
  readonly eventsMax?: number | undefined;
}

/** What to watch. @since 0.1.0 */
export interface WatchRequest extends WatchFilter {
  readonly keys: KeySelection;
  /** First revision to deliver, past or future; default: the one after the current. */
  readonly fromRevision?: number | undefined;
  /** Who is told; default: nobody, the watcher is asked. */
  readonly consumer?: WatchConsumer | undefined;
}

/**
 * Caller: the state machine calls {@link notify} once per revision, right after it handed the
 * revision's changes to the backend ({@link notifyGathered} for one that was made in parts), and {@link compacted} when a compaction has raised the
 * compacted revision; everything else may happen between those calls.
 *
 * @since 0.1.0
 */
export class WatchHub {
  #revision: number;
  #compactRevision: number;
  readonly #byKey = new Map<BinaryString, WatcherList>();
  readonly #ranges = new IntervalIndex<WatcherList>();
  readonly #matching: WatchMatchesOptions;
  /** Of a revision that comes in parts. */
  #gathered: WatchMatches | undefined;
  readonly #buffers: WatchBuffers;
  readonly #ties: WatcherHub;
  #size = 0;
  #epoch = 0;
  /** Lists of the key being told; kept to be used again. */
  readonly #found: WatcherList[] = [];
  /** Whether lists are being walked, which then must not change. */
  #isTelling = false;
  /** Closed meanwhile. */
  readonly #leaving: Watcher[] = [];

  /**
   * @param options - the keyspace's revisions as opened (a `Keyspace` will do), and the queue sizes
   */
  constructor(options: WatchHubOptions) {
    const { revision, compactRevision, eventsMax = limits.watcherEventsMax } = options;
    this.#revision = revision;
    this.#compactRevision = compactRevision;
    this.#matching = {
      find: (key) => this.#find(key),
      eventsMax,
      totalEventsMax: options.totalEventsMax ?? limits.watchEventsMax,
      totalBytesMax: options.totalBytesMax ?? limits.watchBytesMax,
    };
    const buffers = new WatchBuffers(options);
    this.#buffers = buffers;
    const revisionNow = (): number => this.#revision;
    this.#ties = {
      get revision() {
        return revisionNow();
      },
      eventsMax,
      buffers,
      forget: (watcher) => this.#forget(watcher),
    };
  }

  /** The newest revision that was notified. */
  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision a watch may start at; 0 before the first compaction. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** How often the state was replaced by {@link reset}. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Watchers not closed. */
  get size(): number {
    return this.#size;
  }

  /** What watchers hold that nobody took yet: events in queues, and bytes of their revisions. */
  get held(): { readonly events: number; readonly bytes: number } {
    const { events, bytes } = this.#buffers;
    return { events, bytes };
  }

  /** The greatest {@link Watcher.lag}; looks at every watcher. */
  get lagMax(): number {
    let most = 0;
    this.#eachWatcher((watcher) => {
      most = Math.max(most, watcher.lag);
    });
    return most;
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
    const { keys, consumer } = request;
    const startRevision = request.fromRevision ?? this.#revision + 1;
    checkRequest(keys, startRevision);
    const compactRevision = this.#compactRevision;
    if (startRevision < compactRevision) {
      throw kontikiError(
        'COMPACTED',
        `revision ${startRevision} is compacted, the oldest readable is ${compactRevision}`,
        { compactRevision },
      );
    }
    const list = this.#listOf(keys);
    const hub = this.#ties;
    const watcher = new Watcher({ hub, list, startRevision, filter: request, consumer });
    list.add(watcher);
    this.#size += 1;
    return watcher;
  }

  /**
   * Tells a new revision.
   *
   * @param revision - one more than the last, save after a {@link reset}
   * @param events - all of the revision's, in order
   */
  notify(revision: number, events: readonly KeyEvent[]): void {
    this.#revision = revision;
    const [event] = events;
    if (event === undefined || this.#size === 0) return;
    this.#tell(() => {
      if (events.length === 1) return this.#notifyOne(event, new HeldRevision(revision, events));
      const matches = new WatchMatches(this.#matching);
      matches.add(events);
      this.#notifyMany(revision, matches);
    });
  }

  /**
   * Begins a revision whose events come in parts, over many turns; the last such beginning counts.
   *
   * @returns takes the parts; to be given to {@link notifyGathered}
   */
  gather(): WatchMatches {
    this.#gathered = new WatchMatches(this.#matching);
    return this.#gathered;
  }

  /**
   * Tells a new revision, as {@link notify} does.
   *
   * @param matches - of this hub's last {@link gather}, with all of the revision's events
   */
  notifyGathered(revision: number, matches: WatchMatches): void {
    assert(matches === this.#gathered, 'the revision begun last is told');
    this.#gathered = undefined;
    this.#revision = revision;
    this.#tell(() => this.#notifyMany(revision, matches));
  }

  /**
   * Tells that history below `revision` is gone. Watchers that still need some of it are woken to
   * learn so from their next read of history, which is refused with COMPACTED: a slow watcher gets
   * its events or that word, never silence (incident 17529).
   *
   * @param revision - the compacted revision: the oldest that can be read
   */
  compacted(revision: number): void {
    if (revision <= this.#compactRevision) return;
    this.#compactRevision = revision;
    this.#tell(() => this.#eachWatcher((watcher) => watcher._compacted(revision)));
  }

  /**
   * Continues from a state that was not reached by `notify`: a snapshot was installed, or the
   * keyspace was opened anew. Watchers keep their places and read from history what they missed;
   * revisions told again after a step back are not delivered again.
   *
   * @param readable - the new state's revisions
   */
  reset({ revision, compactRevision }: ReadableRevisions): void {
    const before = this.#revision;
    this.#revision = revision;
    this.#compactRevision = compactRevision;
    this.#epoch += 1;
    this.#tell(() => this.#eachWatcher((watcher) => watcher._reset(before)));
  }

  /** All watchers of the key share one object. */
  #notifyOne(event: KeyEvent, held: HeldRevision): void {
    for (const list of this.#find(event.key)) {
      for (let at = list.first; at !== undefined; at = at._next) {
        if (at._wants(event)) at._offer(held.revision, held);
      }
    }
  }

  #notifyMany(revision: number, { lists }: WatchMatches): void {
    for (const [list, events] of lists) {
      this.#tellList(list, revision, events && new HeldRevision(revision, events));
    }
  }

  /** @param all - `undefined`: too large to be held, and so nobody knows what a filter would leave */
  #tellList(list: WatcherList, revision: number, all: HeldRevision | undefined): void {
    for (let at = list.first; at !== undefined; at = at._next) {
      if (all === undefined || at._wantsAll) {
        at._offer(revision, all);
        continue;
      }
      const watcher = at;
      const own = all.events.filter((event) => watcher._wants(event));
      if (own.length > 0) at._offer(revision, new HeldRevision(revision, own));
    }
  }

  #find(key: BinaryString): readonly WatcherList[] {
    const found = this.#found;
    found.length = 0;
    const exact = this.#byKey.get(key);
    if (exact !== undefined) found.push(exact);
    if (this.#ranges.size > 0) this.#ranges.collect(key, found);
    return found;
  }

  #eachWatcher(visit: (watcher: Watcher) => void): void {
    const visitList = (list: WatcherList): void => {
      for (let at = list.first; at !== undefined; at = at._next) visit(at);
    };
    for (const list of this.#byKey.values()) visitList(list);
    this.#ranges.forEach(visitList);
  }

  /** Watchers that are closed by what they are told leave their lists when the walk is over. */
  #tell(walk: () => void): void {
    assert(!this.#isTelling, 'a consumer schedules, it changes nothing');
    this.#isTelling = true;
    try {
      walk();
    } finally {
      this.#isTelling = false;
      for (const watcher of this.#leaving.splice(0)) this.#remove(watcher);
    }
  }

  #listOf(keys: KeySelection): WatcherList {
    const key = singleKey(keys);
    const existing = key === undefined ? this.#ranges.get(keys) : this.#byKey.get(key);
    if (existing !== undefined) return existing;
    assert(!this.#isTelling, 'a consumer schedules, it begins no watch');
    const list = new WatcherList(keys);
    if (key === undefined) this.#ranges.set(keys, list);
    else this.#byKey.set(key, list);
    this.#gathered?.leave(list);
    return list;
  }

  #forget(watcher: Watcher): void {
    this.#size -= 1;
    if (this.#isTelling) this.#leaving.push(watcher);
    else this.#remove(watcher);
  }

  #remove(watcher: Watcher): void {
    const list = watcher._list;
    list.remove(watcher);
    if (list.first !== undefined) return;
    if (list.key === undefined) this.#ranges.delete(list.keys);
    else this.#byKey.delete(list.key);
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
