// Bookmarks, filters and fragments of the public watch; test/store/watch.test.ts has the rest.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import type { Command, KeySelection } from '../../src/mvcc/index.js';
import type { Watch } from '../../src/store/watch.js';
import type { WatchBatch } from '../../src/store/watch-batch.js';
import { settle, WatchWorld } from './watch-world.js';

const one = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const everything: KeySelection = { gte: '' };
const put = (key: string): Command => ({ op: 'put', key, value: new Uint8Array(1) });
const remove = (keys: KeySelection): Command => ({ op: 'delete', keys });
const iterate = (watch: Watch) => watch[Symbol.asyncIterator]();

/** One revision that puts `count` keys. */
function putMany(count: number): Command {
  const success = Array.from({ length: count }, (_, nth) => put(`k${nth}`) as never);
  return { op: 'txn', compares: [], success, failure: [] };
}

async function nextOf(iterator: AsyncIterator<WatchBatch, undefined>): Promise<WatchBatch> {
  const { value, done } = await iterator.next();
  expect(done).toBe(false);
  return value as WatchBatch;
}

describe('bookmarks', () => {
  test('asked for while next() waits: at once, up to the current revision, without events', async () => {
    const world = new WatchWorld();
    const watch = world.watch(one('a'));
    world.run(put('b'), put('b'));
    const waiting = iterate(watch).next();
    await settle();
    watch.requestProgress();
    expect(await waiting).toEqual({ done: false, value: { revision: 3, events: [] } });
  });

  test('asked for with events in the queue: the events first', async () => {
    const world = new WatchWorld();
    const watch = world.watch(one('a'));
    const iterator = iterate(watch);
    world.run(put('a'), put('b'));
    watch.requestProgress();
    expect(await nextOf(iterator)).toMatchObject({ revision: 2, events: [{}] });
    world.run(put('a'));
    expect(await nextOf(iterator)).toMatchObject({ revision: 4, events: [{}] });
    expect(await nextOf(iterator)).toEqual({ revision: 4, events: [] });
  });

  test('asked for while history is read: behind all of it, and once however often asked', async () => {
    const world = new WatchWorld({ limit: 1 });
    world.run(put('a'), put('b'), put('a'));
    const watch = world.watch(one('a'), 2);
    const iterator = iterate(watch);
    const first = nextOf(iterator);
    for (let nth = 0; nth < 3; nth += 1) watch.requestProgress();
    expect((await first).revision).toBe(2);
    expect((await nextOf(iterator)).revision).toBe(4);
    expect(await nextOf(iterator)).toEqual({ revision: 4, events: [] });
    const waiting = iterator.next();
    await settle();
    world.run(put('a'));
    expect((await waiting).value).toMatchObject({ revision: 5, events: [{}] });
  });

  test('a start in the future: the request is forgotten', async () => {
    const world = new WatchWorld();
    const watch = world.watch(one('a'), 4);
    const waiting = iterate(watch).next();
    watch.requestProgress();
    world.run(put('b'), put('b'), put('a'));
    expect((await waiting).value).toMatchObject({ revision: 4, events: [{}] });
  });

  test('a watch that is over: nothing happens', async () => {
    const world = new WatchWorld();
    const watch = world.watch(one('a'));
    await watch.close();
    watch.requestProgress();
    expect(await iterate(watch).next()).toEqual({ done: true, value: undefined });
  });

  test('ticks: one bookmark per interval without an event', async () => {
    const world = new WatchWorld();
    const watch = world.watch(one('a'));
    const iterator = iterate(watch);
    const got: WatchBatch[] = [];
    const read = async () => {
      for (;;) got.push(await nextOf(iterator));
    };
    void read().catch(() => undefined);
    watch._tick();
    world.run(put('a'), put('b'));
    await settle();
    watch._tick();
    await settle();
    expect(got.map(({ events }) => events.length)).toEqual([1]);
    watch._tick();
    await settle();
    watch._tick();
    await settle();
    expect(got.map(({ revision, events }) => [revision, events.length])).toEqual([
      [2, 1],
      [3, 0],
      [3, 0],
    ]);
    await watch.close();
  });
});

