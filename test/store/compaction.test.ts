// Compaction as callers see it, and the loop that removes history behind their backs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { openStore } from '../../src/preset/open-store.js';
import { CompactionLoop } from '../../src/store/compaction-loop.js';
import type { Store } from '../../src/store/store.js';
import { VirtualTime } from '../node/virtual-time.js';
import { VirtualStores } from './virtual-store.js';

const error = (code: string, fields: object = {}) =>
  expect.objectContaining({ code, outcome: 'rejected', ...fields });

describe('compact', () => {
  let store: Store;
  beforeEach(async () => {
    store = await openStore({});
    for (const text of ['1', '2', '3']) await store.put('a', text);
  });
  afterEach(() => store.close());

  test('the compacted revision reads, older ones do not, no revision is taken', async () => {
    expect(await store.compact(3)).toEqual({ revision: 4, compactRevision: 3 });
    await expect(store.get('a', { revision: 2 })).rejects.toEqual(
      error('COMPACTED', { compactRevision: 3 }),
    );
    expect((await store.get('a', { revision: 3 }))?.text()).toBe('2');
    expect((await store.put('a', '4')).revision).toBe(5);
  });

  test('one below, at and above the current revision; again; below the compacted one', async () => {
    await expect(store.compact(5)).rejects.toEqual(error('FUTURE_REVISION', { revision: 4 }));
    expect(await store.compact(3)).toMatchObject({ compactRevision: 3 });
    expect(await store.compact(4)).toMatchObject({ compactRevision: 4 });
    for (const revision of [4, 3, 1]) {
      await expect(store.compact(revision)).rejects.toEqual(
        error('COMPACTED', { compactRevision: 4 }),
      );
    }
  });

  test.each([0, -1, 1.5, Number.NaN, '3', undefined, null, 2n])(
    '%s -> ARGUMENT_INVALID',
    async (revision) => {
      await expect(store.compact(revision as never)).rejects.toEqual(error('ARGUMENT_INVALID'));
    },
  );

  test('a watch from below -> COMPACTED; from the compacted revision -> everything since', async () => {
    await store.delete('a');
    await store.compact(5);
    const late = store.watch('a', { fromRevision: 4 });
    await expect(late[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'COMPACTED',
      compactRevision: 5,
    });
    const watch = store.watch('a', { fromRevision: 5 });
    const batches = watch[Symbol.asyncIterator]();
    const { value } = await batches.next();
    expect(value?.events).toMatchObject([{ type: 'delete' }]);
    await batches.return?.();
  });
});

describe('in the background', () => {
  test('three members: history goes from every disk, reads and the hash stay equal', async () => {
    const stores = await VirtualStores.opened(3);
    const store = stores.store(1);
    for (let nth = 0; nth < 30; nth += 1) {
      await stores.settle(Promise.all(Array.from({ length: 40 }, () => store.put('a', `${nth}`))));
    }
    const count = async (id: number): Promise<number> => {
      const { engine } = stores.member(id);
      const ranges = [
        { gte: 'k', lt: 'l' },
        { gte: 'z', lt: '{' },
      ];
      const found = ranges.map((range) => engine.iterate(range).next(5_000));
      return (await Promise.all(found)).flat().length;
    };
    await stores.time.run(1_000);
    expect(await count(2)).toBeGreaterThan(2_000);
    await stores.settle(store.compact(1_201));
    await stores.time.run(2_000);
    // The one version that is current, in history.
    for (const id of stores.ids) expect(await count(id)).toBe(1);
    // Numbers, sums of the state hash, and the sum of what was removed: the same bytes everywhere.
    const numbers = await Promise.all(
      stores.ids.map((id) => stores.member(id).engine.getMany(['m', 'p'])),
    );
    expect(numbers[1]).toEqual(numbers[0]);
    expect(numbers[2]).toEqual(numbers[0]);
    const get = stores.settle(store.get('a'));
    expect(await get).toMatchObject({ version: 1_200, modRevision: 1_201 });
    await stores.close();
  });
});

