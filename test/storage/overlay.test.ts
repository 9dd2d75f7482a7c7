import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RangeRead } from '../../src/mvcc/backend.js';
import {
  CopiedRange,
  type CursorSource,
  changesOf,
  type Layer,
  type LayerChange,
  LayerCursor,
} from '../../src/storage/layers.js';
import { Overlay } from '../../src/storage/overlay.js';
import { StagedLayer } from '../../src/storage/staged-layer.js';

const value = (n: number): Uint8Array => Uint8Array.of(n);

function walk(sources: readonly CursorSource[], range: RangeRead): [string, number | null][] {
  const cursor = new LayerCursor(sources, range);
  const found: [string, number | null][] = [];
  for (let at = cursor.next(); at !== undefined; at = cursor.next()) {
    found.push([at[0], at[1]?.[0] ?? null]);
  }
  return found;
}

const staged = async (changes: Iterable<LayerChange>): Promise<Layer> => {
  const layer = new StagedLayer(async () => undefined);
  for (const [key, bytes] of changes) await layer.add([[key, bytes ?? undefined]]);
  return layer;
};

describe('overlay', () => {
  test('three layers, reads between sets -> as a naive merge, no more copied than the limits need', async () => {
    const key = fc.nat({ max: 300 }).map((n) => `k${String(n).padStart(3, '0')}`);
    const set = fc.tuple(key, fc.option(fc.nat({ max: 255 }), { nil: undefined }));
    const range = fc.record(
      {
        ...{
          gte: key,
          lt: key,
          limit: fc.nat({ max: 9 }),
          bytesMax: fc.integer({ min: 1, max: 9 }),
        },
        reverse: fc.boolean(),
      },
      { requiredKeys: ['gte', 'lt'] },
    );
    const step = fc.oneof(fc.record({ newer: fc.boolean(), set }), fc.record({ range }));
    const tree = fc.uniqueArray(set, { maxLength: 400, size: 'max', selector: ([at]) => at });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 150, size: 'max' }),
        tree,
        async (steps, all) => {
          const between = all.map(([at, put]) => [at, put ?? null] as const);
          const [newest, oldest] = [new Overlay(), new Overlay()];
          const middle = await staged(
            between.map(([at, put]) => [at, put === null ? put : value(put)]),
          );
          const models = [new Map<string, number | null>(), new Map(between), new Map()];
          const inside = (of: number[], { gte, lt, reverse = false }: RangeRead) => {
            const merged = [...new Map(of.flatMap((at) => [...models[at]!]))];
            const found = merged.filter(([at]) => at >= gte && at < lt);
            return found.sort(([a], [b]) => (a < b !== reverse ? -1 : 1));
          };
          for (const one of steps) {
            if ('set' in one) {
              const [at, put] = one.set;
              (one.newer ? newest : oldest).set(at, put === undefined ? undefined : value(put));
              models[one.newer ? 0 : 2]!.set(at, put ?? null);
              continue;
            }
            const { limit = Infinity, bytesMax = Infinity } = one.range;
            const copied = new CopiedRange(newest, one.range);
            // Each value is one byte.
            let live = Math.min(limit, bytesMax);
            const expected = inside([0], one.range).filter(([, put]) => {
              if (live === 0) return false;
              if (put !== null) live -= 1;
              return true;
            });
            expect(walk([copied], one.range)).toEqual(expected);
            expect(copied.deletions).toBe(expected.filter(([, put]) => put === null).length);
            const whole = inside([2, 1, 0], one.range);
            expect(walk([newest, middle, oldest], one.range)).toEqual(whole);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a long layer, sorted in pieces while others walk it -> as a naive sort, each key once', async () => {
    const key = fc.nat({ max: 400 }).map((n) => `k${String(n).padStart(3, '0')}`);
    const keys = fc.array(key, { maxLength: 300, size: 'max' });
    await fc.assert(
      fc.asyncProperty(
        ...[keys, keys, fc.integer({ min: 1, max: 50 }), fc.nat({ max: 20 }), fc.nat({ max: 20 })],
        async (before, after, keysMax, walkAt, joinAt) => {
          const overlay = new Overlay(keysMax);
          const all = { gte: '', lt: '~' };
          const model = new Map<string, number>();
          const put = (at: string) => {
            overlay.set(at, value(model.size));
            model.set(at, model.size);
          };
          before.forEach(put);
          walk([overlay], all);
          after.forEach(put);
          const expected = [...model.keys()].sort();
          const walked = () => walk([overlay], all).map(([at]) => at);
          let turns = 0;
          const joined: (Promise<void> | undefined)[] = [];
          const isLong = overlay.isLong;
          await overlay.prepare(async () => {
            turns += 1;
            if (turns === walkAt) expect(walked()).toEqual(expected);
            if (turns === joinAt) joined.push(overlay.prepare(async () => undefined));
          });
          await Promise.all(joined);
          expect(turns > 1).toBe(isLong);
          expect(overlay.isLong).toBe(false);
          expect(overlay.prepare(async () => undefined)).toBe(undefined);
          expect(walked()).toEqual(expected);
        },
      ),
    );
  });

  test('all changes of several layers -> each key once, as the newest layer says', () => {
    const layers = [new Overlay(), new Overlay(), new Overlay()];
    layers[2]?.set('a', value(1));
    layers[2]?.set('b', value(1));
    layers[1]?.set('a', undefined);
    layers[1]?.set('c', value(2));
    layers[0]?.set('c', value(3));
    const found = [...changesOf(layers)].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(found).toEqual([
      ['a', undefined],
      ['b', value(1)],
      ['c', value(3)],
    ]);
  });

  test('bytes -> those of the keys and of the newest values', () => {
    const overlay = new Overlay();
    overlay.set('abc', new Uint8Array(10));
    expect(overlay.bytes).toBe(13);
    overlay.set('abc', new Uint8Array(4));
    expect(overlay.bytes).toBe(7);
    overlay.set('abc', undefined);
    overlay.set('abc', undefined);
    overlay.set('d', undefined);
    expect([overlay.bytes, overlay.size]).toEqual([4, 2]);
    overlay.set('abc', new Uint8Array(1));
    expect(overlay.bytes).toBe(5);
  });
});
