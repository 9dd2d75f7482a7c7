// Barriers that pass or fail when the test says so, on virtual time.
import { describe, expect, test, vi } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { type ErrorCode, kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { ReadBarrier } from '../../src/store/read-barrier.js';
import { VirtualTime } from '../node/virtual-time.js';

const error = (code: string) => expect.objectContaining({ code });
const failure = (code: ErrorCode) => kontikiError(code as 'CLOSED', code);

class World {
  readonly time = new VirtualTime();
  readonly barriers: Deferred<unknown>[] = [];
  readonly settled: string[] = [];
  readonly barrier = new ReadBarrier(this.time, () => {
    const barrier = new Deferred<unknown>();
    this.barriers.push(barrier);
    return barrier.promise;
  });

  read(name: string, timeoutMs = 1_000, signal?: AbortSignal): Promise<void> {
    const promise = this.barrier.wait({ timeoutMs, signal });
    promise.then(
      () => this.settled.push(name),
      (reason: { code?: string }) => this.settled.push(`${name} ${reason?.code ?? reason}`),
    );
    return promise;
  }

  async pass(nth = this.barriers.length - 1): Promise<void> {
    this.barriers[nth]?.resolve(undefined);
    await this.time.run(0);
  }

  async break(code: ErrorCode): Promise<void> {
    this.barriers.at(-1)?.reject(failure(code));
    await this.time.run(0);
  }
}

describe('read barrier', () => {
  test('reads of one breath -> one pass for all; a later read -> a pass of its own beside it', async () => {
    const world = new World();
    void world.read('a');
    void world.read('b');
    expect(world.barriers).toHaveLength(0);
    await world.time.run(0);
    expect(world.barriers).toHaveLength(1);
    void world.read('c');
    await world.time.run(0);
    expect(world.barriers).toHaveLength(2);
    await world.pass(0);
    expect(world.settled).toEqual(['a', 'b']);
    await world.pass(1);
    expect(world.settled).toEqual(['a', 'b', 'c']);
    await world.time.run(5_000);
    expect([world.barriers.length, world.time.pending]).toEqual([2, 0]);
  });

  test('a later pass -> no word about reads that came after it began', async () => {
    const world = new World();
    void world.read('a');
    await world.time.run(0);
    void world.read('b');
    await world.pass(0);
    expect(world.settled).toEqual(['a']);
    await world.pass(1);
    expect(world.settled).toEqual(['a', 'b']);
  });

  test.each(['LEADER_CHANGED', 'NO_LEADER', 'OVERLOADED', 'TIMEOUT'] as const)(
    '%s -> tried again after a pause, the readers notice nothing',
    async (code) => {
      const world = new World();
      void world.read('a');
      await world.time.run(0);
      await world.break(code);
      await world.time.run(19);
      expect(world.barriers).toHaveLength(1);
      await world.time.run(1);
      expect(world.barriers).toHaveLength(2);
      await world.pass();
      expect(world.settled).toEqual(['a']);
      expect(world.time.pending).toBe(0);
    },
  );

  test('the member stops -> its readers are told why', async () => {
    const world = new World();
    const a = world.read('a');
    await world.time.run(0);
    const b = world.read('b');
    await world.time.run(0);
    world.barriers[0]?.reject(failure('STORAGE_IO'));
    world.barriers[1]?.reject(failure('STORAGE_IO'));
    await expect(a).rejects.toEqual(error('STORAGE_IO'));
    await expect(b).rejects.toEqual(error('STORAGE_IO'));
    expect(world.time.pending).toBe(0);
  });

  test('closed between two passes, and under one -> its readers are told at once, and later ones', async () => {
    const world = new World();
    const a = world.read('a');
    await world.time.run(0);
    await world.break('LEADER_CHANGED');
    const b = world.read('b');
    await world.time.run(0);
    world.barrier.close(failure('CLOSED'));
    await expect(a).rejects.toEqual(error('CLOSED'));
    await expect(b).rejects.toEqual(error('CLOSED'));
    expect(() => world.read('c')).toThrow(error('CLOSED'));
  });

  test('a read that fails -> no outcome: it was no write', async () => {
    const world = new World();
    const a = world.read('a');
    await world.time.run(0);
    world.barriers[0]?.reject(kontikiError('CLOSED', 'closed', { outcome: 'unknown' }));
    const told = await a.catch((reason: unknown) => reason);
    expect(told).toMatchObject({ code: 'CLOSED', message: 'closed' });
    expect((told as { outcome?: unknown }).outcome).toBeUndefined();
  });

  test('each reader has its own time', async () => {
    const world = new World();
    const short = world.read('short', 50);
    void world.read('long', 200);
    await world.time.run(49);
    expect(world.settled).toEqual([]);
    await world.time.run(1);
    await expect(short).rejects.toEqual(error('TIMEOUT'));
    await world.pass();
    expect(world.settled).toEqual(['short TIMEOUT', 'long']);
    expect(world.time.pending).toBe(0);
  });

  test('a pass that takes long -> another beside it each second; the first still counts', async () => {
    const world = new World();
    void world.read('a', 60_000);
    await world.time.run(999);
    expect(world.barriers).toHaveLength(1);
    await world.time.run(1);
    expect(world.barriers).toHaveLength(2);
    await world.time.run(1_000);
    expect(world.barriers).toHaveLength(3);
    await world.pass(0);
    expect(world.settled).toEqual(['a']);
    await world.time.run(5_000);
    expect([world.barriers.length, world.time.pending]).toEqual([3, 0]);
  });

  test('a reader gives up while passes fail -> the others go on', async () => {
    const world = new World();
    void world.read('short', 30);
    void world.read('long', 500);
    await world.time.run(0);
    for (let nth = 0; nth < 3; nth += 1) {
      await world.break('LEADER_CHANGED');
      await world.time.run(20);
    }
    expect(world.settled).toEqual(['short TIMEOUT']);
    await world.pass();
    expect(world.settled).toEqual(['short TIMEOUT', 'long']);
  });

  test('passes of many readers fail -> one more for all of them, those who come meanwhile included', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) {
      void world.read(name);
      await world.time.run(0);
    }
    for (const pass of world.barriers) pass.reject(failure('OVERLOADED'));
    await world.time.run(10);
    void world.read('d');
    await world.time.run(9);
    expect(world.barriers).toHaveLength(3);
    await world.time.run(1);
    expect(world.barriers).toHaveLength(4);
    await world.pass();
    expect(world.settled).toEqual(['a', 'b', 'c', 'd']);
    expect(world.time.pending).toBe(0);
  });

  test('an older pass fails -> the newer ones will do', async () => {
    const world = new World();
    void world.read('a');
    await world.time.run(0);
    void world.read('b');
    await world.time.run(0);
    world.barriers[0]?.reject(failure('TIMEOUT'));
    await world.time.run(100);
    expect(world.barriers).toHaveLength(2);
    await world.pass(1);
    expect(world.settled).toEqual(['a', 'b']);
  });

  test('as many passes under way as may be -> who comes shares the next; as many again, one each second', async () => {
    const world = new World();
    const max = limits.readPassesMax;
    for (let nth = 0; nth < max + 50; nth += 1) {
      void world.read(String(nth), 2_000_000);
      await world.time.run(0);
    }
    expect(world.barriers).toHaveLength(max);
    await world.pass(max - 2);
    expect(world.settled).toHaveLength(max - 1);
    expect(world.barriers).toHaveLength(max + 1);
    await world.time.run(1_000 * (2 * max + 50));
    // Those before the one that passed count no more: two are under way, and one came each second.
    expect(world.barriers).toHaveLength(max - 1 + 2 * max);
    await world.pass();
    expect(world.settled).toHaveLength(max + 50);
    expect(world.time.pending).toBe(0);
  });

  test('all readers give up -> no further pass is tried', async () => {
    const world = new World();
    void world.read('a', 30).catch(() => undefined);
    await world.time.run(0);
    await world.break('NO_LEADER');
    await world.time.run(20);
    await world.time.run(10);
    await world.break('NO_LEADER');
    await world.time.run(5_000);
    expect([world.barriers.length, world.time.pending]).toEqual([2, 0]);
    void world.read('b');
    await world.time.run(0);
    expect(world.barriers).toHaveLength(3);
  });

  test('aborted -> the reason at once, before, while waiting, and never after', async () => {
    const world = new World();
    const reason = new Error('enough');
    expect(() => world.read('a', 100, AbortSignal.abort(reason))).toThrow(reason);
    expect([world.barriers.length, world.time.pending]).toEqual([0, 0]);
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    const read = world.read('b', 100, abort.signal);
    void world.read('c', 100, abort.signal).catch(() => undefined);
    await world.time.run(0);
    abort.abort(reason);
    await expect(read).rejects.toBe(reason);
    expect(remove).toHaveBeenCalledTimes(2);
    await world.pass();
    expect(world.time.pending).toBe(0);
    const late = new AbortController();
    const done = world.read('d', 100, late.signal);
    await world.time.run(0);
    await world.pass();
    await done;
    late.abort();
    await world.time.run(1_000);
    expect(world.settled.at(-1)).toBe('d');
  });

  test('as many readers as may wait -> OVERLOADED, and none of the others is disturbed', async () => {
    const world = new World();
    for (let nth = 0; nth < limits.waitersMax; nth += 1) void world.read('a');
    expect(() => world.read('b')).toThrow(error('OVERLOADED'));
    await world.time.run(0);
    await world.pass();
    expect(world.settled).toHaveLength(limits.waitersMax);
    void world.read('c');
    await world.time.run(0);
    await world.pass();
    expect(world.settled.at(-1)).toBe('c');
  });
});
