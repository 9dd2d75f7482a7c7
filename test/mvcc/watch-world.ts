/**
 * A keyspace, its hub and a model that keeps everything, with compaction, state that is replaced or
 * goes back, and consumers of any pace.
 */
import { expect } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { type HistoryRange, startHistoryQuery } from '../../src/mvcc/history-query.js';
import {
  type CatchUp,
  type Command,
  type History,
  type KeySelection,
  type Query,
  type RevisionEvents,
  type WatchConsumer,
  type Watcher,
  type WatchFilter,
  WatchHub,
} from '../../src/mvcc/index.js';
import { decodeHistory } from '../../src/mvcc/record.js';
import { closedKey, historyKey, historyRange } from '../../src/mvcc/record-keys.js';
import { Model } from './model.js';
import { SortedBackend } from './sorted-backend.js';

/** What a consumer got, in order: revisions, whole or in pieces, and bookmarks between them. */
export type Got = RevisionEvents | { readonly bookmark: number };

export interface ConsumerOptions extends WatchFilter {
  readonly keys: KeySelection;
  readonly fromRevision?: number | undefined;
  /** Takes each revision as it comes, if it holds nothing; otherwise all comes by `pull`. */
  readonly isEager?: boolean;
}

/** Does one small thing at a time. */
export class Consumer implements WatchConsumer {
  readonly got: Got[] = [];
  readonly watcher: Watcher;
  isClosed = false;
  /** What history said when it ended the watch, and which revision was asked for. */
  compacted: { readonly compactRevision: number; readonly fromRevision: number } | undefined;
  woken = 0;
  readonly #world: World;
  readonly #isEager: boolean;
  #reading: { readonly request: CatchUp; readonly query: Query<History> } | undefined;

  constructor(world: World, { isEager = false, ...request }: ConsumerOptions) {
    this.#world = world;
    this.#isEager = isEager;
    this.watcher = world.hub.watch({ ...request, consumer: this });
  }

  get isOver(): boolean {
    return this.isClosed || this.compacted !== undefined;
  }

  /** Whole revisions and pieces, without bookmarks. */
  get revisions(): RevisionEvents[] {
    return this.got.filter((it) => 'events' in it);
  }

  offer(revision: RevisionEvents): boolean {
    if (!this.#isEager || this.isOver) return false;
    this.got.push(revision);
    return true;
  }

  ready(): void {
    this.woken += 1;
  }

  /** Takes, or starts to read, or reads on; false when there was nothing to do. */
  pull(): boolean {
    if (this.isOver) return false;
    if (this.#reading !== undefined) {
      this.#readOn(this.#reading);
      return true;
    }
    const taken = this.watcher.take();
    if (taken !== undefined) {
      const count = taken.reduce((sum, { events }) => sum + events.length, 0);
      expect(count).toBeLessThanOrEqual(this.#world.eventsMax);
      this.got.push(...taken);
      return true;
    }
    if (!this.watcher.isBehind) return false;
    const request = this.watcher.catchUp();
    if (request === undefined) return true;
    this.#try(request, () => this.#world.history(request));
    return true;
  }

  /** Notes a bookmark, if one may be given now. */
  mark(): void {
    const bookmark = this.isOver ? undefined : this.watcher.progress;
    if (bookmark !== undefined) this.got.push({ bookmark });
  }

  close(): void {
    this.isClosed = true;
    this.watcher.close();
  }

  #readOn({ request, query }: { request: CatchUp; query: Query<History> }): void {
    if (!query.done) {
      this.#try(request, () => query.next(this.#world.backend.read(query.plan)));
      return;
    }
    this.#reading = undefined;
    this.got.push(...(this.watcher.caughtUp(request, query.result) ?? []));
  }

  #try(request: CatchUp, step: () => Query<History>): void {
    try {
      this.#reading = { request, query: step() };
    } catch (error) {
      this.#reading = undefined;
      // A read of a state that was replaced may fail in any way.
      if (!this.watcher.isAwaiting(request)) return;
      if (!isKontikiError(error, 'COMPACTED')) throw error;
      const { compactRevision } = error;
      this.compacted = { compactRevision, fromRevision: request.fromRevision };
      this.watcher.close();
    }
  }
}

