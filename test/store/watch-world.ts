/** A keyspace in memory that watches read as a store's do; nothing in it waits for time. */

import { startHistoryQuery } from '../../src/mvcc/history-query.js';
import {
  type Command,
  type History,
  type HistoryRange,
  type KeySelection,
  WatchHub,
} from '../../src/mvcc/index.js';
import { Watch, type WatchSettings, type WatchSource } from '../../src/store/watch.js';
import { ReferenceModel } from '../mvcc/reference-model.js';
import { SortedBackend } from '../mvcc/sorted-backend.js';

export interface WatchWorldOptions extends Partial<WatchSource> {
  readonly eventsMax?: number;
  readonly limit?: number;
}

export class WatchWorld {
  readonly backend = new SortedBackend();
  readonly model = new ReferenceModel();
  readonly keyspace = this.backend.open();
  readonly hub: WatchHub;
  readonly source: WatchSource;
  readonly open = new Set<Watch>();
  readonly #limit: number | undefined;
  queries = 0;
  /** Reads of records that the queries took. */
  fetches = 0;

  constructor({ eventsMax, limit, ...source }: WatchWorldOptions = {}) {
    this.hub = new WatchHub({ revision: 1, compactRevision: 0, eventsMax });
    this.#limit = limit;
    this.source = {
      hub: this.hub,
      history: (range) => this.history(range),
      onOpen: (watch) => this.open.add(watch),
      onEnd: (watch) => this.open.delete(watch),
      ...source,
    };
  }

  run(...commands: Command[]): void {
    for (const command of commands) this.model.execute(command);
    for (const { events } of this.backend.run(this.keyspace, commands)) {
      if (events.length > 0) this.hub.notify(events[0]!.revision, events);
    }
  }

  watch(keys: KeySelection, fromRevision?: number, signal?: AbortSignal): Watch {
    return this.follow({ keys, fromRevision, signal });
  }

  follow(settings: WatchSettings): Watch {
    return new Watch(this.source, settings);
  }

  async history(range: HistoryRange): Promise<History> {
    this.queries += 1;
    let query = startHistoryQuery({ ...range, limit: this.#limit ?? range.limit }, this.hub);
    while (!query.done) {
      await Promise.resolve();
      this.fetches += 1;
      query = query.next(this.backend.read(query.plan));
    }
    return query.result;
  }
}

/** Lets everything that can run now run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
