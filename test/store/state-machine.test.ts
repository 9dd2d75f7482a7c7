// The keyspace behind the driver's interface, without a driver.
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import { commandFault } from '../../src/mvcc/command-check.js';
import type { Command } from '../../src/mvcc/types.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';
import { FragileEngine } from './virtual-store.js';

const text = (value: string) => new TextEncoder().encode(value);
const put = (key: string, value = ''): Command => ({ op: 'put', key, value: text(value) });
const putTelling = (key: string, value: string): Command => {
  return { op: 'put', key, value: text(value), previous: true };
};
const removeAll: Command = { op: 'delete', keys: { gte: '' } };
const get = (key: string): Command => {
  const success = [{ op: 'range', keys: { gte: key, lt: `${key}\0` } } as const];
  return { op: 'txn', compares: [], success, failure: [] };
};

class World {
  readonly time = new VirtualTime();
  readonly engine: MemoryEngine;
  machine!: StoreStateMachine;
  index = 0;
  seq = 0;

  constructor(engine: MemoryEngine = new MemoryEngine()) {
    this.engine = engine;
  }

  static async opened(engine?: MemoryEngine): Promise<World> {
    const world = new World(engine);
    await world.open();
    return world;
  }

  async open() {
    const { engine, time: timers } = this;
    this.machine = new StoreStateMachine(await WriteBehindBackend.open({ engine, timers }));
    return this.machine.open();
  }

  entry(what: Command | Uint8Array): Entry {
    this.index += 1;
    const isBytes = what instanceof Uint8Array;
    if (!isBytes) this.seq += 1;
    const data = isBytes
      ? what
      : encodeCommand({ session: 2 ** 52, seq: this.seq, doneBelow: 1, command: what });
    return { term: 1, index: this.index, type: 'normal', data };
  }

  apply(...batch: (Command | Uint8Array)[]) {
    return this.machine.apply(batch.map((what) => this.entry(what)));
  }

  async dump(): Promise<string[]> {
    let query = this.machine.keyspace.rangeQuery({ op: 'range', keys: { gte: '' } });
    while (!query.done) query = query.next(await this.machine.backend.read(query.plan));
    return query.result.kvs.map((kv) => `${kv.key}=${new TextDecoder().decode(kv.value)}`);
  }
}

const noop = new Uint8Array(0);
/** The right version, then no array. */
const garbage = new Uint8Array([1, 0xc1, 0xff]);

