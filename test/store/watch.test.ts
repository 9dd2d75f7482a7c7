// The public watch over a hub and a keyspace in memory; nothing here waits for time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asyncDispose } from '../../src/base/async-dispose.js';
import { kontikiError } from '../../src/base/errors.js';
import {
  type Command,
  type History,
  type KeyEvent,
  type KeySelection,
  WatchHub,
} from '../../src/mvcc/index.js';
import type { Watch } from '../../src/store/watch.js';
import type { WatchBatch } from '../../src/store/watch-batch.js';
import { batch, watchable } from '../mvcc/command-arbitraries.js';
import { depth } from '../mvcc/depth.js';
import { settle, WatchWorld as World } from './watch-world.js';

const one = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const bytes = (text: string) => new TextEncoder().encode(text);
const put = (key: string, value = ''): Command => ({ op: 'put', key, value: bytes(value) });
const remove = (keys: KeySelection): Command => ({ op: 'delete', keys });
const error = (code: string, fields = {}) => expect.objectContaining({ code, ...fields });

/** Batches as plain data, comparable with the model's revisions. */
function plain({ revision, events }: WatchBatch) {
  return {
    revision,
    events: events.map(({ type, kv, previous }) => {
      return { type, kv: kv.toJSON(), previous: previous?.toJSON() };
    }),
  };
}

async function nextOf(iterator: AsyncIterator<WatchBatch, undefined>) {
  const { value, done } = await iterator.next();
  expect(done).toBe(false);
  return plain(value as WatchBatch);
}

const iterate = (watch: Watch) => watch[Symbol.asyncIterator]();

