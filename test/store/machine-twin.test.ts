// The state machine with all that stands around it — slices, what is put aside, flushes, views, counts, kept
// versions, removal of history, another state in its place — against a twin that has none of it: every
// answer is that of the twin at the index that was applied when the question was put.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { StateView } from '../../src/mvcc/backend.js';
import { countedRecords } from '../../src/mvcc/counted-records.js';
import {
  type Command,
  type Execution,
  type HistoryRange,
  isReadOnly,
  type Keyspace,
  type Query,
  type RangeOperation,
  type RangeSlice,
  type ReadPlan,
  type SessionRequest,
  segmentsOf,
} from '../../src/mvcc/index.js';
import { countedForm, isStub } from '../../src/mvcc/put-stub.js';
import { verifyRecord } from '../../src/mvcc/verify-record.js';
import type { Entry } from '../../src/raft/types.js';
import { type KvEngine, MemoryStateHome, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { Watch } from '../../src/store/watch.js';
import { WatchHistory } from '../../src/store/watch-history.js';
import {
  commands,
  leaseIds,
  ranges,
  selections,
  txns,
  watchable,
} from '../mvcc/command-arbitraries.js';
import { depth } from '../mvcc/depth.js';
import { plain } from '../mvcc/driven-keyspace.js';
import { SortedBackend } from '../mvcc/sorted-backend.js';
import { VirtualTime } from '../node/virtual-time.js';
import { ScriptedEngine } from '../storage/scripted-engine.js';
import { drain, streamOf } from './restorable-member.js';

const inOneGo: RangeSlice = { limit: Infinity, bytesMax: Infinity };

/** What there was at each index: executed one by one, in one go, in a map. */
class Twin {
  readonly log: Entry[] = [];
  readonly executions: Execution[] = [];
  readonly #backend = new SortedBackend();
  readonly #keyspace = this.#backend.open();
  readonly #at: (readonly [Map<string, Uint8Array>, string])[] = [];

  constructor() {
    this.#note();
    this.append({ op: 'session-open' });
  }

  append(command: Command): void {
    const index = this.log.length + 1;
    const request = this.#requestOf(index);
    const data = encodeCommand({ ...request, command });
    this.log.push({ term: 1, index, type: 'normal', data });
    const origin = { term: 1, index, request };
    const [segment] = segmentsOf(this.#keyspace, [command], [origin], inOneGo);
    let plan: ReadPlan | undefined = segment!.plan;
    while (plan !== undefined) plan = segment!.supply(this.#backend.read(plan));
    const { executions, changes } = segment!.execute();
    this.#backend.apply(changes);
    this.executions.push(executions[0]!);
    this.#note();
  }

  /** The first entry opens a session; of the others some come again under a name that was used. */
  #requestOf(index: number): SessionRequest {
    const name = 2 ** 52;
    if (index === 1) return { session: name, seq: 1, doneBelow: 1 };
    const seq = index % 7 === 0 ? index - (index % 4) : index;
    return { session: index % 5 === 0 ? name : 1, seq, doneBelow: Math.max(1, index - 20) };
  }

  hashAt(index: number): string {
    return this.#at[index]![1];
  }

  recordsAt(index: number): ReadonlyMap<string, Uint8Array> {
    return this.#at[index]![0];
  }

  answerAt<R>(index: number, ask: (keyspace: Keyspace) => Query<R>): R {
    const backend = new SortedBackend();
    for (const [key, bytes] of this.#at[index]![0]) backend.records.set(key, bytes);
    return backend.answer(ask(backend.open()));
  }

  #note(): void {
    this.#at.push([new Map(this.#backend.records), this.#keyspace.stateHash]);
  }
}

interface Asked {
  readonly machine: (machine: StoreStateMachine) => Query<unknown>;
  readonly twin: (keyspace: Keyspace) => Query<unknown>;
}

interface Settings {
  readonly slice: RangeSlice;
  readonly cacheBytes: number | undefined;
  readonly chunkMax: number;
}

class World {
  readonly time = new VirtualTime();
  readonly twin = new Twin();
  readonly settings: Settings;
  engine!: ScriptedEngine;
  machine!: StoreStateMachine;
  #tail: Promise<unknown> = Promise.resolve();
  #removing: Promise<unknown> | undefined;
  readonly #checks: Promise<void>[] = [];
  readonly #watches: { watch: Watch; start: number; keys: object; got: unknown[] }[] = [];
  #history!: WatchHistory;
  answers = 0;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  async open(): Promise<void> {
    const newEngine = (): KvEngine => {
      this.engine = new ScriptedEngine();
      this.engine.chunkMax = this.settings.chunkMax;
      return this.engine;
    };
    const openBackend = (engine: KvEngine) =>
      WriteBehindBackend.open({
        engine,
        timers: this.time,
        flushIntervalMs: 50,
        flushBytes: 2_000,
        overlayBytesMax: 6_000,
        verify: verifyRecord,
        counted: { ...countedRecords, pageKeys: 2, pagesMax: 12 },
      });
    const home = new MemoryStateHome(openBackend, newEngine);
    const { slice, cacheBytes } = this.settings;
    this.machine = new StoreStateMachine(await openBackend(newEngine()), home, slice, cacheBytes);
    await this.machine.open();
    const { hub } = this.machine;
    this.#apply([...this.twin.log]);
    const read = (range: HistoryRange) =>
      this.#run((machine) => machine.keyspace.historyQuery(range));
    this.#history = new WatchHistory({ state: hub, read });
  }

  apply(batch: readonly Command[]): void {
    for (const command of batch) this.twin.append(command);
    this.#apply(this.twin.log.slice(this.twin.log.length - batch.length));
  }

  #apply(entries: readonly Entry[]): void {
    this.#tail = this.#tail.then(async () => {
      const results = await this.machine.apply(entries);
      entries.forEach(({ index }, at) => {
        const expected = this.twin.executions[index - 1]!.result;
        expect(plain(results[at]!.value as object)).toEqual(plain(expected));
      });
    });
  }

  /** Commands that this member never sees: it gets the state behind them. */
  restore(batch: readonly Command[]): void {
    for (const command of batch) this.twin.append(command);
    const { log } = this.twin;
    const last = log.length;
    this.#tail = this.#tail.then(async () => {
      const source = new World({ ...this.settings, slice: inOneGo });
      await source.open();
      await source.time.settle(source.#tail.then(() => source.machine.apply(log.slice(1, last))));
      const chunks = await drain(source.machine.snapshot());
      await source.time.settle(source.machine.close());
      const { engine } = this;
      // A write of the state that goes settles, one way or another.
      engine.hold = false;
      await engine.release();
      await this.machine.flush();
      await this.machine.restore(last, streamOf(chunks));
    });
  }

  ask({ machine, twin }: Asked): void {
    this.#checks.push(this.#check(machine, twin));
  }

  async #check(ask: Asked['machine'], askTwin: Asked['twin']): Promise<void> {
    let expected: unknown;
    const found = await outcome(() =>
      this.#run((machine) => {
        // Asked again when another state has taken the place of the one that was being read.
        expected = outcomeNow(() => this.twin.answerAt(machine.appliedIndex, askTwin));
        return ask(machine);
      }),
    );
    // Compacted while it was being read.
    if (found === 'COMPACTED' && expected !== found) return;
    this.answers += 1;
    expect(found).toEqual(expected);
  }

  /** As the store does. */
  async #run<R>(start: (machine: StoreStateMachine) => Query<R>): Promise<R> {
    for (;;) {
      const { machine } = this;
      const { backend, keyspace } = machine;
      try {
        let query = start(machine);
        while (!query.done) {
          const reads = backend.read(query.plan);
          query = query.next(reads instanceof Promise ? await reads : reads);
        }
        if (keyspace === machine.keyspace) return query.result;
      } catch (error) {
        if (keyspace === machine.keyspace) throw error;
      }
    }
  }

  view(): void {
    const { backend, appliedIndex } = this.machine;
    this.#checks.push(this.#checkView(backend.capture(), appliedIndex));
  }

  async #checkView(view: StateView, index: number): Promise<void> {
    const { backend } = this.machine;
    const found = new Map<string, Uint8Array>();
    let before = '';
    try {
      for (;;) {
        const records = await view.next(3);
        if (records.length === 0) break;
        for (const [key, bytes] of records) {
          expect(key > before).toBe(true);
          before = key;
          found.set(key, new Uint8Array(bytes));
        }
      }
    } catch (error) {
      // The state that it shows has gone with its backend.
      if (backend !== this.machine.backend && isKontikiError(error, 'CLOSED')) return;
      throw error;
    }
    await view.close();
    expect(view.appliedIndex).toBe(index);
    const twin = this.twin.recordsAt(index);
    for (const [key, bytes] of twin) {
      // Compacted history is removed in its own time.
      if (/^[kz]/.test(key) && !found.has(key)) continue;
      const shown = found.get(key);
      // A large entry under way may have moved what it ends to history, which nothing shows.
      const isAhead = isStub(bytes) && shown !== undefined && !isStub(shown);
      expect(isAhead ? countedForm(shown) : shown).toEqual(new Uint8Array(bytes));
    }
    for (const key of found.keys()) expect(twin.has(key) || /^[^zkcals]/.test(key)).toBe(true);
    this.answers += 1;
  }

  remove(): void {
    if (this.#removing !== undefined) return;
    this.#removing = this.machine.removeCompacted(2).finally(() => {
      this.#removing = undefined;
    });
    this.#checks.push(this.#removing as Promise<void>);
  }

  watch(keys: { gte: string; lt?: string | undefined }, isBack: boolean): void {
    const { hub } = this.machine;
    const start = isBack ? Math.max(1, hub.compactRevision) : hub.revision + 1;
    const history = (range: HistoryRange) => this.#history.query(range);
    const watch = new Watch({ hub, history }, { keys, fromRevision: start });
    const entry = { watch, start, keys, got: [] as unknown[] };
    this.#watches.push(entry);
    const follow = async () => {
      try {
        for await (const { events } of watch) {
          for (const { type, kv } of events) entry.got.push([kv.modRevision, type, kv.keyText()]);
        }
      } catch (error) {
        if (!isKontikiError(error, 'COMPACTED')) throw error;
        entry.got.push('COMPACTED');
      }
    };
    this.#checks.push(follow());
  }

  checkNow(): void {
    const { appliedIndex, keyspace, hub } = this.machine;
    expect(keyspace.stateHash).toBe(this.twin.hashAt(appliedIndex));
    expect(hub.revision).toBe(keyspace.revision);
  }

  async end(): Promise<void> {
    this.engine.hold = false;
    let isDone = false;
    const all = async () => {
      await this.#tail;
      await this.#removing;
    };
    const done = all().finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    while (!isDone) {
      this.engine.hold = false;
      await this.engine.release();
      await this.time.run(5);
    }
    await done;
    this.checkNow();
    await this.time.run(1_000);
    for (const { watch } of this.#watches) await watch.close();
    await this.time.settle(Promise.all(this.#checks));
    for (const { start, keys, got } of this.#watches) this.#checkWatch(start, keys, got);
    expect(this.time.uncaught).toEqual([]);
    await this.time.settle(this.machine.close());
  }

  #checkWatch(start: number, keys: object, got: unknown[]): void {
    const { gte, lt } = keys as { gte: string; lt?: string };
    const all: unknown[] = [];
    for (const { events } of this.twin.executions) {
      for (const { type, key, revision } of events) {
        if (revision < start || key < gte || (lt !== undefined && key >= lt)) continue;
        const name = new TextDecoder().decode(Uint8Array.from(key, (unit) => unit.charCodeAt(0)));
        all.push([revision, type, name]);
      }
    }
    const isCut = got.at(-1) === 'COMPACTED';
    if (isCut) got.pop();
    expect(got).toEqual(isCut ? all.slice(0, got.length) : all);
    this.answers += 1;
  }
}

async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (!isKontikiError(error)) throw error;
    return error.code;
  }
}