describe('the loop', () => {
  /** Answers with scripted numbers of bytes, then with nothing to do. */
  class Machine {
    readonly asked: number[] = [];
    readonly answers: (number | undefined | Error)[];
    appliedIndex = 0;

    constructor(...answers: (number | undefined | Error)[]) {
      this.answers = answers;
    }

    async removeCompacted(changesMax: number): Promise<number | undefined> {
      this.asked.push(changesMax);
      const answer = this.answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    }
  }

  test('slices until nothing is left, of a size that follows their bytes; then silence', async () => {
    const time = new VirtualTime();
    const large = 2 * limits.compactionBytesAim;
    const machine = new Machine(1, 1, 1, 1, large, large, limits.compactionBytesAim, 1);
    const loop = new CompactionLoop(time, time, machine);
    expect(time.pending).toBe(0);
    loop.wake();
    loop.wake();
    await time.run(300);
    expect(machine.asked).toEqual([32, 64, 128, 256, 256, 128, 64, 64, 128]);
    expect(time.pending).toBe(0);
    loop.wake();
    await time.run(300);
    expect(machine.asked).toHaveLength(10);
  });

  /** Slices of 4 ms, of which there is no end. */
  class SlowMachine {
    readonly beganMs: number[] = [];
    appliedIndex = 0;
    readonly #time: VirtualTime;

    constructor(time: VirtualTime) {
      this.#time = time;
    }

    removeCompacted(): Promise<number> {
      this.beganMs.push(this.#time.monotonicMs());
      return new Promise((resolve) => this.#time.after(4, () => resolve(1)));
    }
  }

  test('entries are applied -> a twentieth of the time, asked again or not; none any more -> small pauses', async () => {
    const time = new VirtualTime();
    const machine = new SlowMachine(time);
    const loop = new CompactionLoop(time, time, machine);
    const apply = () => {
      machine.appliedIndex += 1;
      loop.wake();
      if (machine.appliedIndex < 2_000) time.after(1, apply);
    };
    apply();
    await time.run(2_000);
    expect(machine.beganMs.length).toBeGreaterThan(23);
    expect(machine.beganMs.length).toBeLessThan(27);
    machine.beganMs.length = 0;
    await time.run(600);
    expect(machine.beganMs.length).toBeGreaterThan(84);
    expect(machine.beganMs.length).toBeLessThan(101);
    loop.close();
  });

  test('closed in a long pause -> nothing is left to wait for', async () => {
    const time = new VirtualTime();
    const machine = new SlowMachine(time);
    const loop = new CompactionLoop(time, time, machine);
    machine.appliedIndex = 1;
    loop.wake();
    await time.run(20);
    expect([machine.beganMs.length, time.pending]).toEqual([1, 1]);
    loop.close();
    expect(time.pending).toBe(0);
  });

  test('woken while a slice finds nothing left: looks again', async () => {
    const time = new VirtualTime();
    const machine = new Machine();
    const loop = new CompactionLoop(time, time, machine);
    loop.wake();
    time.after(2, () => loop.wake());
    await time.run(300);
    expect(machine.asked).toHaveLength(2);
  });

  test('closed: no slice any more', async () => {
    const time = new VirtualTime();
    const machine = new Machine(1, 1, 1);
    const loop = new CompactionLoop(time, time, machine);
    loop.wake();
    await time.run(2);
    loop.close();
    await time.run(300);
    loop.wake();
    await time.run(300);
    expect(machine.asked).toHaveLength(1);
    expect(time.pending).toBe(0);
  });

  // By another state that was taken in place of the one that failed, say.
  test('failed: no slice any more, until it is woken again', async () => {
    const time = new VirtualTime();
    const machine = new Machine(new Error('disk'), 1, 1);
    const loop = new CompactionLoop(time, time, machine);
    loop.wake();
    await time.run(300);
    expect([machine.asked.length, time.pending]).toEqual([1, 0]);
    loop.wake();
    await time.run(300);
    expect(machine.asked).toHaveLength(4);
  });
});
