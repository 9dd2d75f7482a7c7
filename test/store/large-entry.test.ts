// Entries too large for one turn: nobody sees their middle, whatever happens between two slices.
import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Change, StateView } from '../../src/mvcc/backend.js';
import type { Command, HistoryRange, Operation, Query, RangeSlice } from '../../src/mvcc/index.js';
import { encodeStub } from '../../src/mvcc/put-stub.js';
import type { KvEngine } from '../../src/storage/index.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { Watch, type WatchSettings } from '../../src/store/watch.js';
import type { WatchBatch } from '../../src/store/watch-batch.js';
import { depth } from '../mvcc/depth.js';
import { ManualTimers } from '../storage/manual-timers.js';

const inOneGo: RangeSlice = { limit: Infinity, bytesMax: Infinity };
const leaseId = 7n;
const nameOf = (nth: number): string => `k${String(nth).padStart(6, '0')}`;
const valueAt = (nth: number): Uint8Array => Uint8Array.of(nth & 0xff, nth >> 8);
/** Everything that can go on in this turn does. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

class World {
  readonly timers = new ManualTimers();
  readonly engine: KvEngine;
  backend!: WriteBehindBackend;
  machine!: StoreStateMachine;
  #index = 0;

  private constructor(engine: KvEngine) {
    this.engine = engine;
  }

  static async open(engine: KvEngine, slice?: RangeSlice, overlayBytesMax = 1e9): Promise<World> {
    const world = new World(engine);
    const { timers } = world;
    world.backend = await WriteBehindBackend.open({ engine, timers, overlayBytesMax });
    world.machine = new StoreStateMachine(world.backend, undefined, slice);
    world.#index = (await world.machine.open()).appliedIndex;
    return world;
  }

  async apply(...commands: Command[]): Promise<unknown[]> {
    const entries = commands.map((command) => {
      this.#index += 1;
      const data = encodeCommand({ session: 2 ** 52, seq: this.#index, doneBelow: 1, command });
      return { term: 1, index: this.#index, type: 'normal' as const, data };
    });
    return (await this.machine.apply(entries)).map(({ value }) => value);
  }

  /** Applies, turn by turn; returns the results, and how many turns there were between. */
  async step(commands: readonly Command[], between: (turn: number) => unknown = () => undefined) {
    let turns = 0;
    let results: unknown[] | undefined;
    let failure: unknown;
    void this.apply(...commands).then(
      (done) => {
        results = done;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    for (;;) {
      await settled();
      if (failure !== undefined) throw failure;
      if (results !== undefined) return { results, turns };
      turns += 1;
      await between(turns);
      this.timers.advance(0);
    }
  }

  /** Keys of two kinds: every third has no lease. */
  async fill(count: number): Promise<void> {
    await this.apply({ op: 'lease-grant', id: leaseId, ttlSeconds: 60 });
    for (let from = 0; from < count; from += 500) {
      const size = Math.min(500, count - from);
      const success = Array.from({ length: size }, (_, at): Operation => {
        const lease = (from + at) % 3 === 0 ? undefined : leaseId;
        return { op: 'put', key: nameOf(from + at), value: valueAt(from + at), lease };
      });
      // More puts than a slice has: they take several turns.
      await this.step([{ op: 'txn', compares: [], success, failure: [] }]);
    }
  }

  async run<R>(query: Query<R>): Promise<R> {
    let at = query;
    while (!at.done) at = at.next(await this.backend.read(at.plan));
    return at.result;
  }

  /** What can be asked without reading. */
  get facts(): object {
    const { keyspace, hub, appliedIndex } = this.machine;
    const { revision, stateHash } = keyspace;
    return { revision, stateHash, leases: [...keyspace.leases()], hub: hub.revision, appliedIndex };
  }

  /** Every record, however many turns that takes. */
  async dump(): Promise<string[]> {
    let found: string[] | undefined;
    void dumpOf(this.backend.capture()).then((all) => {
      found = all;
    });
    for (; found === undefined; this.timers.advance(0)) await settled();
    return found;
  }

  watch(settings: WatchSettings): WatchLog {
    const { hub, keyspace } = this.machine;
    const history = (range: HistoryRange) => this.run(keyspace.historyQuery(range));
    return new WatchLog(new Watch({ hub, history }, settings));
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Takes every batch as soon as it comes. */
class WatchLog {
  readonly batches: WatchBatch[] = [];
  readonly watch: Watch;

  constructor(watch: Watch) {
    this.watch = watch;
    void this.#read();
  }

  /** Of each event: revision, kind, key, and the value before. */
  get events(): string[] {
    return this.batches.flatMap(({ events }) =>
      events.map(({ type, kv, previous }) => {
        const key = Buffer.from(kv.key).toString();
        return `${kv.modRevision} ${type} ${key} ${previous?.value.join()}`;
      }),
    );
  }

  async #read(): Promise<void> {
    for await (const batch of this.watch) this.batches.push(batch);
  }
}

/** Versions that are current count as such, whether they were moved to history ahead or not. */
async function dumpOf(view: StateView): Promise<string[]> {
  const found: string[] = [];
  const current = new Set<string>();
  for (;;) {
    const records = await view.next(100);
    if (records.length === 0) break;
    for (const [key, bytes] of records) {
      const hex = hexOf(bytes);
      if (key.startsWith('c')) current.add(hex);
      const isAhead = key.startsWith('z') && current.has(hex);
      found.push(`${JSON.stringify(key)} ${isAhead ? hexOf(encodeStub(bytes)) : hex}`);
    }
  }
  await view.close();
  return found;
}

const everything = { gte: '' };
const put = (key: string): Operation => ({ op: 'put', key, value: Uint8Array.of(1) });
const large: Record<string, Command> = {
  delete: { op: 'delete', keys: { gte: 'k', lt: 'l' }, previous: true },
  revoke: { op: 'lease-revoke', id: leaseId },
  txn: {
    op: 'txn',
    compares: [{ keys: everything, target: 'version', result: 'equal', operand: 1 }],
    success: [
      put('before'),
      { op: 'delete', keys: { gte: nameOf(20), lt: 'l' } },
      { op: 'txn', compares: [], success: [{ op: 'delete', keys: { gte: 'k' } }], failure: [] },
      { op: 'range', keys: everything },
      put('after'),
    ],
    failure: [],
  },
};
const kinds = Object.keys(large);
const small: RangeSlice = { limit: 4, bytesMax: 1e9 };
const commandOf = (kind: string): Command => large[kind] as Command;

describe.each(kinds)('a large %s', (kind) => {
  test('in slices -> the same records, result and hash as in one go', async () => {
    const twin = await World.open(new MemoryEngine(), inOneGo);
    await twin.fill(50);
    const expected = await twin.apply(commandOf(kind), { op: 'put', ...next });
    for (const limit of [1, 3, 1_000]) {
      const world = await World.open(new MemoryEngine(), { limit, bytesMax: 1e9 });
      await world.fill(50);
      const { results, turns } = await world.step([commandOf(kind), { op: 'put', ...next }]);
      expect(results).toEqual(expected);
      if (limit === 1) expect(turns).toBeGreaterThan(30);
      expect(world.facts).toEqual(twin.facts);
      expect(await world.dump()).toEqual(await twin.dump());
    }
  });

  test('between any two slices -> readers, views and flushes see the state before', async () => {
    const world = await World.open(new MemoryEngine(), small);
    await world.fill(50);
    const [facts, before] = [world.facts, await world.dump()];
    const views: StateView[] = [];
    const { turns } = await world.step([commandOf(kind)], async (turn) => {
      expect(world.facts).toEqual(facts);
      const count = { op: 'range', keys: everything, countOnly: true } as const;
      expect(await world.run(world.machine.keyspace.rangeQuery(count))).toMatchObject({
        count: 50,
      });
      expect(await world.run(world.machine.keyspace.leaseKeysQuery(leaseId))).toHaveLength(33);
      views.push(world.backend.capture());
      if (turn % 3 === 0) await world.machine.flush();
      expect(world.machine.durableIndex).toBeLessThanOrEqual(world.machine.appliedIndex);
    });
    expect(turns).toBeGreaterThan(5);
    expect(world.facts).not.toEqual(facts);
    for (const view of views) expect(await dumpOf(view)).toEqual(before);
  });

  test('flush and crash between any two slices -> nothing of it, then all of it', async () => {
    const twin = await World.open(new MemoryEngine(), inOneGo);
    await twin.fill(50);
    const before = await twin.dump();
    await twin.apply(commandOf(kind));
    const after = await twin.dump();
    let last = 2;
    for (let at = 1; at <= last; at += 1) {
      const engine = new MemoryEngine();
      const world = await World.open(engine, small);
      await world.fill(50);
      const stop = new Error('crash');
      const run = world.step([commandOf(kind)], async (turn) => {
        if (turn !== at) return;
        await world.machine.flush();
        engine.crash();
        throw stop;
      });
      const end = await run.catch((error: unknown) => error);
      if (end !== stop) break;
      last = at + 1;
      const again = await World.open(engine.reopen(), small);
      expect(await again.dump()).toEqual(before);
      await again.step([commandOf(kind)]);
      expect(await again.dump()).toEqual(after);
    }
    expect(last).toBeGreaterThan(5);
  });

  test('closed between two slices -> the entry fails, the state before is kept', async () => {
    const engine = new MemoryEngine();
    const world = await World.open(engine, small);
    await world.fill(50);
    const before = await world.dump();
    let closing: Promise<void> | undefined;
    const run = world.step([commandOf(kind)], (turn) => {
      if (turn === 5) closing = world.machine.close();
    });
    await expect(run).rejects.toMatchObject({ code: 'CLOSED' });
    await closing;
    const again = await World.open(engine.reopen(), small);
    expect(await again.dump()).toEqual(before);
  });

  test('history is removed beside it -> as when it is removed before', async () => {
    const compact: Command = { op: 'compact', revision: 3 };
    const overwrite: Command = { op: 'put', key: nameOf(1), value: valueAt(9) };
    const [twin, world] = [
      await World.open(new MemoryEngine(), inOneGo),
      await World.open(new MemoryEngine(), small),
    ];
    for (const each of [twin, world]) {
      await each.fill(50);
      await each.apply(overwrite, overwrite, compact);
    }
    while ((await twin.machine.removeCompacted(1)) !== undefined);
    await twin.apply(commandOf(kind));
    await world.step([commandOf(kind)], () => world.machine.removeCompacted(1));
    while ((await world.machine.removeCompacted(1)) !== undefined);
    expect(world.machine.keyspace.removedHash).toEqual(twin.machine.keyspace.removedHash);
    expect(await world.dump()).toEqual(await twin.dump());
  });
});

const next = { key: 'next', value: Uint8Array.of(2) };

test('more than the overlay holds, twice in a batch -> flushed one after the other, no deadlock', async () => {
  const world = await World.open(new MemoryEngine(), small, 3_000);
  await world.fill(50);
  const { results } = await world.step([
    commandOf('revoke'),
    commandOf('delete'),
    { op: 'put', ...next },
  ]);
  expect(results).toMatchObject([{ deleted: 33 }, { deleted: 17 }, { op: 'put' }]);
  const { kvs } = await world.run(
    world.machine.keyspace.rangeQuery({ op: 'range', keys: everything }),
  );
  expect(kvs.map(({ key }) => key)).toEqual(['next']);
});

test('large values -> those that it ends do not wait in memory', async () => {
  const [count, value] = [50, new Uint8Array(10_000)];
  const world = await World.open(new MemoryEngine(), small);
  for (let nth = 0; nth < count; nth += 1) {
    await world.apply({ op: 'put', key: nameOf(nth), value });
  }
  let bytes = 0;
  const stage = world.backend.stage.bind(world.backend);
  world.backend.stage = () => {
    const staged = stage();
    const add = (changes: readonly Change[]) => {
      for (const [, record] of changes) bytes += record?.length ?? 0;
      return staged.add(changes);
    };
    return Object.assign(Object.create(staged), { add });
  };
  const apply = world.backend.apply.bind(world.backend);
  world.backend.apply = (changes, index, staged) =>
    apply(changes, index, staged && Object.getPrototypeOf(staged));
  await world.step([commandOf('delete')]);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(count * 200);
  const revision = world.machine.keyspace.revision - 1;
  const before = { op: 'range', keys: everything, revision } as const;
  const { kvs } = await world.run(world.machine.keyspace.rangeQuery(before));
  expect(kvs).toHaveLength(count);
  expect(kvs.every((kv) => kv.value.length === value.length)).toBe(true);
});

describe('watches of a large entry', () => {
  const count = 1_500;
  const slice: RangeSlice = { limit: 100, bytesMax: 1e9 };

  test('of everything, of one key, begun between slices -> each event once, in one batch', async () => {
    const world = await World.open(new MemoryEngine(), slice);
    await world.fill(count);
    const revision = world.machine.keyspace.revision + 1;
    const one = { gte: nameOf(700), lt: nameOf(701) };
    const logs = [world.watch({ keys: everything }), world.watch({ keys: one })];
    const pieces = world.watch({ keys: everything, fragment: true });
    const noDelete = world.watch({ keys: everything, noDelete: true });
    const later: WatchLog[] = [];
    let heldMax = 0;
    await world.step([commandOf('delete'), { op: 'put', ...next }], (turn) => {
      heldMax = Math.max(heldMax, world.machine.hub.held.events);
      expect([...logs, pieces].map(({ batches }) => batches)).toEqual([[], [], []]);
      if (turn !== 8) return;
      later.push(world.watch({ keys: everything }), world.watch({ keys: one }));
      later.push(world.watch({ keys: { gte: nameOf(100), lt: nameOf(1_450) } }));
    });
    await settled();
    const all = Array.from({ length: count }, (_, nth) => {
      return `${revision} delete ${nameOf(nth)} ${valueAt(nth).join()}`;
    });
    const after = `${revision + 1} put next undefined`;
    expect(logs[0]?.events).toEqual([...all, after]);
    expect(logs[0]?.batches[0]?.events).toHaveLength(count);
    expect(logs[1]?.events).toEqual([all[700]]);
    expect(pieces.events).toEqual([...all, after]);
    expect(pieces.batches.length).toBeGreaterThan(2);
    expect(noDelete.events).toEqual([after]);
    expect(later.map(({ events }) => events)).toEqual([
      [...all, after],
      [all[700]],
      all.slice(100, 1_450),
    ]);
    expect(heldMax).toBe(0);
  });

  test('compacted to it while it is read -> all of its events are without the version before', async () => {
    const world = await World.open(new MemoryEngine(), slice);
    await world.fill(count);
    await world.step([commandOf('delete')]);
    const { keyspace } = world.machine;
    const { revision } = keyspace;
    let query = keyspace.historyQuery({ fromRevision: revision, limit: 400 });
    for (let read = 1; !query.done; read += 1) {
      const reads = await world.backend.read(query.plan);
      if (read === 4) await world.apply({ op: 'compact', revision });
      query = query.next(reads);
    }
    const [only] = query.result.revisions;
    expect(only?.events).toHaveLength(count);
    expect(only?.events.filter(({ previous }) => previous !== undefined)).toEqual([]);
  });
});

test.each(kinds)(
  'a very large %s -> no turn has more than a few slices of work',
  async (kind) => {
    const count = depth > 1 ? 100_000 : 6_000;
    const limit = 256;
    // A compare of everything is read in slices too, but what it reads it does not hold.
    const command = { ...commandOf(kind), compares: [] } as Command;
    const world = await World.open(new MemoryEngine());
    const twin = await World.open(new MemoryEngine(), inOneGo);
    await world.fill(count);
    await twin.fill(count);
    let work = 0;
    let most = 0;
    const { backend } = world;
    const read = backend.read.bind(backend);
    backend.read = async (plan) => {
      const reads = await read(plan);
      for (const records of reads.ranges) if (records.length <= limit) work += records.length;
      work += reads.records.length;
      return reads;
    };
    const apply = backend.apply.bind(backend);
    backend.apply = (changes: readonly Change[], ...rest) => {
      work += changes.length;
      apply(changes, ...rest);
    };
    const stage = backend.stage.bind(backend);
    backend.stage = () => {
      const staged = stage();
      const add = staged.add.bind(staged);
      return Object.assign(staged, {
        add: (changes: readonly Change[]) => {
          work += changes.length;
          return add(changes);
        },
      });
    };
    const { results, turns } = await world.step([command], () => {
      most = Math.max(most, work);
      work = 0;
    });
    most = Math.max(most, work);
    expect(turns).toBeGreaterThan(count / limit / 2);
    // Read, and at most four changes of each: it, its history, the end of its version, its lease.
    expect(most).toBeLessThanOrEqual(7 * limit);
    expect(results).toEqual((await twin.step([command])).results);
    expect(world.facts).toEqual(twin.facts);
    expect(await world.dump()).toEqual(await twin.dump());
  },
  60_000,
);