describe('watch', () => {
  test('from now: what is applied after the call, with the version before', async () => {
    const world = new World();
    world.run(put('a', '1'));
    const watch = world.watch(one('a'));
    expect(await watch.startRevision).toBe(3);
    world.run(put('a', '2'), put('b'), remove(one('a')));
    const [batched] = [await nextOf(iterate(watch))];
    expect(batched).toMatchObject({
      revision: 5,
      events: [
        { type: 'put', kv: { modRevision: 3, version: 2 }, previous: { modRevision: 2 } },
        { type: 'delete', kv: { modRevision: 5, version: 0, value: '' }, previous: {} },
      ],
    });
  });

  test('a waiting next() gets the revision as it is applied', async () => {
    const world = new World();
    const iterator = iterate(world.watch(one('a')));
    const waiting = nextOf(iterator);
    await settle();
    world.run(put('a', '1'), put('a', '2'));
    expect(await waiting).toMatchObject({ revision: 2, events: [{}] });
    expect(await nextOf(iterator)).toMatchObject({ revision: 3, events: [{}] });
  });

  test('from the past: history first, then live, without a gap', async () => {
    const world = new World({ limit: 2 });
    world.run(put('a', '1'), put('b'), put('a', '2'), put('a', '3'));
    const iterator = iterate(world.watch(one('a'), 2));
    const got = [await nextOf(iterator)];
    world.run(put('a', '4'));
    while (got.at(-1)!.revision < 6) got.push(await nextOf(iterator));
    expect(got.flatMap(({ events }) => events.map(({ kv }) => kv.version))).toEqual([1, 2, 3, 4]);
  });

  test('from the future: waits, and tells its start', async () => {
    const world = new World();
    const watch = world.watch(one('a'), 3);
    expect(await watch.startRevision).toBe(3);
    const waiting = nextOf(iterate(watch));
    world.run(put('a', '1'), put('a', '2'));
    expect(await waiting).toMatchObject({ revision: 3 });
    expect(world.queries).toBe(0);
  });

  test('a slow consumer: served from history, nothing lost', async () => {
    const world = new World({ eventsMax: 2 });
    const iterator = iterate(world.watch({ gte: '' }));
    for (let at = 0; at < 10; at += 1) world.run(put('a', `${at}`));
    const { events } = await nextOf(iterator);
    expect(events.map(({ kv }) => kv.version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(world.queries).toBe(1);
  });

  test('a transaction larger than the queue: one batch all the same', async () => {
    const world = new World({ eventsMax: 2, limit: 2 });
    const iterator = iterate(world.watch({ gte: '' }));
    const waiting = nextOf(iterator);
    const success = ['a', 'b', 'c', 'd', 'e'].map((key) => put(key) as never);
    world.run({ op: 'txn', compares: [], success, failure: [] });
    expect(await waiting).toMatchObject({ revision: 2, events: { length: 5 } });
  });

  test('a snapshot is installed while next() waits: what it jumped over comes from history', async () => {
    const world = new World();
    const iterator = iterate(world.watch(one('a')));
    const waiting = nextOf(iterator);
    world.backend.run(world.keyspace, [put('a', '1'), put('a', '2')]);
    world.hub.reset(world.keyspace);
    expect(await waiting).toMatchObject({ revision: 3, events: { length: 2 } });
    world.run(put('a', '3'));
    expect(await nextOf(iterator)).toMatchObject({ revision: 4, events: { length: 1 } });
  });

  test('history answered without a promise: the same', async () => {
    const world: World = new World({
      history: (range) => world.backend.answer(world.keyspace.historyQuery(range)),
    });
    world.run(put('a'), put('a'));
    expect(await nextOf(iterate(world.watch(one('a'), 1)))).toMatchObject({ revision: 3 });
  });
});

describe('watch against the model', () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const), commands: batch }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'pull' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'settle' as const }) },
  );

  test(
    'any pace and start: the events of the model, revisions whole, then silence',
    async () => {
      const size = fc.integer({ min: 1, max: 5 });
      const from = fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined });
      const watched = fc.record({ keys: watchable, from, before: batch });
      await fc.assert(
        fc.asyncProperty(
          size,
          size,
          watched,
          fc.array(step),
          async (eventsMax, limit, it, steps) => {
            const world = new World({ eventsMax, limit });
            world.run(...it.before);
            const watch = world.watch(it.keys, it.from);
            const reader = new Reader(watch);
            for (const action of steps) {
              if (action.kind === 'run') world.run(...action.commands);
              else if (action.kind === 'pull') reader.pull();
              else await settle();
            }
            const start = await watch.startRevision;
            const expected = world.model.events(start, it.keys);
            await reader.drain();
            expect(reader.got).toEqual(expected.flatMap(({ events }) => events.map(eventOf)));
            // Whole revisions: a batch ends where a revision of the model ends.
            const ends = new Set(expected.map(({ revision }) => revision));
            expect(reader.ends.filter((end) => !ends.has(end))).toEqual([]);
          },
        ),
        { numRuns: 100 * depth },
      );
    },
    30_000 * depth,
  );
});

/** Keeps at most one `next()` waiting. */
class Reader {
  readonly got: unknown[] = [];
  readonly ends: number[] = [];
  readonly #watch: Watch;
  readonly #iterator: AsyncIterator<WatchBatch, undefined>;
  #isWaiting = false;
  #isDone = false;

  constructor(watch: Watch) {
    this.#watch = watch;
    this.#iterator = iterate(watch);
  }

