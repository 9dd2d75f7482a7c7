import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { captureRange, changesOf, Overlay } from '../../src/storage/overlay.js';

const value = (n: number): Uint8Array => Uint8Array.of(n);

describe('overlay', () => {
  test('two layers, reads between sets -> as a naive merge, no more than the limit needs', () => {
    const key = fc.nat({ max: 60 }).map((n) => `k${String(n).padStart(2, '0')}`);
    const set = fc.tuple(key, fc.option(fc.nat({ max: 255 }), { nil: undefined }));
    const range = fc.record(
      { gte: key, lt: key, limit: fc.nat({ max: 9 }), reverse: fc.boolean() },
      { requiredKeys: ['gte', 'lt'] },
    );
    const step = fc.oneof(fc.record({ newer: fc.boolean(), set }), fc.record({ range }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const layers = [new Overlay(), new Overlay()];
        const models = [new Map<string, number | null>(), new Map<string, number | null>()];
        for (const one of steps) {
          if ('set' in one) {
            const [at, put] = one.set;
            const which = one.newer ? 0 : 1;
            layers[which]!.set(at, put === undefined ? undefined : value(put));
            models[which]!.set(at, put ?? null);
            continue;
          }
          const { gte, lt, limit = 1_000, reverse } = one.range;
          const all = [...new Map([...models[1]!, ...models[0]!])];
          const inside = all.filter(([at]) => at >= gte && at < lt);
          inside.sort(([a], [b]) => (a < b !== (reverse ?? false) ? -1 : 1));
          const expected: [string, number | null][] = [];
          for (const change of inside) {
            if (expected.filter(([, put]) => put !== null).length >= limit) break;
            expected.push(change);
          }
          const found = captureRange(layers, one.range);
          expect(found.changes.map(([at, put]) => [at, put?.[0] ?? null])).toEqual(expected);
          expect(found.deletions).toBe(expected.filter(([, put]) => put === null).length);
        }
      }),
      { numRuns: 200 },
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
