// One test for each watch row of etcd's incident list (the numbers are etcd's issues): what broke
// there must not break here.
import { describe, expect, test } from 'vitest';
import { type Command, type KeySelection, WatchHub } from '../../src/mvcc/index.js';
import type { Consumer } from './watch-consumer.js';
import { World } from './watch-world.js';

const one = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const everything: KeySelection = { gte: '' };
const put = (key: string): Command => ({ op: 'put', key, value: new Uint8Array(0) });
const remove = (key: string): Command => ({ op: 'delete', keys: one(key) });

function drain(consumer: Consumer): void {
  while (consumer.pull());
}

/** Events in short: `put a 2`. */
function story({ revisions }: Consumer): string[] {
  return revisions.flatMap(({ events }) => {
    return events.map(({ type, key, revision }) => `${type} ${key} ${revision}`);
  });
}

describe('18089, 19179: a delete at the compaction boundary is not lost', () => {
  test.each([
    ['one below the delete', 3, ['put a 2', 'put b 3', 'delete a 4', 'put b 5']],
    ['the delete', 4, ['delete a 4', 'put b 5']],
    ['one above the delete', 5, ['put b 5']],
  ])('compacted at %s: a watch from there on sees all from there on', (_where, to, all) => {
    const world = new World();
    world.run(put('a'), put('b'), remove('a'), put('b'));
    const slow = world.watch({ keys: everything, fromRevision: to });
    world.compact(to);
    const fresh = world.watch({ keys: everything, fromRevision: to });
    for (const consumer of [slow, fresh]) {
      drain(consumer);
      expect(story(consumer)).toEqual(all.filter((event) => Number(event.split(' ')[2]) >= to));
    }
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: to });
    const early = { keys: everything, fromRevision: to - 1 };
    expect(() => world.watch(early)).toThrow(compacted);
  });
});

describe('15271: a watch does not travel back when a snapshot is installed', () => {
  test.each([true, false])('eager %s: what was delivered does not come again', (isEager) => {
    const world = new World();
    const consumer = world.watch({ keys: everything, isEager });
    world.run(put('a'), put('b'));
    drain(consumer);
    world.install(put('a'));
    drain(consumer);
    // A second snapshot at once, and one that brings nothing new.
    world.install(put('b'));
    world.install();
    drain(consumer);
    expect(story(consumer)).toEqual(['put a 2', 'put b 3', 'put a 4', 'put b 5']);
  });

  test('a member that reopens at an older state and applies again: nothing comes again', () => {
    const world = new World();
    const consumer = world.watch({ keys: everything });
    world.run(put('a'), put('b'), put('c'));
    drain(consumer);
    world.rewind(2);
    drain(consumer);
    expect(consumer.watcher.progress).toBeUndefined();
    world.run(put('d'));
    drain(consumer);
    expect(story(consumer)).toEqual(['put a 2', 'put b 3', 'put c 4', 'put d 5']);
  });

  test('the same in the middle of a revision in pieces: woken for the rest, and only for that', () => {
    const world = new World({ eventsMax: 1, limit: 2 });
    const consumer = world.watch({ keys: everything, fragment: true });
    const success = ['a', 'b', 'c', 'd', 'e'].map((key) => put(key) as never);
    world.run({ op: 'txn', compares: [], success, failure: [] });
    while (consumer.got.length === 0) consumer.pull();
    expect(story(consumer)).toEqual(['put a 2', 'put b 2']);
    world.rewind(1);
    drain(consumer);
    const { woken } = consumer;
    world.tell();
    expect(consumer.woken).toBe(woken + 1);
    drain(consumer);
    expect(story(consumer)).toEqual(['a', 'b', 'c', 'd', 'e'].map((key) => `put ${key} 2`));
    expect(consumer.revisions.map(({ isPart }) => isPart)).toEqual([true, true, undefined]);
  });
});

describe('15220: a progress notification does not overtake events', () => {
  test('events in the queue, in history, or between: no progress until they are taken', () => {
    const world = new World({ eventsMax: 2, limit: 1 });
    const consumer = world.watch({ keys: everything });
    world.run(put('a'));
    expect(consumer.watcher.progress).toBeUndefined();
    for (let nth = 0; nth < 3; nth += 1) world.run(put('a'));
    while (story(consumer).length < 4) {
      expect(consumer.watcher.progress).toBeUndefined();
      consumer.pull();
      if (story(consumer).length === 2 && world.model.revision < 6) world.run(put('b'));
    }
    drain(consumer);
    expect(consumer.watcher.progress).toBe(6);
    expect(story(consumer)).toHaveLength(5);
  });
});