describe('store state machine', () => {
  test('a batch: one result per entry, each with the request it answers', async () => {
    const world = await World.opened();
    const results = await world.apply(put('a', '1'), put('b', '2'), putTelling('a', '3'), get('a'));
    expect(results.map((result) => result.requestId)).toEqual([
      { session: 2 ** 52, seq: 1 },
      { session: 2 ** 52, seq: 2 },
      { session: 2 ** 52, seq: 3 },
      { session: 2 ** 52, seq: 4 },
    ]);
    expect(results.map(({ value }) => (value as { revision: number }).revision)).toEqual([
      2, 3, 4, 4,
    ]);
    expect(results[2]?.value).toMatchObject({ previous: { modRevision: 2 } });
    expect(results[3]?.value).toMatchObject({ results: [{ kvs: [{ modRevision: 4 }] }] });
    expect(await world.dump()).toEqual(['a=3', 'b=2']);
  });

  test('commands that must stand alone between others: the results stay with their entries', async () => {
    const world = await World.opened();
    const batch = [put('a'), removeAll, noop, put('b'), garbage, removeAll, put('c')];
    const results = await world.apply(...batch);
    expect(results.map((result) => result.requestId?.seq)).toEqual([
      1,
      2,
      undefined,
      3,
      undefined,
      4,
      5,
    ]);
    expect(results.map(({ value }) => (value as { op?: string } | undefined)?.op)).toEqual([
      'put',
      'delete',
      undefined,
      'put',
      undefined,
      'delete',
      'put',
    ]);
    expect(await world.dump()).toEqual(['c=']);
    expect(world.machine.appliedIndex).toBe(7);
  });

  test.each([
    ['nothing but entries without a command', [noop, noop]],
    ['nothing but bytes that are no command', [garbage, garbage]],
    ['an empty entry last', [put('a'), noop]],
    ['an empty entry first', [noop, put('a')]],
  ])('%s: the applied index moves to the end of the batch', async (_, batch) => {
    const world = await World.opened();
    const results = await world.apply(...batch);
    expect(results).toHaveLength(2);
    expect(world.machine.appliedIndex).toBe(2);
    await world.machine.flush();
    expect(world.machine.durableIndex).toBe(2);
  });

  test('a command that is wrong by itself: an error for its proposer, no change', async () => {
    const world = await World.opened();
    const twice = [put('a', '1'), put('a', '2')] as never;
    const wrong: Command = { op: 'txn', compares: [], success: twice, failure: [] };
    const [result, after] = await world.apply(wrong, put('b'));
    expect(isKontikiError(result?.value, 'DUPLICATE_KEY')).toBe(true);
    expect(result?.requestId).toEqual({ session: 2 ** 52, seq: 1 });
    expect(after?.value).toMatchObject({ revision: 2 });
  });

  test('a command of a later release: stops, rather than guess what it does', async () => {
    const world = await World.opened();
    await world.apply(put('a'));
    const later = new Uint8Array([2, 0x90]);
    const stopped = { code: 'FORMAT_UNSUPPORTED' };
    await expect(world.apply(put('b'), later)).rejects.toMatchObject(stopped);
    expect(world.machine.appliedIndex).toBe(1);
    expect(await world.dump()).toEqual(['a=']);
  });

  test('watchers are told, one revision at a time, before the results are out', async () => {
    const world = await World.opened();
    const watcher = world.machine.hub.watch({ keys: { gte: '' } });
    const seen: number[][] = [];
    const applying = world.apply(put('a'), put('b'), removeAll).then(() => {
      seen.push((watcher.take() ?? []).map(({ revision }) => revision));
    });
    await applying;
    expect(seen).toEqual([[2, 3, 4]]);
  });

  test('opened again: goes on from what was flushed, and applying that again changes nothing', async () => {
    const world = await World.opened();
    await world.apply(put('a', '1'), put('b', '1'));
    await world.machine.flush();
    await world.apply(put('a', '2'));
    world.engine.crash();
    const next = await World.opened(world.engine.reopen());
    expect([next.machine.appliedIndex, next.machine.keyspace.revision]).toEqual([2, 3]);
    next.index = 2;
    await next.apply(put('a', '2'));
    expect(await next.dump()).toEqual(['a=2', 'b=1']);
    expect(next.machine.keyspace.revision).toBe(4);
  });

  test('the engine failed: the next batch is refused, nothing half applied', async () => {
    const engine = new FragileEngine();
    const world = await World.opened(engine);
    await world.apply(put('a'));
    engine.writeFailure = new Error('disk');
    await expect(world.machine.flush()).rejects.toMatchObject({ code: 'STORAGE_IO' });
    await expect(world.apply(put('b'))).rejects.toMatchObject({ code: 'STORAGE_IO' });
    expect([world.machine.appliedIndex, world.machine.keyspace.revision]).toEqual([1, 2]);
  });

  test('a compaction: the hub and the listener are told; removal moves no index', async () => {
    const world = await World.opened();
    let told = 0;
    world.machine.whenCompacted(() => {
      told += 1;
    });
    await world.apply(put('a', '1'), put('a', '2'), { op: 'compact', revision: 3 }, put('b'));
    expect([told, world.machine.hub.compactRevision]).toEqual([1, 3]);
    const hash = world.machine.keyspace.stateHash;
    expect(await world.machine.removeCompacted(10)).toBeGreaterThan(0);
    expect(await world.machine.removeCompacted(10)).toBeUndefined();
    expect([world.machine.appliedIndex, world.machine.keyspace.stateHash]).toEqual([4, hash]);
    await world.apply({ op: 'compact', revision: 3 });
    expect(told).toBe(1);
    await world.machine.flush();
    expect(world.machine.durableIndex).toBe(5);
  });

  test('the setting of lease reads: counts once it is durable, and has one length for good', async () => {
    const world = await World.opened();
    expect(world.machine.durableReadLease).toEqual({ leaseMs: 0, everMs: 0 });
    const [set] = await world.apply({ op: 'read-lease', leaseMs: 720 });
    expect(set?.value).toMatchObject({ revision: 1, readLease: { leaseMs: 720, everMs: 720 } });
    expect(world.machine.durableReadLease).toEqual({ leaseMs: 0, everMs: 0 });
    await world.machine.flush();
    expect(world.machine.durableReadLease).toEqual({ leaseMs: 720, everMs: 720 });
    const [other] = await world.apply({ op: 'read-lease', leaseMs: 300 });
    expect(other?.value).toMatchObject({ readLease: { leaseMs: 720, everMs: 720 } });
    await world.apply({ op: 'read-lease', leaseMs: 0 });
    expect(world.machine.durableReadLease).toEqual({ leaseMs: 720, everMs: 720 });
    await world.machine.flush();
    const again = await World.opened(world.engine);
    expect(again.machine.durableReadLease).toEqual({ leaseMs: 0, everMs: 720 });
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN])('a read lease of %d ms: refused', (leaseMs) => {
    const fault = commandFault({ op: 'read-lease', leaseMs });
    expect(fault).toMatchObject({ code: 'ARGUMENT_INVALID', outcome: 'rejected' });
  });

  test('damage met while history is removed: the next batch is refused', async () => {
    const engine = new FragileEngine();
    const world = await World.opened(engine);
    await world.apply(put('a', '1'), put('a', '2'), { op: 'compact', revision: 3 });
    await world.machine.flush();
    const [[key, bytes]] = (await engine.iterate({ gte: 'z', lt: '{' }).next(1)) as [
      [string, Uint8Array],
    ];
    const damaged = Uint8Array.from(bytes, (unit, at) => (at === 20 ? unit ^ 1 : unit));
    await engine.write([[key, damaged]], { sync: true });
    const corrupt = { code: 'STATE_CORRUPT' };
    await expect(world.machine.removeCompacted(10)).rejects.toMatchObject(corrupt);
    await expect(world.apply(put('b'))).rejects.toMatchObject(corrupt);
  });

  test('closed while history is removed: nothing more is applied', async () => {
    const world = await World.opened();
    await world.apply(put('a', '1'), put('a', '2'), { op: 'compact', revision: 3 });
    const removal = world.machine.removeCompacted(10);
    const closing = world.machine.close();
    expect(await removal.catch(() => undefined)).toBeUndefined();
    await closing;
    const next = await World.opened(world.engine.reopen());
    expect(await next.machine.removeCompacted(10)).toBeGreaterThan(0);
  });

  test('used before it is open: a bug of ours', () => {
    const machine = new StoreStateMachine({} as never);
    expect(() => machine.keyspace).toThrow(expect.objectContaining({ code: 'ASSERTION' }));
    expect(() => machine.hub).toThrow(expect.objectContaining({ code: 'ASSERTION' }));
  });
});