  pull(): void {
    if (this.#isWaiting || this.#isDone) return;
    this.#isWaiting = true;
    void this.#iterator.next().then(({ done, value }) => {
      this.#isWaiting = false;
      this.#isDone = done === true;
      if (value === undefined) return;
      const { revision, events } = value;
      const last = this.ends.at(-1) ?? 0;
      expect(events[0]!.kv.modRevision).toBeGreaterThan(last);
      expect(events.at(-1)!.kv.modRevision).toBe(revision);
      this.ends.push(revision);
      for (const { type, kv, previous } of events) {
        this.got.push([type, kv.modRevision, kv.key, kv.version, previous?.toJSON()]);
      }
    });
  }

  /** Pulls until a `next()` stays unanswered, then closes. */
  async drain(): Promise<void> {
    let before = -1;
    while (before < this.ends.length) {
      before = this.ends.length;
      this.pull();
      await settle();
    }
    expect(this.#isWaiting).toBe(true);
    await this.#watch.close();
    await settle();
    expect(this.#isDone).toBe(true);
  }
}

function eventOf({ type, key, revision, current, previous }: KeyEvent) {
  const before = previous && {
    key: btoa(previous.key),
    value: Buffer.from(previous.value).toString('base64'),
    createRevision: previous.createRevision,
    modRevision: previous.modRevision,
    version: previous.version,
    ...(previous.lease === undefined ? {} : { lease: `${previous.lease}` }),
  };
  const keyBytes = new Uint8Array(Buffer.from(key, 'latin1'));
  return [type, revision, keyBytes, current?.version ?? 0, before];
}

describe('the end of a watch', () => {
  test('close: a waiting next() is done, and so is every later one', async () => {
    const world = new World();
    const watch = world.watch(one('a'));
    const iterator = iterate(watch);
    const waiting = iterator.next();
    await watch.close();
    await watch[asyncDispose]();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect([world.hub.size, world.open.size]).toEqual([0, 0]);
  });

  test('break out of a loop: the watch is over', async () => {
    const world = new World();
    const watch = world.watch(one('a'));
    world.run(put('a'));
    for await (const { revision } of watch) {
      expect(revision).toBe(2);
      break;
    }
    expect(world.hub.size).toBe(0);
  });

  test('abort: the waiting next() throws the reason, the next one is done', async () => {
    const world = new World();
    const abort = new AbortController();
    const iterator = iterate(world.watch(one('a'), undefined, abort.signal));
    const waiting = iterator.next();
    abort.abort('reason');
    await expect(waiting).rejects.toBe('reason');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(world.hub.size).toBe(0);
  });

  test('aborted before it began: nothing registered, start and next() throw the reason', async () => {
    const world = new World();
    const watch = world.watch(one('a'), undefined, AbortSignal.abort('reason'));
    await expect(watch.startRevision).rejects.toBe('reason');
    await expect(iterate(watch).next()).rejects.toBe('reason');
    expect([world.hub.size, world.open.size]).toEqual([0, 0]);
  });

  test('the source fails it, as a store that closes does: next() throws CLOSED once', async () => {
    const world = new World();
    const watch = world.watch(one('a'));
    const iterator = iterate(watch);
    for (const it of world.open) it.fail(kontikiError('CLOSED', 'the store is closed'));
    await expect(iterator.next()).rejects.toEqual(error('CLOSED'));
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('a compacted start: registered nowhere, start and next() throw COMPACTED', async () => {
    const hub = new WatchHub({ revision: 9, compactRevision: 5 });
    const world = new World({ hub });
    const watch = world.watch(one('a'), 4);
    const compacted = error('COMPACTED', { compactRevision: 5 });
    await expect(watch.startRevision).rejects.toEqual(compacted);
    await expect(iterate(watch).next()).rejects.toEqual(compacted);
  });

  test('compacted while it was behind: next() throws COMPACTED, never silence', async () => {
    const history = () => {
      return Promise.reject(kontikiError('COMPACTED', 'gone', { compactRevision: 7 }));
    };
    const world = new World({ history });
    world.run(put('a'));
    const iterator = iterate(world.watch(one('a'), 1));
    await expect(iterator.next()).rejects.toEqual(error('COMPACTED', { compactRevision: 7 }));
    expect(world.hub.size).toBe(0);
  });

  test('history that throws instead of rejecting: the same', async () => {
    const history = (): never => {
      throw kontikiError('STORAGE_IO', 'disk');
    };
    const world = new World({ history });
    world.run(put('a'));
    await expect(iterate(world.watch(one('a'), 1)).next()).rejects.toEqual(error('STORAGE_IO'));
  });

  test('closed while history is read: done at once, the answer is not delivered', async () => {
    let answer: (history: History) => void = () => undefined;
    const history = () => {
      return new Promise<History>((resolve) => {
        answer = resolve;
      });
    };
    const world = new World({ history });
    world.run(put('a'));
    const watch = world.watch(one('a'), 1);
    const waiting = iterate(watch).next();
    await watch.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    answer({ revisions: [], nextRevision: 3, nextSub: 0, bytes: 0, sliceBytes: 0 });
    await settle();
  });

  test('a second iterator, or a second waiting next() -> ITERATOR_BUSY', async () => {
    const watch = new World().watch(one('a'));
    const iterator = iterate(watch);
    expect(() => iterate(watch)).toThrow(error('ITERATOR_BUSY'));
    const waiting = iterator.next();
    await expect(iterator.next()).rejects.toEqual(error('ITERATOR_BUSY'));
    await watch.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('startRevision after the end: known if it had begun, CLOSED if it had not', async () => {
    const begun = new World().watch(one('a'), 5);
    await begun.close();
    expect(await begun.startRevision).toBe(5);
    const started = () => new Promise<void>(() => undefined);
    const waiting = new World({ started }).watch(one('a'));
    const asked = waiting.startRevision;
    await waiting.close();
    await expect(asked).rejects.toEqual(error('CLOSED'));
    await expect(waiting.startRevision).rejects.toEqual(error('CLOSED'));
  });

  test('a read of a state that is replaced fails: read again, the watch lives', async () => {
    let isFailing = true;
    const world: World = new World({
      history: async (range) => {
        if (!isFailing) return world.history(range);
        isFailing = false;
        world.hub.reset(world.keyspace);
        throw kontikiError('STATE_CORRUPT', 'half of it is new');
      },
    });
    world.run(put('a'));
    expect(await nextOf(iterate(world.watch(one('a'), 2)))).toMatchObject({ revision: 2 });
  });

  test('an end with an error: each signal and source lets go of the watch', async () => {
    const world = new World();
    const abort = new AbortController();
    const watch = world.watch(one('a'), undefined, abort.signal);
    watch.fail(kontikiError('STORAGE_IO', 'disk'));
    abort.abort('late');
    await expect(iterate(watch).next()).rejects.toEqual(error('STORAGE_IO'));
    expect([world.hub.size, world.open.size]).toEqual([0, 0]);
  });

  test('misuse is thrown by the call itself', () => {
    const world = new World();
    expect(() => world.watch({ gte: 'b', lt: 'a' })).toThrow(error('ARGUMENT_INVALID'));
    expect(world.open.size).toBe(0);
  });
});

describe('the started hook', () => {
  test('startRevision waits for it, events do not', async () => {
    let start: () => void = () => undefined;
    const started = () => {
      return new Promise<void>((resolve) => {
        start = resolve;
      });
    };
    const world = new World({ started });
    const watch = world.watch(one('a'));
    let told = 0;
    void watch.startRevision.then((revision) => {
      told = revision;
    });
    world.run(put('a'));
    expect(await nextOf(iterate(watch))).toMatchObject({ revision: 2 });
    expect(told).toBe(0);
    start();
    await settle();
    expect(told).toBe(2);
  });

  test('it answers or throws at once: the same', async () => {
    const calm = new World({ started: () => undefined }).watch(one('a'));
    expect(await calm.startRevision).toBe(2);
    const started = (): never => {
      throw kontikiError('CLOSED', 'the store is closed');
    };
    const world = new World({ started });
    await expect(world.watch(one('a')).startRevision).rejects.toEqual(error('CLOSED'));
    expect([world.hub.size, world.open.size]).toEqual([0, 0]);
  });

  test('it fails: the watch fails with its error', async () => {
    const started = () => Promise.reject(kontikiError('CLOSED', 'the store is closed'));
    const watch = new World({ started }).watch(one('a'));
    await expect(watch.startRevision).rejects.toEqual(error('CLOSED'));
    await expect(iterate(watch).next()).rejects.toEqual(error('CLOSED'));
  });
});