describe('17529: a slow watcher that compaction overtakes is told so', () => {
  test('its queue overflowed: woken, then COMPACTED with where to go on, never silence', () => {
    const world = new World({ eventsMax: 2 });
    const consumer = world.watch({ keys: everything });
    for (let nth = 0; nth < 5; nth += 1) world.run(put('a'));
    const { woken } = consumer;
    world.compact(4);
    expect(consumer.woken).toBe(woken + 1);
    drain(consumer);
    expect(consumer.compacted).toEqual({ compactRevision: 4, fromRevision: 2 });
    const resumed = world.watch({ keys: everything, fromRevision: 4 });
    drain(resumed);
    expect(story(resumed)).toEqual(['put a 4', 'put a 5', 'put a 6']);
  });

  test('what its queue holds is older than the compaction: it still gets all of it', () => {
    const world = new World();
    const consumer = world.watch({ keys: everything });
    world.run(put('a'), put('a'), put('a'));
    world.compact(4);
    drain(consumer);
    expect(story(consumer)).toEqual(['put a 2', 'put a 3', 'put a 4']);
  });

  test('compacted while a slice is being read: COMPACTED, not half a slice', () => {
    const world = new World({ limit: 2 });
    for (let nth = 0; nth < 6; nth += 1) world.run(put('a'));
    const consumer = world.watch({ keys: everything, fromRevision: 2 });
    consumer.pull();
    world.compact(5);
    drain(consumer);
    expect(consumer.compacted).toEqual({ compactRevision: 5, fromRevision: 2 });
    expect(story(consumer)).toEqual([]);
  });

  test('20 lagging watchers beside one that keeps up: bounded together, and nobody misses any', () => {
    const world = new World({ totalEventsMax: 50 });
    const slow = Array.from({ length: 20 }, () => world.watch({ keys: one('a') }));
    const busy = world.watch({ keys: one('a'), isEager: true });
    for (let nth = 0; nth < 10; nth += 1) {
      world.run(put('a'));
      expect(world.hub.held.events).toBeLessThanOrEqual(50);
    }
    expect(busy.revisions).toHaveLength(10);
    for (const consumer of slow) {
      drain(consumer);
      expect(story(consumer)).toEqual(story(busy));
    }
  });
});

describe('17247: no event twice', () => {
  test('live and from history at the seam of both: each revision once', () => {
    const world = new World({ limit: 1 });
    world.run(put('a'), put('a'));
    const consumer = world.watch({ keys: one('a'), fromRevision: 2 });
    for (let nth = 0; nth < 8; nth += 1) {
      consumer.pull();
      world.run(put('a'));
    }
    drain(consumer);
    const revisions = consumer.revisions.map(({ revision }) => revision);
    expect(revisions).toEqual(Array.from({ length: 10 }, (_, at) => at + 2));
  });

  test('the same revision told twice: delivered once', () => {
    const hub = new WatchHub({ revision: 1, compactRevision: 0 });
    const watcher = hub.watch({ keys: one('a') });
    const event = { type: 'delete' as const, key: 'a', revision: 2, sub: 0 };
    hub.notify(2, [event]);
    hub.notify(2, [event]);
    expect(watcher.take()).toHaveLength(1);
  });
});

describe('20221: a watch from a future revision gets nothing before it', () => {
  test('on a member that lags, over a snapshot and progress requests: held until its start', () => {
    const world = new World();
    world.run(put('a'));
    const consumer = world.watch({ keys: everything, fromRevision: 7 });
    const seen: (number | undefined)[] = [];
    for (const step of ['run', 'install', 'run'] as const) {
      world[step](put('a'));
      drain(consumer);
      seen.push(consumer.watcher.progress);
    }
    expect(story(consumer)).toEqual([]);
    expect(seen).toEqual([undefined, undefined, undefined]);
    // The revision before its start is a bookmark it may have: resuming from there is its start.
    world.run(put('a'));
    expect(consumer.watcher.progress).toBe(6);
    world.run(put('b'));
    drain(consumer);
    expect(story(consumer)).toEqual(['put b 7']);
  });

  test('compaction does not refuse it', () => {
    const world = new World();
    world.run(put('a'), put('a'));
    const consumer = world.watch({ keys: everything, fromRevision: 5 });
    world.compact(3);
    world.run(put('a'), put('b'));
    drain(consumer);
    expect(story(consumer)).toEqual(['put b 5']);
    expect(consumer.compacted).toBeUndefined();
  });
});
