// Watchers of any pace get exactly the model's events, whatever they fall behind and catch up on.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CatchUp,
  type Command,
  type History,
  type KeyEvent,
  type KeySelection,
  type Query,
  type RevisionEvents,
  type Watcher,
  WatchHub,
} from '../../src/mvcc/index.js';
import { batch, watchable } from './arbitraries.js';
import { Model } from './model.js';
import { SortedBackend } from './sorted-backend.js';

const one = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const everything: KeySelection = { gte: '' };

/** A consumer that does one small thing at a time. */
class Consumer {
  readonly got: RevisionEvents[] = [];
  isClosed = false;
  reading: { request: CatchUp; query: Query<History> } | undefined;

  constructor(
    readonly watcher: Watcher,
    readonly world: World,
  ) {}

  /** Takes, or starts to read, or reads on; false when there was nothing to do. */
  pull(): boolean {
    if (this.reading !== undefined) {
      this.readOn(this.reading);
      return true;
    }
    const taken = this.watcher.take();
    if (taken !== undefined) {
      const count = taken.reduce((sum, { events }) => sum + events.length, 0);
      expect(count).toBeLessThanOrEqual(this.world.eventsMax);
      this.got.push(...taken);
      return true;
    }
    if (!this.watcher.isBehind) return false;
    const request = this.watcher.catchUp();
    if (request === undefined) return !this.isClosed;
    const query = this.world.keyspace.historyQuery({ ...request, limit: this.world.limit });
    this.reading = { request, query };
    return true;
  }

  private readOn({ request, query }: { request: CatchUp; query: Query<History> }): void {
    if (!query.done) {
      this.reading = { request, query: query.next(this.world.backend.read(query.plan)) };
      return;
    }
    this.reading = undefined;
    this.got.push(...(this.watcher.caughtUp(request, query.result) ?? []));
  }
}

class World {
  readonly backend = new SortedBackend();
  readonly model = new Model();
  readonly keyspace = this.backend.open();
  readonly hub: WatchHub;
  readonly consumers: Consumer[] = [];

  constructor(
    readonly eventsMax: number,
    readonly limit: number,
  ) {
    this.hub = new WatchHub({ revision: 1, compactRevision: 0, eventsMax });
  }

  run(commands: readonly Command[]): void {
    const before = this.model.revision;
    this.runUnseen(commands);
    this.tell(before);
  }

  /** As a snapshot does: the state is further on, and no event was told. */
  install(commands: readonly Command[]): void {
    this.runUnseen(commands);
    this.hub.reset(this.keyspace);
  }

  /** As a reopened state machine does: back to an older state, then the same changes again. */
  rewind(by: number): void {
    const revision = Math.max(1, this.model.revision - by);
    this.hub.reset({ revision, compactRevision: 0 });
    this.tell(revision);
  }

  watch(keys: KeySelection, fromRevision: number | undefined): void {
    const watcher = this.hub.watch({ keys, fromRevision });
    this.consumers.push(new Consumer(watcher, this));
  }

  private runUnseen(commands: readonly Command[]): void {
    for (const command of commands) this.model.execute(command);
    this.backend.run(this.keyspace, commands);
  }

  private tell(after: number): void {
    for (let at = after + 1; at <= this.model.revision; at += 1) {
      this.hub.notify(at, this.model.events[at]!);
    }
  }
}

const at = fc.nat(9);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), commands: batch }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('install' as const), commands: batch }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const), by: fc.nat(6) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('watch' as const),
      keys: watchable,
      from: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pull' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), at }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(world: World, it: Step): void {
  if (it.kind === 'run') world.run(it.commands);
  else if (it.kind === 'install') world.install(it.commands);
  else if (it.kind === 'rewind') world.rewind(it.by);
  else if (it.kind === 'watch') world.watch(it.keys, it.from);
  else {
    const consumer = world.consumers[it.at % Math.max(1, world.consumers.length)];
    if (consumer === undefined) return;
    if (it.kind === 'pull') consumer.pull();
    else {
      consumer.isClosed = true;
      consumer.watcher.close();
    }
  }
}

describe('watchers against the model', () => {
  test('any pace, any start, resets in between: every event once, in order, revisions whole', () => {
    const size = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(size, size, fc.array(step, { maxLength: 40 }), (eventsMax, limit, steps) => {
        const world = new World(eventsMax, limit);
        for (const it of steps) take(world, it);
        for (const consumer of world.consumers) {
          const { watcher, got } = consumer;
          while (!consumer.isClosed && consumer.pull());
          const all = world.model.history(watcher.startRevision, watcher.keys);
          expect(got).toEqual(consumer.isClosed ? all.slice(0, got.length) : all);
        }
        for (const { watcher } of world.consumers) watcher.close();
        expect(world.hub.size).toBe(0);
      }),
      { numRuns: 250 },
    );
  });
});

describe('watch hub', () => {
  const put = (key: string, revision: number, sub = 0): KeyEvent => {
    const value = new Uint8Array(0);
    const current = { key, value, createRevision: revision, modRevision: revision, version: 1 };
    return { type: 'put', key, revision, sub, current };
  };
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
    expect(watcher.catchUp()).toEqual({ keys: everything, fromRevision: 2, upTo: 4 });
  });

  test('one revision larger than the queue: left to history, and the consumer is woken', () => {
    const hub = hubAt(1, 2);
    let woken = 0;
    const onReady = () => {
      woken += 1;
    };
    const watcher = hub.watch({ keys: everything, onReady });
    hub.notify(2, [put('a', 2), put('b', 2, 1), put('c', 2, 2)]);
    expect(watcher.isBehind).toBe(true);
    expect(woken).toBe(1);
  });

  test('catching up beside new events: synced at once when history ends, nothing twice', () => {
    const hub = hubAt(3);
    const watcher = hub.watch({ keys: everything, fromRevision: 2 });
    const request = watcher.catchUp()!;
    expect(request).toMatchObject({ fromRevision: 2, upTo: 3 });
    hub.notify(4, [put('a', 4)]);
    expect(watcher.take()).toBeUndefined();
    const revisions = [{ revision: 3, events: [put('a', 3)] }];
    expect(watcher.caughtUp(request, { revisions, nextRevision: 4 })).toBe(revisions);
    expect(watcher.isBehind).toBe(false);
    expect(watcher.take()).toEqual([{ revision: 4, events: [put('a', 4)] }]);
  });

  test('an answer to a request from before a reset: ignored', () => {
    const hub = hubAt(3);
    const watcher = hub.watch({ keys: everything, fromRevision: 2 });
    const request = watcher.catchUp()!;
    hub.reset({ revision: 9, compactRevision: 0 });
    expect(watcher.caughtUp(request, { revisions: [], nextRevision: 4 })).toBeUndefined();
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
});
