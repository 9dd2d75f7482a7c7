// The watch invariants W1 to W11 against the model: watchers of any pace, start and filter, beside
// compactions, snapshots and steps back. A failure prints the seed and the shrunk schedule.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyEvent, RevisionEvents, WatchFilter } from '../../src/mvcc/index.js';
import { batch, watchable } from './arbitraries.js';
import { depth } from './depth.js';
import { type Consumer, type ConsumerOptions, World } from './watch-world.js';

const flag = fc.constantFrom(undefined, undefined, false, true);
const options: fc.Arbitrary<ConsumerOptions> = fc.record({
  keys: watchable,
  fromRevision: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
  isEager: fc.boolean(),
  noPut: flag,
  noDelete: flag,
  previous: fc.constantFrom(undefined, true, false),
  fragment: flag,
});

const nth = fc.nat(9);
const kind = <K extends string>(name: K) => fc.constant(name);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: kind('run'), commands: batch }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('install'), commands: batch }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('rewind'), by: fc.nat(6) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('tell'), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('compact'), back: fc.nat(8) }) },
  // At the revision a watcher needs next, one below it and one above.
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('compact near'), nth, by: fc.integer({ min: -1, max: 1 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('watch'), options }) },
  { weight: 9, arbitrary: fc.record({ kind: kind('pull'), nth }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('mark'), nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('close'), nth }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(world: World, it: Step): void {
  if (it.kind === 'run') world.run(...it.commands);
  else if (it.kind === 'install') world.install(...it.commands);
  else if (it.kind === 'rewind') world.rewind(it.by);
  else if (it.kind === 'tell') world.tell(it.count);
  else if (it.kind === 'compact') world.compact(world.hub.revision - it.back);
  else if (it.kind === 'watch') begin(world, it.options);
  else {
    const consumer = world.consumers[it.nth % Math.max(1, world.consumers.length)];
    if (consumer === undefined) return;
    if (it.kind === 'pull') consumer.pull();
    else if (it.kind === 'mark') consumer.mark();
    else if (it.kind === 'close') consumer.close();
    else world.compact(nextOf(consumer) + it.by);
  }
}

/** A start below the compacted revision is refused by that name, and any other is not. */
function begin(world: World, request: ConsumerOptions): void {
  const from = request.fromRevision ?? world.hub.revision + 1;
  if (from >= world.compactRevision) {
    world.watch(request);
    return;
  }
  const compacted = { code: 'COMPACTED', compactRevision: world.compactRevision };
  expect(() => world.watch(request)).toThrow(expect.objectContaining(compacted));
}

/** The revision a consumer needs next, as far as it can know. */
function nextOf({ got, watcher }: Consumer): number {
  const last = got.at(-1);
  if (last === undefined) return watcher.startRevision;
  return ('bookmark' in last ? last.bookmark : last.revision) + 1;
}

/** Pieces joined to revisions; W3: no piece unless asked, and each revision in pieces has an end. */
function joined(pieces: readonly RevisionEvents[], filter: WatchFilter, isOver: boolean) {
  const revisions: { revision: number; events: KeyEvent[] }[] = [];
  let open: number | undefined;
  for (const { revision, events, isPart } of pieces) {
    if (isPart) {
      expect(filter.fragment).toBe(true);
      expect(events.length).toBeGreaterThan(0);
    }
    if (open === revision) revisions.at(-1)!.events.push(...events);
    else {
      expect(open).toBeUndefined();
      expect(events.length).toBeGreaterThan(0);
      revisions.push({ revision, events: [...events] });
    }
    open = isPart ? revision : undefined;
  }
  if (!isOver) expect(open).toBeUndefined();
  if (open !== undefined) revisions.pop();
  return revisions;
}

/** W8: the version before is the model's, or absent because it was compacted or not wanted. */
function samePrevious(got: KeyEvent, expected: KeyEvent, filter: WatchFilter, compacted: number) {
  if (got.previous !== undefined) expect(got.previous).toEqual(expected.previous);
  else if (expected.previous !== undefined && filter.previous !== false) {
    expect(got.revision).toBeLessThanOrEqual(compacted);
  }
}

function withoutPrevious({ previous: _, ...event }: KeyEvent): KeyEvent {
  return event;
}

/** W1, W2, W3, W4, W7, W8, W9: exactly the model's events, or a beginning of them if it is over. */
function checkEvents(world: World, consumer: Consumer, filter: WatchFilter): void {
  const { watcher, isOver } = consumer;
  const got = joined(consumer.revisions, filter, isOver);
  const all = world.expected(watcher.startRevision, watcher.keys, filter);
  const expected = isOver ? all.slice(0, got.length) : all;
  const bare = ({ revision, events }: RevisionEvents) => {
    return { revision, events: events.map(withoutPrevious) };
  };
  expect(got.map(bare)).toEqual(expected.map(bare));
  got.forEach(({ events }, at) => {
    events.forEach((event, i) => {
      samePrevious(event, expected[at]!.events[i]!, filter, world.compactRevision);
    });
  });
}

/** W6: a bookmark is at or above everything before it, and below everything after. */
function checkBookmarks(world: World, { got, watcher }: Consumer, filter: WatchFilter): void {
  const all = world.expected(watcher.startRevision, watcher.keys, filter);
  let delivered = 0;
  let last = 0;
  let bookmark = 0;
  for (const it of got) {
    if ('bookmark' in it) {
      expect(it.bookmark).toBeGreaterThanOrEqual(Math.max(last, bookmark));
      expect(it.bookmark).toBeGreaterThanOrEqual(watcher.startRevision - 1);
      bookmark = it.bookmark;
      const due = all.filter(({ revision }) => revision <= bookmark);
      expect(delivered).toBe(due.reduce((sum, { events }) => sum + events.length, 0));
    } else {
      expect(it.revision).toBeGreaterThan(bookmark);
      last = it.revision;
      delivered += it.events.length;
    }
  }
}

/** W10: a watch that history refused needed something that is gone, and got all before it. */
function checkEnd(world: World, { compacted, revisions }: Consumer): void {
  if (compacted === undefined) return;
  expect(compacted.fromRevision).toBeLessThan(compacted.compactRevision);
  expect(compacted.compactRevision).toBeLessThanOrEqual(world.compactRevision);
  const last = revisions.at(-1)?.revision ?? 0;
  expect(last).toBeLessThanOrEqual(compacted.fromRevision);
}

/** W5: a watch begun at the revision after the last one gets exactly the rest, or COMPACTED. */
function checkResume(world: World, consumer: Consumer, request: ConsumerOptions): void {
  const fromRevision = nextOf(consumer);
  if (fromRevision < world.compactRevision) {
    expect(() => world.watch({ ...request, fromRevision })).toThrow();
    return;
  }
  const resumed = world.watch({ ...request, fromRevision });
  drain(resumed);
  checkEvents(world, resumed, request);
}

function drain(consumer: Consumer): void {
  // Far more than any schedule needs: without progress it would not end.
  for (let turns = 0; consumer.pull(); turns += 1) expect(turns).toBeLessThan(10_000);
}

describe('watchers against the model', () => {
  const size = fc.integer({ min: 1, max: 6 });
  const sizes = fc.record({
    eventsMax: size,
    limit: fc.option(size, { nil: undefined }),
    totalEventsMax: fc.integer({ min: 1, max: 12 }),
    totalBytesMax: fc.constantFrom(1, 1_000, 1_000_000),
  });

  test(
    'any schedule: W1 to W11',
    () => {
      fc.assert(
        fc.property(sizes, fc.array(step, { minLength: 15, maxLength: 80 }), (limits, steps) => {
          const world = new World(limits);
          for (const it of steps) {
            take(world, it);
            expect(world.hub.held.events).toBeLessThanOrEqual(limits.totalEventsMax);
            expect(world.hub.held.bytes).toBeLessThanOrEqual(limits.totalBytesMax);
          }
          world.tell();
          const requests = [...world.requests];
          for (const [consumer, request] of requests) {
            drain(consumer);
            consumer.mark();
            checkEvents(world, consumer, request);
            checkBookmarks(world, consumer, request);
            checkEnd(world, consumer);
          }
          for (const [consumer, request] of requests) checkResume(world, consumer, request);
          for (const { watcher } of world.consumers) watcher.close();
          expect(world.hub.size).toBe(0);
          expect(world.hub.held).toEqual({ events: 0, bytes: 0 });
        }),
        { numRuns: 400 * depth },
      );
    },
    30_000 * depth,
  );
});