export interface WorldOptions {
  readonly eventsMax?: number;
  /** Changes read from history at a time; default: as the watcher says. */
  readonly limit?: number | undefined;
  readonly totalEventsMax?: number;
  readonly totalBytesMax?: number;
}

export class World {
  readonly backend = new SortedBackend();
  readonly model = new Model();
  readonly keyspace = this.backend.open();
  readonly hub: WatchHub;
  readonly consumers: Consumer[] = [];
  readonly requests = new Map<Consumer, ConsumerOptions>();
  readonly eventsMax: number;
  readonly #limit: number | undefined;
  compactRevision = 0;
  /** Revisions read from history so far, each as often as it was read. */
  readonly asked: HistoryRange[] = [];

  constructor({ eventsMax = 1_024, limit, ...totals }: WorldOptions = {}) {
    this.eventsMax = eventsMax;
    this.#limit = limit;
    this.hub = new WatchHub({ revision: 1, compactRevision: 0, eventsMax, ...totals });
  }

  run(...commands: Command[]): void {
    this.tell();
    this.runUntold(...commands);
    this.tell();
  }

  /** Revisions that the hub is not told of yet. */
  runUntold(...commands: Command[]): void {
    for (const command of commands) this.model.execute(command);
    this.backend.run(this.keyspace, commands);
  }

  /** As a snapshot does: the state is further on, and no event was told. */
  install(...commands: Command[]): void {
    this.tell();
    this.runUntold(...commands);
    this.hub.reset({ revision: this.model.revision, compactRevision: this.compactRevision });
  }

  /** As a reopened state machine does: back to an older state; `tell` then goes on from there. */
  rewind(by: number): void {
    const oldest = Math.max(1, this.compactRevision);
    const revision = Math.max(oldest, this.hub.revision - by);
    this.hub.reset({ revision, compactRevision: this.compactRevision });
  }

  /** Tells up to `count` revisions that the hub has not been told of. */
  tell(count = Infinity): void {
    for (let left = count; left > 0 && this.hub.revision < this.model.revision; left -= 1) {
      const revision = this.hub.revision + 1;
      this.hub.notify(revision, this.model.events[revision]!);
    }
  }

  /** Compacts by the rules of ADR 0006: first the number, then the records. */
  compact(to: number): void {
    const upTo = Math.min(to, this.hub.revision);
    if (upTo <= this.compactRevision) return;
    this.compactRevision = upTo;
    this.hub.compacted(upTo);
    const { records } = this.backend;
    const plan = { keys: [], ranges: [historyRange({ from: 1, upTo })] };
    for (const [recordKey, bytes] of this.backend.read(plan).ranges[0]!) {
      const { type, version, previous } = decodeHistory(recordKey, bytes);
      if (previous.revision > 0) {
        records.delete(historyKey(previous));
        records.delete(closedKey(version.key, previous));
      }
      if (type === 'delete' && version.modRevision < upTo) records.delete(recordKey);
    }
  }

  watch(options: ConsumerOptions): Consumer {
    const consumer = new Consumer(this, options);
    this.consumers.push(consumer);
    this.requests.set(consumer, options);
    return consumer;
  }

  history(range: HistoryRange): Query<History> {
    this.asked.push(range);
    const readable = {
      hub: this.hub,
      get revision() {
        return this.hub.revision;
      },
      get compactRevision() {
        return this.hub.compactRevision;
      },
    };
    return startHistoryQuery({ ...range, limit: this.#limit ?? range.limit }, readable);
  }

  /** What a watch from `fromRevision` on is to get. */
  expected(fromRevision: number, keys: KeySelection, filter: WatchFilter = {}): RevisionEvents[] {
    return this.model.history(fromRevision, keys).flatMap(({ revision, events }) => {
      const own = events.filter(({ type }) => !(type === 'put' ? filter.noPut : filter.noDelete));
      return own.length === 0 ? [] : [{ revision, events: own }];
    });
  }
}
