// The watch invariants W1 to W10 against the model, and W11 between members: watchers of any pace, start and filter, beside
// compactions, snapshots and steps back. A failure prints the seed and the shrunk schedule.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batch, watchOptions } from './command-arbitraries.js';
import { depth } from './depth.js';
import { bare, checkWatch, joined } from './watch-checks.js';
import type { Consumer, ConsumerOptions } from './watch-consumer.js';
import { World } from './watch-world.js';

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
  { weight: 3, arbitrary: fc.record({ kind: kind('watch'), options: watchOptions }) },
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
    else world.compact(consumer.next + it.by);
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

/** W5: a watch begun at the revision after the last one gets exactly the rest, or COMPACTED. */
function checkResume(world: World, consumer: Consumer, request: ConsumerOptions): void {
  const fromRevision = consumer.next;
  if (fromRevision < world.compactRevision) {
    expect(() => world.watch({ ...request, fromRevision })).toThrow();
    return;
  }
  const resumed = world.watch({ ...request, fromRevision });
  drain(resumed);
  checkWatch(world.model, resumed, request);
}

function drain(consumer: Consumer): void {
  // Far more than any schedule needs: without progress it would not end.
  for (let turns = 0; consumer.pull(); turns += 1) expect(turns).toBeLessThan(10_000);
}

const size = fc.integer({ min: 1, max: 6 });
const sizes = fc.record({
  eventsMax: size,
  limit: fc.option(size, { nil: undefined }),
  totalEventsMax: fc.integer({ min: 1, max: 12 }),
  totalBytesMax: fc.constantFrom(1, 1_000, 1_000_000),
});

describe('watchers against the model', () => {
  test(
    'any schedule: W1 to W10',
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
            checkWatch(world.model, consumer, request);
          }
          for (const [consumer, request] of requests) checkResume(world, consumer, request);
          for (const { watcher } of world.consumers) watcher.close();
          expect(world.hub.size).toBe(0);
          expect(world.hub.held).toEqual({ events: 0, bytes: 0 });
        }),
        { numRuns: 200 * depth },
      );
    },
    30_000 * depth,
  );
});

describe('watchers of several members', () => {
  /** The same on all members. */
  const turn = fc.record({
    commands: batch,
    watch: fc.option(watchOptions, { nil: undefined }),
    compactBack: fc.option(fc.nat(6), { nil: undefined, freq: 3 }),
  });
  /** Each member's own. */
  const pace = fc.record({ installs: fc.boolean(), rewind: fc.nat(4), pulls: fc.nat(5) });
  const paces = fc.array(pace, { minLength: 1, maxLength: 7 });
  type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;
  type Pace = typeof pace extends fc.Arbitrary<infer P> ? P : never;

  /** What each watch of a member delivered in the end. */
  function play(world: World, turns: readonly Turn[], own: readonly Pace[]) {
    turns.forEach(({ commands, watch, compactBack }, at) => {
      const { installs, rewind, pulls } = own[at % own.length]!;
      if (watch !== undefined) begin(world, watch);
      if (installs) world.install(...commands);
      else world.run(...commands);
      if (compactBack !== undefined) world.compact(world.hub.revision - compactBack);
      if (rewind > 0) world.rewind(rewind);
      for (const consumer of world.consumers) {
        for (let left = pulls; left > 0 && consumer.pull(); left -= 1);
      }
      world.tell();
    });
    return [...world.requests].map(([consumer, request]) => {
      drain(consumer);
      return { isOver: consumer.isOver, events: joined(consumer, request).map(bare) };
    });
  }

  test(
    'W11: whatever their paces, queues, snapshots and steps back, the events are the same',
    () => {
      const members = fc.array(fc.tuple(sizes, paces), { minLength: 3, maxLength: 3 });
      fc.assert(
        fc.property(fc.array(turn, { minLength: 5, maxLength: 20 }), members, (turns, all) => {
          const seen = all.map(([limits, own]) => play(new World(limits), turns, own));
          const [one = [], ...others] = seen;
          for (const other of others) {
            expect(other).toHaveLength(one.length);
            one.forEach((a, nth) => {
              const b = other[nth]!;
              // Who was told COMPACTED has a beginning of what the others have.
              const count = Math.min(
                a.isOver ? a.events.length : Infinity,
                b.isOver ? b.events.length : Infinity,
              );
              expect(a.events.slice(0, count)).toEqual(b.events.slice(0, count));
            });
          }
        }),
        { numRuns: 60 * depth },
      );
    },
    30_000 * depth,
  );
});
