// Deadlines against a list that is searched from end to end.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deadlines } from '../../src/node/deadlines.js';

describe('deadlines', () => {
  test('an item: not before its deadline, and at the first sweep one bucket later', () => {
    const deadlines = new Deadlines<string>(100, 0);
    deadlines.add('a', 250);
    expect(deadlines.sweep(249)).toEqual([]);
    expect(deadlines.sweep(299.9)).toEqual([]);
    expect(deadlines.sweep(300)).toEqual(['a']);
    expect(deadlines.sweep(10_000)).toEqual([]);
  });

  test('a deadline on the edge of a bucket: met at that very time', () => {
    const deadlines = new Deadlines<string>(100, 0);
    deadlines.add('a', 200);
    expect(deadlines.sweep(199)).toEqual([]);
    expect(deadlines.sweep(200)).toEqual(['a']);
  });

  test('a deadline that has passed already: the next bucket, never lost', () => {
    const deadlines = new Deadlines<string>(100, 1_000);
    deadlines.add('a', 10);
    expect(deadlines.sweep(1_099)).toEqual([]);
    expect(deadlines.sweep(1_100)).toEqual(['a']);
  });

  test('removed: never swept; removing twice, or after a sweep, does nothing', () => {
    const deadlines = new Deadlines<string>(100, 0);
    const bucket = deadlines.add('a', 50);
    deadlines.add('b', 50);
    deadlines.remove('a', bucket);
    deadlines.remove('a', bucket);
    expect(deadlines.sweep(1_000)).toEqual(['b']);
    deadlines.remove('b', bucket);
    expect(deadlines.sweep(2_000)).toEqual([]);
  });

  test('a sweep after a long stall: everything that is over, in order of deadline', () => {
    const deadlines = new Deadlines<number>(10, 0);
    for (const at of [700, 30, 5_000, 31, 120]) deadlines.add(at, at);
    expect(deadlines.sweep(1_000)).toEqual([30, 31, 120, 700]);
    expect(deadlines.sweep(9_000)).toEqual([5_000]);
  });

  test('many far deadlines that were met early: no bucket of them stays', () => {
    const deadlines = new Deadlines<number>(100, 0);
    for (let at = 0; at < 1_000; at += 1) deadlines.remove(at, deadlines.add(at, at * 1_000));
    expect(deadlines.bucketCount).toBe(0);
  });

  test('against a list that is searched through: any order of calls', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), inMs: fc.integer({ min: -50, max: 900 }) }),
      fc.record({ kind: fc.constant('remove' as const), nth: fc.nat(30) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 400 }) }),
    );
    const width = fc.constantFrom(1, 8, 100, 0.5);
    const start = fc.constantFrom(0, 3.25, 12_345.5);
    fc.assert(
      fc.property(width, start, fc.array(step, { maxLength: 60 }), (bucketMs, startMs, steps) => {
        const deadlines = new Deadlines<number>(bucketMs, startMs);
        const model = new Model(bucketMs, startMs);
        const buckets = new Map<number, number>();
        let nowMs = startMs;
        for (const action of steps) {
          if (action.kind === 'add') {
            const item = model.add(nowMs + action.inMs);
            buckets.set(item, deadlines.add(item, nowMs + action.inMs));
          } else if (action.kind === 'remove') {
            const item = model.remove(action.nth);
            if (item !== undefined) deadlines.remove(item, buckets.get(item) as number);
          } else {
            nowMs += action.ms;
            expect(new Set(deadlines.sweep(nowMs))).toEqual(new Set(model.sweep(nowMs)));
          }
        }
      }),
    );
  });
});

/** Items with the time at which they are due: the end of the bucket that their deadline is in. */
class Model {
  readonly #bucketMs: number;
  #items: { readonly item: number; readonly deadlineMs: number; readonly dueMs: number }[] = [];
  #sweptMs: number;
  #count = 0;

  constructor(bucketMs: number, nowMs: number) {
    this.#bucketMs = bucketMs;
    this.#sweptMs = nowMs;
  }

  add(deadlineMs: number): number {
    let dueMs = 0;
    while (dueMs < deadlineMs || dueMs <= this.#sweptMs) dueMs += this.#bucketMs;
    this.#count += 1;
    this.#items.push({ item: this.#count, deadlineMs, dueMs });
    return this.#count;
  }

  remove(nth: number): number | undefined {
    return this.#items.splice(nth, 1)[0]?.item;
  }

  sweep(nowMs: number): number[] {
    this.#sweptMs = nowMs;
    const over = this.#items.filter(({ dueMs }) => dueMs <= nowMs);
    this.#items = this.#items.filter(({ dueMs }) => dueMs > nowMs);
    for (const { deadlineMs } of over) expect(deadlineMs).toBeLessThanOrEqual(nowMs);
    return over.map(({ item }) => item);
  }
}
