// When a snapshot is made, and when the last one is used again.
import { describe, expect, test } from 'vitest';
import { type KontikiError, kontikiError } from '../../src/base/errors.js';
import { ApplyLoop } from '../../src/node/apply-loop.js';
import { SnapshotMaker } from '../../src/node/snapshot-maker.js';
import type { StateSnapshot } from '../../src/node/state-machine.js';
import { MemoryLogStore, MemorySnapshotStore } from '../../src/storage/index.js';
import type { SnapshotSink, SnapshotStore } from '../../src/storage/snapshot-store.js';
import { RecordingMachine } from './recording-machine.js';

class SnapshotMachine extends RecordingMachine {
  taken = 0;
  openCount = 0;
  chunks = 3;

  snapshot(): StateSnapshot {
    this.taken += 1;
    this.openCount += 1;
    let left = this.chunks;
    return {
      appliedIndex: this.durableIndex,
      next: async () => {
        // A long one reads from a disk.
        if (left > 1_000) await breath();
        left -= 1;
        return left < 0 ? undefined : Uint8Array.of(left);
      },
      close: async () => {
        this.openCount -= 1;
      },
    };
  }

  async restore() {}
}

class FragileStore extends MemorySnapshotStore {
  failure: unknown;

  override async create(...args: Parameters<SnapshotStore['create']>): Promise<SnapshotSink> {
    if (this.failure !== undefined) throw this.failure;
    return super.create(...args);
  }
}

const breath = () => new Promise((resolve) => setImmediate(resolve));

class World {
  readonly log = new MemoryLogStore({ voters: [1] });
  readonly machine = new SnapshotMachine();
  readonly store: FragileStore;
  readonly maker: SnapshotMaker;
  readonly failures: string[] = [];
  #index = 0;

  constructor(store = new FragileStore()) {
    this.store = store;
    const { log, machine } = this;
    const handlers = { onApplied: () => undefined, onFailed: () => undefined };
    const apply = new ApplyLoop(machine, handlers);
    const configuration = () => ({ voters: [1, 2] });
    const onFailed = ({ code }: KontikiError) => void this.failures.push(code);
    this.maker = new SnapshotMaker({ log, machine, store, apply, configuration, onFailed });
  }