describe('filters', () => {
  const cases: [string, { noPut?: boolean; noDelete?: boolean }, string[]][] = [
    ['noPut', { noPut: true }, ['delete 3', 'delete 5']],
    ['noDelete', { noDelete: true }, ['put 2', 'put 4']],
    ['both', { noPut: true, noDelete: true }, []],
  ];

  test.each(cases)('%s: the same live and from history', async (_name, filter, expected) => {
    const world = new WatchWorld({ limit: 2 });
    const live = world.follow({ keys: everything, ...filter });
    world.run(put('a'), remove(one('a')), put('b'), remove(one('b')));
    const past = world.follow({ keys: everything, fromRevision: 2, ...filter });
    for (const watch of [live, past]) {
      const got: string[] = [];
      watch.requestProgress();
      const iterator = iterate(watch);
      for (;;) {
        const { revision, events } = await nextOf(iterator);
        if (events.length === 0) {
          expect(revision).toBe(5);
          break;
        }
        got.push(...events.map(({ type, kv }) => `${type} ${kv.modRevision}`));
      }
      expect(got).toEqual(expected);
    }
  });

  test('previous false: absent live and from history, where it is not even read', async () => {
    const world = new WatchWorld();
    const live = world.follow({ keys: one('a'), previous: false });
    world.run(put('a'), put('a'));
    const past = world.follow({ keys: one('a'), fromRevision: 3, previous: false });
    const before = world.backend.reads;
    for (const watch of [live, past]) {
      const { events } = await nextOf(iterate(watch));
      expect(events.every((event) => !('previous' in event))).toBe(true);
    }
    // History, but not the version before.
    expect(world.backend.reads).toBe(before + 1);
    const wanted = await nextOf(iterate(world.watch(one('a'), 3)));
    expect(world.backend.reads).toBe(before + 1 + 2);
    expect(wanted.events[0]!.previous?.modRevision).toBe(2);
  });

  test('a creation: createRevision equals modRevision, and there is no version before', async () => {
    const world = new WatchWorld();
    const watch = world.watch(one('a'));
    world.run(put('a'), put('a'), remove(one('a')), put('a'));
    const { events } = await nextOf(iterate(watch));
    const isCreate = events.map(({ kv }) => kv.createRevision === kv.modRevision);
    expect(isCreate).toEqual([true, false, false, true]);
    expect(events.map(({ previous }) => previous?.modRevision)).toEqual([
      undefined,
      2,
      3,
      undefined,
    ]);
  });
});

describe('fragments', () => {
  test('not asked for: one batch, however large the revision', async () => {
    const world = new WatchWorld({ eventsMax: 2, limit: 2 });
    const watch = world.watch(everything);
    world.run(putMany(7));
    const batch = await nextOf(iterate(watch));
    expect(batch.events).toHaveLength(7);
    expect('fragment' in batch).toBe(false);
  });

  test('asked for: pieces in order, all but the last marked, and then whole revisions', async () => {
    const world = new WatchWorld({ eventsMax: 2, limit: 3 });
    const watch = world.follow({ keys: everything, fragment: true });
    world.run(put('a'), putMany(7), put('z'));
    const iterator = iterate(watch);
    const got: WatchBatch[] = [];
    while (got.at(-1)?.revision !== 4) got.push(await nextOf(iterator));
    expect(
      got.map(({ revision, events, fragment }) => [revision, events.length, fragment]),
    ).toEqual([
      [2, 1, undefined],
      [3, 3, true],
      [3, 3, true],
      [3, 1, undefined],
      [4, 1, undefined],
    ]);
    const keys = got.flatMap(({ events }) => events.map(({ kv }) => kv.keyText()));
    expect(keys).toEqual(['a', 'k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'z']);
  });

  test('the rest of the revision is of other keys: an empty batch ends it', async () => {
    const world = new WatchWorld({ eventsMax: 1, limit: 3 });
    world.run(putMany(7));
    const keys = { gte: 'k0', lt: 'k2' };
    const iterator = iterate(world.follow({ keys, fromRevision: 2, fragment: true }));
    expect(await nextOf(iterator)).toMatchObject({ revision: 2, fragment: true, events: [{}, {}] });
    expect(await nextOf(iterator)).toEqual({ revision: 2, events: [] });
  });

  test.each([
    [limits.historyChunkMax, 1],
    [limits.historyChunkMax + 1, 2],
  ])('a live revision of %i changes: %i batches', async (count, batches) => {
    const world = new WatchWorld();
    const watch = world.follow({ keys: everything, fragment: true });
    // More than a transaction takes comes from deleting a range.
    for (let nth = 0; nth < count; nth += 1) world.run(put(`k${nth}`));
    const iterator = iterate(watch);
    const { revision } = world.hub;
    while ((await nextOf(iterator)).revision < revision);
    world.run(remove(everything));
    let events = 0;
    let got = 0;
    for (let isOpen = true; isOpen; ) {
      const batch = await nextOf(iterator);
      events += batch.events.length;
      got += 1;
      isOpen = batch.fragment === true;
    }
    expect(events).toBe(count);
    expect(got > 1).toBe(batches > 1);
  });
});

describe('what consumers share', () => {
  test('one changes the bytes it got: another one does not see that', async () => {
    const world = new WatchWorld();
    const [a, b] = [world.watch(one('a')), world.watch(one('a'))].map(iterate);
    world.run(put('a'));
    const mine = (await nextOf(a!)).events[0]!.kv;
    mine.value[0] = 99;
    mine.key[0] = 99;
    const other = (await nextOf(b!)).events[0]!.kv;
    expect([other.keyText(), other.value[0]]).toEqual(['a', 0]);
  });
});
