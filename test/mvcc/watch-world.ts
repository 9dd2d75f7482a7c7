/**
 * A keyspace, its hub and a model that keeps everything, with compaction, state that is replaced or
 * goes back, and consumers of any pace.
 */
import { startHistoryQuery } from '../../src/mvcc/history-query.js';
import {
  type CatchUp,
  type Command,
  type History,
  type Query,
  type ReadPlan,
  WatchHub,
} from '../../src/mvcc/index.js';
import { ReferenceModel } from './reference-model.js';
import { SortedBackend } from './sorted-backend.js';
import { Consumer, type ConsumerOptions, type WatchedState } from './watch-consumer.js';

export interface WorldOptions {
  readonly eventsMax?: number;
  /** Changes read from history at a time; default: as the watcher says. */
  readonly limit?: number | undefined;
  readonly totalEventsMax?: number;
  readonly totalBytesMax?: number;
}

export class World implements WatchedState {
  readonly backend = new SortedBackend();
  readonly model = new ReferenceModel();
  readonly keyspace = this.backend.open();
  readonly hub: WatchHub;
  readonly requests = new Map<Consumer, ConsumerOptions>();
  readonly eventsMax: number;
  readonly #limit: number | undefined;

  constructor({ eventsMax = 1_024, limit, ...totals }: WorldOptions = {}) {
    this.eventsMax = eventsMax;
    this.#limit = limit;
    this.hub = new WatchHub({ revision: 1, compactRevision: 0, eventsMax, ...totals });
  }

  get consumers(): readonly Consumer[] {
    return [...this.requests.keys()];
  }

  get compactRevision(): number {
    return this.keyspace.compactRevision;
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
    this.hub.reset(this.keyspace);
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
      this.hub.notify(revision, this.model.eventsOf(revision));
    }
  }

  /** Compacts what the hub was told of, and removes all of that at once. */
  compact(to: number): void {
    const revision = Math.min(to, this.hub.revision);
    if (revision <= this.compactRevision) return;
    this.runUntold({ op: 'compact', revision });
    this.hub.compacted(revision);
    let query = this.keyspace.compactionSlice(1_000);
    while (query !== undefined) {
      this.backend.apply(this.keyspace.finishSlice(this.backend.answer(query)));
      query = this.keyspace.compactionSlice(1_000);
    }
  }

  watch(options: ConsumerOptions): Consumer {
    const consumer = new Consumer(this, options);
    this.requests.set(consumer, options);
    return consumer;
  }

  /** What the hub knows of may be less than the keyspace does. */
  history(range: CatchUp): Query<History> {
    return startHistoryQuery({ ...range, limit: this.#limit ?? range.limit }, this.hub);
  }

  read(plan: ReadPlan) {
    return this.backend.read(plan);
  }
}
