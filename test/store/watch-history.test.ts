// History read once for many watches, and a bounded number of reads at a time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { limits } from '../../src/base/limits.js';
import type { Command, History, HistoryRange } from '../../src/mvcc/index.js';
import { WatchHistory } from '../../src/store/watch-history.js';
import { batch, watchable } from '../mvcc/command-arbitraries.js';
import { depth } from '../mvcc/depth.js';
import { settle, WatchWorld } from './watch-world.js';

const put = (key: string): Command => ({ op: 'put', key, value: new Uint8Array(1) });
const one = (key: string) => ({ gte: key, lt: `${key}\0` });
const empty: History = { revisions: [], nextRevision: 9, nextSub: 0, bytes: 0, sliceBytes: 0 };
const state = { revision: 8, compactRevision: 0, epoch: 0 };

/** Reads that end when the test says so. */
class Reads {
  readonly asked: HistoryRange[] = [];
  readonly answers: Deferred<History>[] = [];

  readonly read = (range: HistoryRange): Promise<History> => {
    const answer = new Deferred<History>();
    this.asked.push(range);
    this.answers.push(answer);
    return answer.promise;
  };
}

const rangeOf = (fromRevision: number, key = 'a'): HistoryRange => {
  return { fromRevision, fromSub: 0, upTo: 8, limit: 64, keys: one(key) };
};

describe('watch history', () => {
  const flag = fc.constantFrom(undefined, false, true);
  const range = fc.record({
    keys: watchable,
    fromRevision: fc.constantFrom(2, 3),
    limit: fc.constantFrom(2, 5),
    noPut: flag,
    noDelete: flag,
    previous: flag,
    fragment: flag,
  });

  test(
    'any queries, any order: the answers of a reader that shares nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(batch, { minLength: 2 }),
          fc.array(range),
          async (batches, ranges) => {
            const world = new WatchWorld();
            for (const commands of batches) world.run(...commands);
            const upTo = world.hub.revision;
            const shared = new WatchHistory({
              state: world.hub,
              read: (it) => world.history(it),
              readsMax: 2,
            });
            const got = ranges.map(async (it) => shared.query({ ...it, upTo }));
            for (const [at, it] of ranges.entries()) {
              const {
                bytes: _,
                sliceBytes: _s,
                ...expected
              } = await world.history({ ...it, upTo });
              const { bytes: __, sliceBytes: __s, ...answer } = await got[at]!;
              expect(answer).toEqual(expected);
            }
          },
        ),
        { numRuns: 100 * depth },
      );
    },
    30_000 * depth,
  );

  test('what is shared, then compacted to -> no versions before, as for who reads it alone', async () => {
    const world = new WatchWorld();
    world.run(put('a'), put('a'), put('b'));
    const history = new WatchHistory({ state: world.hub, read: (it) => world.history(it) });
    const range = { fromRevision: 3, upTo: 4, limit: 64 };
    await history.query(range);
    const shared = await history.query(range);
    expect(shared.revisions[0]?.events[0]?.previous?.modRevision).toBe(2);
    world.hub.compacted(3);
    const alone = await world.history(range);
    expect(alone.revisions[0]?.events[0]?.previous).toBeUndefined();
    expect((await history.query(range)).revisions).toEqual(alone.revisions);
    expect((await history.query(range)).revisions).toEqual(alone.revisions);
  });

  test('10,000 watches after a snapshot: the stretch is read twice, once alone and once for all', async () => {
    let queries = 0;
    const world: WatchWorld = new WatchWorld({ history: (it) => history.query(it) });
    const history = new WatchHistory({
      state: world.hub,
      read: (it) => {
        queries += 1;
        return world.history(it);
      },
    });
    const waiting = Array.from({ length: 10_000 }, (_, nth) => {
      return world
        .watch(one(`key${nth % 100}`))
        [Symbol.asyncIterator]()
        .next();
    });
    world.backend.run(
      world.keyspace,
      Array.from({ length: 50 }, (_, nth) => put(`key${nth}`)),
    );
    world.hub.reset(world.keyspace);
    for (let nth = 0; nth < 100; nth += 1) world.run(put(`key${nth}`));
    const firsts = await Promise.all(waiting);
    for (const [nth, { value }] of firsts.entries()) {
      const key = nth % 100;
      expect(value!.revision).toBe(key < 50 ? 2 + key : 52 + key);
    }
    expect(queries).toBe(2);
  });

  test('more reads than allowed: the others wait, and all are answered, in order', async () => {
    const reads = new Reads();
    const history = new WatchHistory({ state, read: reads.read, readsMax: 2 });
    const got: number[] = [];
    for (let from = 1; from <= 5; from += 1) {
      void (history.query(rangeOf(from)) as Promise<History>).then(
        () => got.push(from),
        () => got.push(-from),
      );
    }
    expect(reads.asked.map(({ fromRevision }) => fromRevision)).toEqual([1, 2]);
    reads.answers[1]!.reject(new Error('disk'));
    await settle();
    expect(reads.asked).toHaveLength(3);
    for (const nth of [0, 2, 3, 4]) {
      reads.answers[nth]!.resolve(empty);
      await settle();
    }
    expect(got).toEqual([-2, 1, 3, 4, 5]);
  });

  test('a shared read that fails: all who wait for it are told, the next one reads again', async () => {
    const reads = new Reads();
    const history = new WatchHistory({ state, read: reads.read });
    const queries = ['a', 'b', 'c'].map((key) => history.query(rangeOf(2, key)));
    expect(reads.asked.map(({ keys }) => keys === undefined)).toEqual([false, true]);
    reads.answers[0]!.resolve(empty);
    reads.answers[1]!.reject(new Error('disk'));
    expect(await queries[0]).toBe(empty);
    await expect(queries[1]).rejects.toThrow('disk');
    await expect(queries[2]).rejects.toThrow('disk');
    void history.query(rangeOf(2, 'd'));
    expect(reads.asked).toHaveLength(3);
  });

  test('compacted since: COMPACTED, also for what is at hand or on its way', async () => {
    const reads = new Reads();
    const changing = { ...state };
    const history = new WatchHistory({ state: changing, read: reads.read });
    const [, late] = ['a', 'b'].map((key) => history.query(rangeOf(2, key)));
    changing.compactRevision = 3;
    for (const answer of reads.answers) answer.resolve(empty);
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: 3 });
    await expect(late).rejects.toEqual(compacted);
    expect(() => history.query(rangeOf(2, 'c'))).toThrow(compacted);
    expect(history.query(rangeOf(3))).toBeInstanceOf(Promise);
  });

  test('the state was replaced: what was read before is not used', () => {
    const changing = { ...state };
    let reads = 0;
    const read = () => {
      reads += 1;
      return empty;
    };
    const history = new WatchHistory({ state: changing, read });
    for (let nth = 0; nth < 4; nth += 1) void history.query(rangeOf(2));
    expect(reads).toBe(2);
    changing.epoch = 1;
    void history.query(rangeOf(2));
    expect(reads).toBe(3);
  });

  test('a stretch of large values: not kept for who comes late', () => {
    let reads = 0;
    const read = () => {
      reads += 1;
      return { ...empty, bytes: limits.historyBytesMax };
    };
    const history = new WatchHistory({ state, read });
    for (let nth = 0; nth < 4; nth += 1) void history.query(rangeOf(2));
    expect(reads).toBe(4);
  });
});