function outcomeNow(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (!isKontikiError(error)) throw error;
    return error.code;
  }
}

const readTxns = txns.filter(isReadOnly);
/** Of all kinds; most of those at the latest revision that can be kept, or that count. */
const operations: fc.Arbitrary<RangeOperation> = fc
  .tuple(ranges, fc.constantFrom('any', 'plain', 'plain', 'counted', 'count-only'))
  .map(([range, kind]): RangeOperation => {
    const { keys, limit } = range;
    if (kind === 'any') return range;
    if (kind === 'plain') return { op: 'range', keys, limit };
    if (kind === 'counted') return { op: 'range', keys, limit: limit ?? 2, count: true };
    return { op: 'range', keys, countOnly: true };
  });
const asked: fc.Arbitrary<Asked> = fc.oneof(
  {
    weight: 8,
    arbitrary: operations.map((operation): Asked => {
      return {
        machine: ({ cache }) => cache.rangeQuery(operation),
        twin: (keyspace) => keyspace.rangeQuery(operation),
      };
    }),
  },
  {
    weight: 1,
    arbitrary: readTxns.map((command): Asked => {
      const ask = (keyspace: Keyspace) => keyspace.txnQuery(command);
      return { machine: ({ keyspace }) => ask(keyspace), twin: ask };
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...leaseIds).map((id): Asked => {
      const ask = (keyspace: Keyspace) => keyspace.leaseKeysQuery(id);
      return { machine: ({ keyspace }) => ask(keyspace), twin: ask };
    }),
  },
);
const sweep = selections.map((keys): Command => ({ op: 'delete', keys, previous: true }));
const written = fc.array(
  fc.oneof({ weight: 6, arbitrary: commands }, { weight: 1, arbitrary: sweep }),
  {
    minLength: 1,
    maxLength: 4,
  },
);
const steps = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('apply' as const), batch: written }) },
  { weight: 14, arbitrary: fc.record({ do: fc.constant('ask' as const), asked }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('micro' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('release' as const), showEarly: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('now' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('view' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      keys: watchable,
      isBack: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), batch: written }) },
);
const settings: fc.Arbitrary<Settings> = fc.record({
  slice: fc.constantFrom(
    { limit: 1, bytesMax: 1e9 },
    { limit: 2, bytesMax: 1e9 },
    { limit: 3, bytesMax: 200 },
    inOneGo,
  ),
  cacheBytes: fc.constantFrom(0, 20_000, undefined),
  chunkMax: fc.constantFrom(1, 2, 1_000),
});

