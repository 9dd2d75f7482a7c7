/**
 * A keyspace on LevelDB without the log, the node and the store around it: commands and queries take
 * the path that the store's state machine takes.
 */
import { systemClock, systemTimers } from '../../src/base/clock.js';
import {
  type Command,
  countedRecords,
  Keyspace,
  type Query,
  type RangeResult,
  type ReadPlan,
  segmentsOf,
  VersionCache,
  WatchHub,
} from '../../src/mvcc/index.js';
import type { CommandOrigin } from '../../src/mvcc/lease-types.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { WriteBehindBackend } from '../../src/storage/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';

export class KeyspaceRig {
  readonly backend: WriteBehindBackend;
  readonly keyspace: Keyspace;
  readonly cache: VersionCache;
  readonly hub: WatchHub;
  #appliedIndex: number;
  #session: number | undefined;

  private constructor(backend: WriteBehindBackend, keyspace: Keyspace) {
    this.backend = backend;
    this.keyspace = keyspace;
    this.cache = new VersionCache(keyspace);
    this.hub = new WatchHub(keyspace);
    this.#appliedIndex = backend.openedIndex;
  }

  /**
   * @param path - folder of the engine; created if missing
   * @param options.verify - check the newest tables, as `openStore` does
   * @param options.session - commands come in a session, as a store's do
   */
  static async open(path: string, { verify = false, session = true } = {}): Promise<KeyspaceRig> {
    const fs = verify ? nodeFileSystem : undefined;
    const engine = await openClassicLevel(path, { fs, clock: systemClock });
    const timers = systemTimers;
    const backend = await WriteBehindBackend.open({ engine, timers, counted: countedRecords });
    const rig = new KeyspaceRig(backend, Keyspace.open(await backend.read(Keyspace.openPlan())));
    if (session) await rig.apply([{ op: 'session-open' }]);
    return rig;
  }

  /** As one process with 100 callers sends them: one entry opens its session. */
  #originsOf(commands: readonly Command[]): CommandOrigin[] {
    const session = this.#session;
    return commands.map((command, nth) => {
      const index = this.#appliedIndex + 1 + nth;
      if (command.op === 'session-open') this.#session = index;
      if (session === undefined) return { term: 1, index };
      const request = { session, seq: index, doneBelow: Math.max(1, index - 100) };
      return { term: 1, index, request };
    });
  }

  /** Applies commands as one batch of the apply loop. */
  async apply(commands: readonly Command[]): Promise<void> {
    const { backend, keyspace } = this;
    const room = backend.ready();
    if (room !== undefined) await room;
    for (const segment of segmentsOf(keyspace, commands, this.#originsOf(commands))) {
      let plan: ReadPlan | undefined = segment.plan;
      while (plan !== undefined) {
        const reads = backend.read(plan);
        plan = segment.supply(reads instanceof Promise ? await reads : reads);
      }
      const { executions, changes } = segment.execute();
      this.#appliedIndex += segment.commands.length;
      backend.apply(changes, this.#appliedIndex);
      for (const { events } of executions) this.cache.notify(events);
      for (const { events } of executions) {
        if (events[0] !== undefined) this.hub.notify(events[0].revision, events);
      }
    }
  }

  /** A step of the store's compaction loop: bytes read, `undefined` when nothing was left to do. */
  async removeCompacted(changesMax: number): Promise<number | undefined> {
    const { backend, keyspace } = this;
    await backend.ready();
    let query = keyspace.compactionSlice(changesMax);
    while (query !== undefined && !query.done) query = query.next(await backend.read(query.plan));
    if (query === undefined) return undefined;
    backend.apply(keyspace.finishSlice(query.result), this.#appliedIndex);
    return query.result.bytes;
  }

  get(key: string): Promise<RangeResult> {
    return this.#run(this.cache.rangeQuery({ op: 'range', keys: { gte: key, lt: `${key}\0` } }));
  }

  range(gte: string, limit: number): Promise<RangeResult> {
    return this.#run(this.cache.rangeQuery({ op: 'range', keys: { gte }, limit }));
  }

  /** As the store runs a query. */
  async #run<R>(start: Query<R>): Promise<R> {
    let query = start;
    while (!query.done) {
      const reads = this.backend.read(query.plan);
      query = query.next(reads instanceof Promise ? await reads : reads);
    }
    return query.result;
  }

  close(): Promise<void> {
    return this.backend.close();
  }
}
