// What a hub promises its watchers, one situation at a time; test/mvcc/watch-properties.test.ts has
// all of them at once.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { type KeyEvent, type KeySelection, WatchHub } from '../../src/mvcc/index.js';
import type { WatchConsumer } from '../../src/mvcc/watcher.js';

const one = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const everything: KeySelection = { gte: '' };

/** Counts what it is told, and takes it if it is to. */
class Listener implements WatchConsumer {
  readonly taken: number[] = [];
  woken = 0;
  isTaking = false;

  offer({ revision }: { readonly revision: number }): boolean {
    if (this.isTaking) this.taken.push(revision);
    return this.isTaking;
  }

  ready(): void {
    this.woken += 1;
  }
}

describe('watch hub', () => {
  const put = (key: string, revision: number, sub = 0): KeyEvent => {
    const value = new Uint8Array(0);
    const current = { key, value, createRevision: revision, modRevision: revision, version: 1 };
    return { type: 'put', key, revision, sub, current };
  };
  const remove = (key: string, revision: number, sub = 0): KeyEvent => {
    return { type: 'delete', key, revision, sub };
  };
  const slice = { nextSub: 0, bytes: 0, sliceBytes: 0 };
  const hubAt = (revision: number, eventsMax?: number) => {
    return new WatchHub({ revision, compactRevision: 0, eventsMax });
  };

  test('from now: the revision after the current one is the first', () => {
    const hub = hubAt(5);
    const watcher = hub.watch({ keys: one('a') });
    expect(watcher.startRevision).toBe(6);
    hub.notify(6, [put('a', 6)]);
    expect(watcher.take()).toEqual([{ revision: 6, events: [put('a', 6)] }]);
    expect(watcher.take()).toBeUndefined();
  });

  test('from the future: silent until it is reached', () => {
    const hub = hubAt(5);
    const watcher = hub.watch({ keys: one('a'), fromRevision: 8 });
    hub.notify(6, [put('a', 6)]);
    hub.notify(7, [put('a', 7)]);
    expect(watcher.isBehind).toBe(false);
    expect(watcher.take()).toBeUndefined();
    hub.notify(8, [put('a', 8)]);
    expect(watcher.take()).toEqual([{ revision: 8, events: [put('a', 8)] }]);
  });

  test('a full queue: dropped whole, to be read from its first revision on', () => {
    const hub = hubAt(1, 2);
    const watcher = hub.watch({ keys: everything });
    for (const revision of [2, 3]) hub.notify(revision, [put('a', revision)]);
    expect(watcher.isBehind).toBe(false);
    hub.notify(4, [put('a', 4)]);
    expect(watcher.take()).toBeUndefined();
    expect(watcher.catchUp()).toMatchObject({ keys: everything, fromRevision: 2, upTo: 4 });
  });

  test('one revision larger than the queue: left to history, and the consumer is woken', () => {
    const hub = hubAt(1, 2);
    const consumer = new Listener();
    const watcher = hub.watch({ keys: everything, consumer });
    hub.notify(2, [put('a', 2), put('b', 2, 1), put('c', 2, 2)]);
    expect(watcher.isBehind).toBe(true);
    expect(consumer.woken).toBe(1);
  });

  test('catching up beside new events: synced at once when history ends, nothing twice', () => {
    const hub = hubAt(3);
    const watcher = hub.watch({ keys: everything, fromRevision: 2 });
    const request = watcher.catchUp()!;
    expect(request).toMatchObject({ fromRevision: 2, upTo: 3 });
    hub.notify(4, [put('a', 4)]);
    expect(watcher.take()).toBeUndefined();
    const revisions = [{ revision: 3, events: [put('a', 3)] }];
    expect(watcher.caughtUp(request, { revisions, nextRevision: 4, ...slice })).toBe(revisions);
    expect(watcher.isBehind).toBe(false);
    expect(watcher.take()).toEqual([{ revision: 4, events: [put('a', 4)] }]);
  });

  test('an answer to a request from before a reset: ignored', () => {
    const hub = hubAt(3);
    const watcher = hub.watch({ keys: everything, fromRevision: 2 });
    const request = watcher.catchUp()!;
    hub.reset({ revision: 9, compactRevision: 0 });
    expect(watcher.caughtUp(request, { revisions: [], nextRevision: 4, ...slice })).toBeUndefined();
    expect(watcher.catchUp()).toMatchObject({ fromRevision: 2, upTo: 9 });
  });

  test('watchers of one key share the group of a revision, others see nothing', () => {
    const hub = hubAt(1);
    const [a, b, c] = [one('a'), one('a'), one('b')].map((keys) => hub.watch({ keys }));
    hub.notify(2, [put('a', 2)]);
    expect(a!.take()![0]).toBe(b!.take()![0]);
    expect(c!.take()).toBeUndefined();
  });

  test('a watcher closed: told nothing more, forgotten by the hub', () => {
    const hub = hubAt(1);
    const watchers = [one('a'), one('a'), everything].map((keys) => hub.watch({ keys }));
    expect(hub.size).toBe(3);
    for (const watcher of watchers) watcher.close();
    watchers[0]!.close();
    expect(hub.size).toBe(0);
    hub.notify(2, [put('a', 2)]);
    expect(watchers[0]!.take()).toBeUndefined();
  });

  test('a start below the compacted revision -> COMPACTED; the compacted one itself is read', () => {
    const hub = new WatchHub({ revision: 9, compactRevision: 5 });
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: 5 });
    expect(() => hub.watch({ keys: everything, fromRevision: 4 })).toThrow(compacted);
    expect(hub.watch({ keys: everything, fromRevision: 5 }).isBehind).toBe(true);
  });

  test.each<[string, KeySelection, number | undefined, string]>([
    ['empty range', { gte: 'b', lt: 'a' }, undefined, 'ARGUMENT_INVALID'],
    ['empty key', one(''), undefined, 'KEY_EMPTY'],
    ['revision 0', one('a'), 0, 'ARGUMENT_INVALID'],
    ['half a revision', one('a'), 1.5, 'ARGUMENT_INVALID'],
  ])('%s -> refused, nothing registered', (_name, keys, fromRevision, code) => {
    const hub = hubAt(1);
    expect(() => hub.watch({ keys, fromRevision })).toThrow(expect.objectContaining({ code }));
    expect(hub.size).toBe(0);
  });

  test('a consumer that waits is handed the revision; nothing is queued or counted', () => {
    const hub = hubAt(1);
    const consumer = new Listener();
    consumer.isTaking = true;
    const watcher = hub.watch({ keys: one('a'), consumer });
    hub.notify(2, [put('a', 2)]);
    expect([consumer.taken, consumer.woken]).toEqual([[2], 0]);
    expect(hub.held).toEqual({ events: 0, bytes: 0 });
    consumer.isTaking = false;
    hub.notify(3, [put('a', 3)]);
    consumer.isTaking = true;
    hub.notify(4, [put('a', 4)]);
    // What is queued comes first.
    expect(consumer.taken).toEqual([2]);
    expect(watcher.take()!.map(({ revision }) => revision)).toEqual([3, 4]);
  });

  test('watchers of one range share the group of a revision with many events', () => {
    const hub = hubAt(1);
    const [a, b, c] = [everything, everything, { gte: 'b' }].map((keys) => hub.watch({ keys }));
    hub.notify(2, [put('a', 2), put('b', 2, 1)]);
    const [group] = a!.take()!;
    expect(b!.take()![0]).toBe(group);
    const [own] = c!.take()!;
    expect(own!.events).toEqual([put('b', 2, 1)]);
    expect(own!.events[0]).toBe(group!.events[1]);
  });

  test('filters: only what passes is offered, and a revision without any is not', () => {
    const hub = hubAt(1);
    const puts = hub.watch({ keys: everything, noDelete: true });
    const deletes = hub.watch({ keys: everything, noPut: true });
    const neither = hub.watch({ keys: everything, noPut: true, noDelete: true });
    hub.notify(2, [put('a', 2), remove('b', 2, 1)]);
    hub.notify(3, [put('a', 3)]);
    hub.notify(4, [remove('a', 4)]);
    expect(puts.take()!.flatMap(({ events }) => events)).toEqual([put('a', 2), put('a', 3)]);
    expect(deletes.take()!.map(({ revision }) => revision)).toEqual([2, 4]);
    expect(neither.take()).toBeUndefined();
    expect(neither.progress).toBe(4);
  });

  test('a revision cut short for its size: a filter does not pass its rest off as all', () => {
    const hub = hubAt(1, 2);
    const watcher = hub.watch({ keys: everything, noPut: true });
    hub.notify(2, [put('a', 2), put('b', 2, 1), put('c', 2, 2), remove('d', 2, 3)]);
    expect(watcher.take()).toBeUndefined();
    expect(watcher.catchUp()).toMatchObject({ fromRevision: 2, upTo: 2, noPut: true });
  });

  test('all queues together are full: the one that began first lets go, to read history', () => {
    const hub = new WatchHub({ revision: 1, compactRevision: 0, totalEventsMax: 3 });
    const [a, b] = ['a', 'b'].map((key) => hub.watch({ keys: one(key) }));
    for (const revision of [2, 3]) hub.notify(revision, [put('a', revision)]);
    for (const revision of [4, 5]) hub.notify(revision, [put('b', revision)]);
    expect(hub.held.events).toBe(2);
    expect(a!.catchUp()).toMatchObject({ fromRevision: 2, upTo: 5 });
    expect(b!.take()!.map(({ revision }) => revision)).toEqual([4, 5]);
    expect(hub.held).toEqual({ events: 0, bytes: 0 });
  });

  test.each([
    [1_000_000, true],
    [999_999, false],
  ])('a value of 1,000,000 bytes, %i allowed, two holders: counted once', (bytes, isHeld) => {
    const totalBytesMax = bytes + 200 + 1;
    const hub = new WatchHub({ revision: 1, compactRevision: 0, totalBytesMax });
    const watchers = [0, 1].map(() => hub.watch({ keys: one('a') }));
    const value = new Uint8Array(1_000_000);
    const current = { key: 'a', value, createRevision: 2, modRevision: 2, version: 1 };
    hub.notify(2, [{ type: 'put', key: 'a', revision: 2, sub: 0, current }]);
    expect(watchers.map(({ isBehind }) => isBehind)).toEqual([!isHeld, !isHeld]);
    expect(hub.held.bytes).toBe(isHeld ? 1_000_201 : 0);
  });

  test('compacted: who is behind it is woken, who is at it or in time is not', () => {
    const hub = hubAt(9);
    const at = [3, 4, 5, 10].map((fromRevision) => {
      const consumer = new Listener();
      hub.watch({ keys: one('a'), fromRevision, consumer });
      return consumer;
    });
    hub.compacted(4);
    hub.compacted(4);
    hub.compacted(2);
    expect(at.map(({ woken }) => woken)).toEqual([1, 0, 0, 0]);
    expect(hub.compactRevision).toBe(4);
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: 4 });
    expect(() => hub.watch({ keys: one('a'), fromRevision: 3 })).toThrow(compacted);
  });

  test('a consumer that closes watchers of the same keys while it is told: the others are told', () => {
    const hub = hubAt(1);
    const told: number[] = [];
    const watchers = [0, 1, 2, 3].map((nth) => {
      return hub.watch({
        keys: nth % 2 === 0 ? everything : { gte: 'a' },
        consumer: {
          offer: () => {
            told.push(nth);
            if (nth === 0) for (const other of [0, 2]) watchers[other]!.close();
            return true;
          },
          ready: () => undefined,
        },
      });
    });
    hub.notify(2, [put('a', 2)]);
    expect(told).toEqual([0, 1, 3]);
    expect(hub.size).toBe(2);
    // Out of the list too, which would keep them for ever.
    expect(watchers[0]!._list.first).toBeUndefined();
    hub.notify(3, [put('a', 3)]);
    expect(told).toEqual([0, 1, 3, 1, 3]);
  });

  test('slices of history: shorter after large values, longer after small ones, never over the limit', () => {
    const hub = hubAt(1_000_000);
    const watcher = hub.watch({ keys: everything, fromRevision: 1 });
    const asked: number[] = [];
    const readSlice = (sliceBytes: number, bytes = sliceBytes): void => {
      const request = watcher.catchUp()!;
      asked.push(request.limit);
      const nextRevision = request.fromRevision + 1;
      watcher.caughtUp(request, { revisions: [], nextRevision, nextSub: 0, bytes, sliceBytes });
    };
    for (const bytes of [0, 0, 0, 0, 0]) readSlice(bytes);
    expect(asked).toEqual([64, 128, 256, 512, 512]);
    readSlice(limits.historyBytesMax * 4);
    readSlice(limits.historyBytesMax * 1_000);
    readSlice(limits.historyBytesMax);
    readSlice(0);
    expect(asked.slice(5)).toEqual([512, 128, 1, 1]);
    // A revision that took many slices was large; none of them was.
    readSlice(0, limits.historyBytesMax * 1_000);
    readSlice(0);
    expect(asked.slice(9)).toEqual([2, 4]);
  });
});