async function play(
  world: World,
  script: readonly (typeof steps extends fc.Arbitrary<infer T> ? T : never)[],
) {
  for (const step of script) {
    if (step.do === 'apply') world.apply(step.batch);
    else if (step.do === 'ask') world.ask(step.asked);
    else if (step.do === 'turn') await world.time.run(0.001);
    else if (step.do === 'micro') await Promise.resolve();
    else if (step.do === 'time') await world.time.run(60);
    else if (step.do === 'release') {
      world.engine.hold = true;
      world.engine.showEarly = step.showEarly;
      await world.engine.release();
    } else if (step.do === 'now') world.engine.isNow = !world.engine.isNow;
    else if (step.do === 'view') world.view();
    else if (step.do === 'remove') world.remove();
    else if (step.do === 'watch') world.watch(step.keys, step.isBack);
    else if (step.do === 'flush') void world.machine.flush().catch(() => undefined);
    else world.restore(step.batch);
    world.checkNow();
  }
}

describe('the state machine and its twin', () => {
  test(
    'anything beside anything -> every answer is of the moment it was asked for',
    async () => {
      let answers = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(steps, { minLength: 10, maxLength: 70, size: 'max' }),
          settings,
          async (script, chosen) => {
            const world = new World(chosen);
            await world.open();
            await play(world, script);
            await world.end();
            answers += world.answers;
          },
        ),
        { numRuns: 40 * depth },
      );
      expect(answers).toBeGreaterThan(300 * depth);
    },
    60_000 * depth,
  );
});
