// The state machine's cache: what it answers is the state, through flushes, large entries that are
// applied over many turns, and another state taking the place of this one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Command, Query, RangeOperation, RangeResult } from '../../src/mvcc/index.js';
import { MemoryEngine, MemoryStateHome, WriteBehindBackend } from '../../src/storage/index.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';
import { ScriptedEngine } from '../storage/scripted-engine.js';
import { drain, put, streamOf } from './restorable-member.js';

const range = (gte: string, lt: string, limit?: number): RangeOperation => {
  return { op: 'range', keys: { gte, lt }, limit };
};
const everything = range('a', 'z');
const remove = (gte: string, lt: string): Command => ({ op: 'delete', keys: { gte, lt } });

class World {
  readonly time = new VirtualTime();
  readonly engine = new ScriptedEngine();
  readonly machine: StoreStateMachine;
  #index = 0;

  private constructor(backend: WriteBehindBackend, time: VirtualTime, engine: ScriptedEngine) {
    this.time = time;
    this.engine = engine;
    const open = (other: KvEngine) =>
      WriteBehindBackend.open({ engine: other, timers: time, flushIntervalMs: 50 });
    const home = new MemoryStateHome(open);
    this.machine = new StoreStateMachine(backend, home, { limit: 2, bytesMax: 100 });
  }

  static async opened(): Promise<World> {
    const time = new VirtualTime();
    const engine = new ScriptedEngine(new MemoryEngine());
    const backend = await WriteBehindBackend.open({ engine, timers: time, flushIntervalMs: 50 });
    const world = new World(backend, time, engine);
    await world.machine.open();
    return world;
  }

  get index(): number {
    return this.#index;
  }

  apply(...commands: Command[]): Promise<unknown> {
    const entries = commands.map((command) => {
      this.#index += 1;
      const data = encodeCommand({ session: 2 ** 52, seq: this.#index, doneBelow: 1, command });
      return { term: 1, index: this.#index, type: 'normal' as const, data };
    });
    return this.machine.apply(entries);
  }

  /** The answer, started now, from the cache and from the keyspace. */
  read(operation: RangeOperation): Promise<readonly [RangeResult, RangeResult]> {
    const { cache, keyspace } = this.machine;
    return Promise.all([
      this.#run(cache.rangeQuery(operation)),
      this.#run(keyspace.rangeQuery(operation)),
    ]);
  }

  async #run(start: Query<RangeResult>): Promise<RangeResult> {
    const { backend } = this.machine;
    let query = start;
    while (!query.done) query = query.next(await backend.read(query.plan));
    return query.result;
  }

  async check(operation: RangeOperation): Promise<RangeResult> {
    const [cached, plain] = await this.read(operation);
    expect(cached).toEqual(plain);
    return cached;
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const operation = fc
  .tuple(key, key, fc.constantFrom(undefined, 1, 2, 4), fc.boolean())
  .map(([gte, lt, limit, single]) => (single ? range(gte, `${gte}\0`) : range(gte, lt, limit)));
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(key, fc.nat({ max: 99 })).map(([at, n]) => put(at, String(n))),
  },
  { weight: 1, arbitrary: fc.tuple(key, key).map(([gte, lt]) => remove(gte, lt)) },
  { weight: 8, arbitrary: operation },
  { weight: 3, arbitrary: fc.constantFrom('time' as const, 'release' as const, 'now' as const) },
);

describe('cache of the state machine', () => {
  test('random commands, flushes and reads beside each other -> as without it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async (steps) => {
        const world = await World.opened();
        world.engine.hold = true;
        const reads: Promise<unknown>[] = [];
        let applying: Promise<unknown> = Promise.resolve();
        for (const each of steps) {
          if (each === 'time') await world.time.run(60);
          else if (each === 'release') await world.engine.release();
          else if (each === 'now') world.engine.isNow = !world.engine.isNow;
          else if (each.op === 'range') reads.push(world.check(each));
          else {
            // One batch after the other, but the reads do not wait for it.
            applying = applying.then(() => world.apply(each as Command));
            await Promise.resolve();
          }
        }
        world.engine.hold = false;
        await world.engine.release();
        await world.time.run(1_000);
        await Promise.all([...reads, applying]);
        await world.check(everything);
        await world.check(everything);
      }),
      { numRuns: 150 },
    );
  });

  test('a large delete under way -> none of it shows, afterwards all of it', async () => {
    const world = await World.opened();
    const keys = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at));
    await world.apply(...keys.map((each) => put(each, 'x')));
    expect((await world.check(range('a', 'zz'))).kvs).toHaveLength(26);
    let isDone = false;
    const applying = world.apply(remove('a', 'y')).then(() => {
      isDone = true;
    });
    await world.time.run(0.002);
    expect(isDone).toBe(false);
    expect((await world.check(range('a', 'zz'))).kvs).toHaveLength(26);
    await world.time.run(1_000);
    await applying;
    expect((await world.check(range('a', 'zz'))).kvs.map((kv) => kv.key)).toEqual(['y', 'z']);
  });

  test('another state is taken over -> its answers, whatever was kept', async () => {
    const source = await World.opened();
    await source.apply(put('a', '1'), put('a', '2'), put('a', 'theirs'));
    const chunks = await drain(source.machine.snapshot());
    const world = await World.opened();
    await world.apply(put('a', 'mine'), put('b'));
    await world.check(everything);
    await world.check(range('a', 'a\0'));
    const before = world.machine.cache;
    await world.machine.restore(source.index, streamOf(chunks));
    expect(world.machine.cache).not.toBe(before);
    const { kvs } = await world.check(everything);
    expect(kvs.map((kv) => new TextDecoder().decode(kv.value))).toEqual(['theirs']);
    expect((await world.check(range('a', 'a\0'))).kvs).toHaveLength(1);
  });
});
