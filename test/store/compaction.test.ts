// Compaction as callers see it, and the loop that removes history behind their backs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { openStore } from '../../src/preset/open-store.js';
import { CompactionLoop } from '../../src/store/compaction-loop.js';
import type { Store } from '../../src/store/store.js';
import { ManualTimers } from '../storage/manual-timers.js';
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
      const cursor = stores.member(id).engine.iterate({ gte: 'h', lt: 'l' });
      return (await cursor.next(5_000)).length;
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

  const run = async (timers: ManualTimers, turns = 30): Promise<void> => {
    for (let nth = 0; nth < turns; nth += 1) {
      timers.advance(10);
      await Promise.resolve();
      await Promise.resolve();
    }
  };

  test('slices until nothing is left, of a size that follows their bytes; then silence', async () => {
    const timers = new ManualTimers();
    const large = 2 * limits.compactionBytesAim;
    const machine = new Machine(1, 1, 1, 1, large, large, limits.compactionBytesAim, 1);
    const loop = new CompactionLoop(timers, machine);
    expect(timers.count).toBe(0);
    loop.wake();
    loop.wake();
    await run(timers);
    expect(machine.asked).toEqual([32, 64, 128, 256, 256, 128, 64, 64, 128]);
    expect(timers.count).toBe(0);
    loop.wake();
    await run(timers);
    expect(machine.asked).toHaveLength(10);
  });

  test('woken while a slice finds nothing left: looks again', async () => {
    const timers = new ManualTimers();
    const machine = new Machine();
    const loop = new CompactionLoop(timers, machine);
    loop.wake();
    timers.advance(10);
    loop.wake();
    await run(timers);
    expect(machine.asked).toHaveLength(2);
  });

  test.each(['failed', 'closed'])('%s: no slice any more', async (how) => {
    const timers = new ManualTimers();
    const machine = new Machine(how === 'failed' ? new Error('disk') : 1, 1, 1);
    const loop = new CompactionLoop(timers, machine);
    loop.wake();
    timers.advance(10);
    if (how === 'closed') loop.close();
    await run(timers);
    loop.wake();
    await run(timers);
    expect(machine.asked).toHaveLength(1);
    expect(timers.count).toBe(0);
  });
});
