import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Inflights } from '../../src/raft/inflights.js';

function filled(countMax: number, bytesMax: number): { inflights: Inflights; count: number } {
  const inflights = new Inflights(countMax, bytesMax);
  let count = 0;
  while (!inflights.full) {
    inflights.add(count, 100 + count);
    count += 1;
  }
  return { inflights, count };
}

describe('inflights', () => {
  test('T-1 messages added -> kept in order with their bytes', () => {
    const inflights = new Inflights(10, Infinity);
    for (let i = 0; i < 10; i += 1) inflights.add(i, 100 + i);
    expect(inflights.indexes()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(inflights.bytes).toBe(1045);
  });

  test('T-2 freed up to an index -> everything up to it is gone, bytes too', () => {
    const { inflights } = filled(10, Infinity);
    const left = (upTo: number) => {
      inflights.freeTo(upTo);
      return [inflights.count, inflights.bytes];
    };
    expect([0, 4, 8].map(left)).toEqual([
      [9, 945],
      [5, 535],
      [1, 109],
    ]);
    for (let i = 10; i < 15; i += 1) inflights.add(i, 100 + i);
    expect([12, 14].map(left)).toEqual([
      [2, 227],
      [0, 0],
    ]);
  });

  test.each([
    { countMax: 1, bytesMax: Infinity, full: 1 },
    { countMax: 1, bytesMax: 10, full: 1 },
    { countMax: 15, bytesMax: Infinity, full: 15 },
    { countMax: 8, bytesMax: 400, full: 4 },
    { countMax: 8, bytesMax: 406, full: 4 },
    { countMax: 15, bytesMax: 408, full: 5 },
  ])('T-3 $countMax messages or $bytesMax bytes -> full after $full', (row) => {
    const { inflights, count } = filled(row.countMax, row.bytesMax);
    expect(count).toBe(row.full);
    expect(() => inflights.add(99, 1)).toThrow(expect.objectContaining({ code: 'ASSERTION' }));
  });

  test('T-4 H25 reset again and again -> bytes do not leak', () => {
    const inflights = new Inflights(10, 1_000);
    for (let round = 0; round < 100; round += 1) {
      inflights.reset();
      for (let i = 0; i < 5; i += 1) inflights.add(i, 16);
      inflights.freeTo(2);
      expect([inflights.count, inflights.bytes, inflights.full]).toEqual([2, 32, false]);
    }
  });

  test('any adds and frees -> same as a plain list', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(6)), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (commands) => {
        const inflights = new Inflights(200, Infinity);
        let plain: [number, number][] = [];
        let next = 1;
        for (const [add, n] of commands) {
          if (add && plain.length < 200) {
            inflights.add(next, n);
            plain.push([next, n]);
            next += 1 + n;
          } else {
            const upTo = (plain[0]?.[0] ?? 0) + n * 3;
            inflights.freeTo(upTo);
            plain = plain.filter(([index]) => index > upTo);
          }
          expect(inflights.count).toBe(plain.length);
        }
        expect(inflights.indexes()).toEqual(plain.map(([index]) => index));
        expect(inflights.bytes).toBe(plain.reduce((sum, [, bytes]) => sum + bytes, 0));
      }),
      { numRuns: 200 },
    );
  });
});
