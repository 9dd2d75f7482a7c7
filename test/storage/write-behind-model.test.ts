/**
 * The write-behind backend against a plain map: random changes, timers, slow flushes and reads that
 * overlap with them. Every read must equal the map at the time of its call.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change, RangeRead, ReadPlan, ReadSet } from '../../src/mvcc/backend.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers, pumped } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

type Model = ReadonlyMap<string, Uint8Array>;

const keyArb = fc
  .tuple(
    fc.constantFrom('h', 'k', 'z'),
    fc.string({ unit: fc.constantFrom('\0', 'x', '\xff'), maxLength: 2 }),
  )
  .map(([prefix, rest]) => prefix + rest);
const changesArb = fc.array(
  fc.tuple(keyArb, fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined, freq: 2 })),
  { maxLength: 8 },
);
const rangeArb: fc.Arbitrary<RangeRead> = fc.record(
  {
    gte: keyArb,
    lt: fc.oneof(keyArb, fc.constantFrom('i', 'n', '~')),
    limit: fc.integer({ min: 0, max: 6 }),
    bytesMax: fc.integer({ min: 1, max: 12 }),
    reverse: fc.boolean(),
  },
  { requiredKeys: ['gte', 'lt'] },
);
const planArb: fc.Arbitrary<ReadPlan> = fc.record({
  keys: fc.array(keyArb, { maxLength: 4 }),
  ranges: fc.array(rangeArb, { maxLength: 3 }),
});
const stepArb = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('apply' as const), changes: changesArb }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stage' as const), changes: changesArb }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('publish' as const), changes: changesArb }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), plan: planArb }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('release' as const), showEarly: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('now' as const), isNow: fc.boolean() }) },
);

function applied(model: Model, changes: readonly Change[]): Model {
  const next = new Map(model);
  for (const [key, bytes] of changes) {
    if (bytes === undefined) next.delete(key);
    else next.set(key, bytes);
  }
  return next;
}

function expectedRead(model: Model, plan: ReadPlan): ReadSet {
  const ranges = plan.ranges.map(({ gte, lt, limit, bytesMax = Infinity, reverse }) => {
    const inside = [...model].filter(([key]) => key >= gte && key < lt);
    inside.sort(([a], [b]) => (a < b ? -1 : 1));
    if (reverse) inside.reverse();
    let bytes = 0;
    const end = inside.findIndex(([, value]) => {
      bytes += value.length;
      return bytes >= bytesMax;
    });
    return inside.slice(0, end < 0 ? limit : Math.min(end + 1, limit ?? Infinity));
  });
  return { records: plan.keys.map((key) => model.get(key)), ranges };
}

test('backend: random applies, large ones in parts, flushes and overlapping reads -> every read is one moment', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepArb, { maxLength: 60, size: 'max' }),
      fc.constantFrom(1, 2, 1_000),
      fc.constantFrom(undefined, 0, 6_000, 12_000, 1_000_000),
      fc.constantFrom(undefined, 'h', 'hkz'),
      fc.constantFrom(1, 8, 1_000),
      async (steps, chunkMax, keptBytes, appended, aheadBytesMin) => {
        const engine = new ScriptedEngine();
        engine.hold = true;
        engine.chunkMax = chunkMax;
        const timers = new ManualTimers();
        const kept = keptBytes === undefined ? undefined : { prefix: 'k', bytesMax: keptBytes };
        const sizes = { aheadBytesMin, flushBytes: 60, sortKeysMax: chunkMax, flushIntervalMs: 50 };
        const backend = await WriteBehindBackend.open({
          ...{ engine, timers, kept, appended },
          ...sizes,
        });
        const reads: (readonly [ReadSet | Promise<ReadSet>, ReadSet])[] = [];
        let model: Model = new Map();
        let index = 0;
        let staged = backend.stage();
        const hidden: Change[] = [];
        for (const step of steps) {
          if (step.do === 'apply') {
            index += 1;
            backend.apply(step.changes, index);
            model = applied(model, step.changes);
          } else if (step.do === 'stage') {
            staged.add(step.changes).catch(() => undefined);
            hidden.push(...step.changes);
          } else if (step.do === 'publish') {
            index += 1;
            backend.apply(step.changes, index, staged);
            model = applied(model, [...hidden.splice(0), ...step.changes]);
            staged = backend.stage();
          } else if (step.do === 'read') {
            reads.push([backend.read(step.plan), expectedRead(model, step.plan)]);
          } else if (step.do === 'tick') {
            timers.advance(50);
          } else if (step.do === 'now') {
            engine.isNow = step.isNow;
          } else if (step.do === 'release') {
            engine.showEarly = step.showEarly;
            await engine.release();
          } else {
            await Promise.resolve();
          }
        }
        for (const [found, expected] of reads)
          expect(await pumped(found, timers)).toEqual(expected);
        expect(engine.openCursors).toBe(0);
        engine.hold = false;
        await engine.release();
        await backend.close();
        const again = await WriteBehindBackend.open({ engine: engine.inner.reopen(), timers });
        expect(again.openedIndex).toBe(index);
        const plan = { keys: [], ranges: [{ gte: 'h', lt: '~' }] };
        expect(await again.read(plan)).toEqual(expectedRead(model, plan));
        await again.close();
      },
    ),
    { numRuns: 300 },
  );
});

test('backend: a crash anywhere -> opens as exactly the state of its applied index', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          changesArb.map((changes) => ({ do: 'apply' as const, changes })),
          fc.constantFrom({ do: 'flush' as const }, { do: 'release' as const }),
        ),
        { maxLength: 40, size: 'max' },
      ),
      fc.constantFrom(undefined, 'kz'),
      fc.constantFrom(1, 1_000),
      async (steps, appended, aheadBytesMin) => {
        const engine = new ScriptedEngine();
        const timers = new ManualTimers();
        engine.hold = true;
        const backend = await WriteBehindBackend.open({
          ...{ engine, timers, appended, aheadBytesMin },
          flushIntervalMs: 50,
        });
        const models: Model[] = [new Map()];
        for (const step of steps) {
          if (step.do === 'apply') {
            models.push(applied(models.at(-1)!, step.changes));
            backend.apply(step.changes, models.length - 1);
          } else if (step.do === 'flush') {
            timers.advance(50);
          } else {
            await engine.release();
          }
        }
        const { durableIndex } = backend;
        engine.inner.crash();
        const next = engine.inner.reopen();
        const again = await WriteBehindBackend.open({ engine: next, timers });
        expect(again.openedIndex).toBe(durableIndex);
        const plan = { keys: [], ranges: [{ gte: 'h', lt: '~' }] };
        expect(await again.read(plan)).toEqual(expectedRead(models[again.openedIndex]!, plan));
      },
    ),
    { numRuns: 200 },
  );
});