  /** So many more entries, applied. */
  async grow(count: number): Promise<void> {
    const entries = Array.from({ length: count }, (_, nth) => {
      const index = this.#index + nth + 1;
      return { term: 2, index, type: 'normal' as const, data: new Uint8Array(4) };
    });
    this.#index += count;
    const hardState = { term: 2, vote: 1, commit: this.#index };
    await this.log.append({ entries, hardState, mustSync: true });
    this.machine.durableIndex = this.#index;
  }

  async made() {
    expect(this.maker.latest()).toBeUndefined();
    await breath();
    return this.maker.latest();
  }
}

describe('a snapshot', () => {
  test('asked for -> made once, with index, term and members; then used again', async () => {
    const world = new World();
    await world.grow(5);
    expect(world.maker.latest()).toBeUndefined();
    expect(world.maker.latest()).toBeUndefined();
    await breath();
    const meta = world.maker.latest();
    const configuration = { voters: [1, 2] };
    expect(meta).toEqual({ last: { term: 2, index: 5 }, configuration, size: 3 });
    await world.grow(5);
    expect(world.maker.latest()).toBe(meta);
    expect([world.machine.taken, world.machine.openCount]).toEqual([1, 0]);
    expect(world.maker.pinnedIndex).toBe(Infinity);
  });

  test('the log went beyond it -> another one, which alone is kept', async () => {
    const world = new World();
    await world.grow(5);
    await world.made();
    await world.grow(5);
    await world.log.truncate(6);
    expect((await world.made())?.last.index).toBe(10);
    expect((await world.store.list()).map(({ last }) => last.index)).toEqual([10]);
  });

  test('one of an earlier life that the log goes on behind -> used; one beyond the log, or of before a member was added -> not', async () => {
    for (const [index, taken, configuration] of [
      [4, 0, { voters: [1, 2, 9] }],
      [4, 0, { voters: [1], learners: [2] }],
      [4, 1, { voters: [1] }],
      [40, 1, { voters: [1, 2] }],
    ] as const) {
      const store = new FragileStore();
      const sink = await store.create({ term: 2, index }, configuration);
      await sink.commit();
      const world = new World(store);
      await world.grow(8);
      expect((await world.made())?.last.index).toBe(taken === 0 ? 4 : 8);
      expect(world.machine.taken).toBe(taken);
    }
  });

  test('it turns out to be damaged -> removed, and another one is made', async () => {
    const world = new World();
    await world.grow(5);
    const meta = await world.made();
    if (meta === undefined) throw new Error('a snapshot');
    await world.maker.damaged(meta);
    expect(await world.store.list()).toEqual([]);
    expect((await world.made())?.last.index).toBe(5);
    expect(world.machine.taken).toBe(2);
  });

  test('it cannot be made -> told once for each reason, and again after one that could', async () => {
    const world = new World();
    await world.grow(5);
    const attempt = async () => {
      for (let calls = 0; calls < 21; calls += 1) world.maker.latest();
      await breath();
    };
    world.machine.snapshot = () => {
      throw new Error('mine');
    };
    await attempt();
    await attempt();
    expect(world.failures).toEqual(['ASSERTION']);
    world.store.failure = kontikiError('STORAGE_IO', 'broken');
    Reflect.deleteProperty(world.machine, 'snapshot');
    await attempt();
    await attempt();
    expect(world.failures).toEqual(['ASSERTION', 'STORAGE_IO']);
    world.store.failure = undefined;
    await attempt();
    await world.grow(5);
    await world.log.truncate(6);
    world.store.failure = kontikiError('STORAGE_IO', 'broken');
    await attempt();
    expect(world.failures).toEqual(['ASSERTION', 'STORAGE_IO', 'STORAGE_IO']);
  });

  test('no space -> nothing is left, tried again after a while', async () => {
    const world = new World();
    await world.grow(5);
    world.store.failure = kontikiError('NO_SPACE', 'full');
    expect(await world.made()).toBeUndefined();
    world.store.failure = undefined;
    let calls = 0;
    for (; world.maker.latest() === undefined && calls < 100; calls += 1) await breath();
    expect(calls).toBeGreaterThan(10);
    expect(calls).toBeLessThan(100);
    expect(world.machine.openCount).toBe(0);
  });

  test('the state waits for space -> none is begun: each would leave a layer of changes behind', async () => {
    const world = new World();
    await world.grow(5);
    world.store.failure = kontikiError('NO_SPACE', 'full');
    Object.defineProperty(world.machine, 'hasSpace', { value: false, configurable: true });
    for (let calls = 0; calls < 2_000; calls += 1) {
      expect(world.maker.latest()).toBeUndefined();
      await breath();
    }
    expect(world.machine.taken).toBe(0);
  });

  test('the state waits for space, one is stored from an earlier life -> that one is used', async () => {
    const world = new World();
    const sink = await world.store.create({ term: 2, index: 4 }, { voters: [1, 2] });
    await sink.commit();
    await world.grow(8);
    Object.defineProperty(world.machine, 'hasSpace', { value: false, configurable: true });
    expect((await world.made())?.last.index).toBe(4);
  });

  test('cancelled, or stopped in the middle -> nothing is left', async () => {
    const world = new World();
    await world.grow(5);
    world.machine.chunks = 1e9;
    world.maker.latest();
    await breath();
    expect(world.maker.pinnedIndex).toBe(5);
    world.maker.cancel();
    await breath();
    expect([world.maker.pinnedIndex, world.machine.openCount]).toEqual([Infinity, 0]);
    await world.maker.stop();
    for (let n = 0; n < 50; n += 1) expect(world.maker.latest()).toBeUndefined();
    expect(await world.store.list()).toEqual([]);
    expect(world.machine.taken).toBe(1);
  });
});
