import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CrcSet } from '../../src/mvcc/crc-set.js';

test('any numbers, added in any order -> as a Set has them', () => {
  // Few values, so that they meet; neighbours and the ends of the range, so that slots do.
  const crc = fc.oneof(
    fc.nat({ max: 40 }),
    fc.nat({ max: 40 }).map((below) => 2 ** 32 - 1 - below),
    fc.nat({ max: 2 ** 32 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(crc, { maxLength: 300 }), fc.array(crc), (added, others) => {
      const [set, twin] = [new CrcSet(4), new Set<number>()];
      for (const each of added) {
        set.add(each);
        twin.add(each);
        expect(set.size).toBe(twin.size);
      }
      for (const each of [...added, ...others]) expect(set.has(each)).toBe(twin.has(each));
    }),
  );
});

test('more than a Set holds -> all of them', () => {
  const set = new CrcSet();
  const count = 2 ** 24 + 1_000;
  // Odd, so that no two are the same.
  for (let n = 0; n < count; n += 1) set.add(Math.imul(n, 0x9e3779b1) >>> 0);
  expect(set.size).toBe(count);
  expect(set.has(Math.imul(count - 1, 0x9e3779b1) >>> 0)).toBe(true);
  expect(set.has(Math.imul(count, 0x9e3779b1) >>> 0)).toBe(false);
});
