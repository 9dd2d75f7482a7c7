// Goal: what passes the scan is exactly what the coder writes for flat arrays of scalars, so that
// nothing else ever reaches the library.
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { isFlatArray } from '../../src/codec/flat-scan.js';
import { packTransient, type Scalar } from '../../src/codec/packr.js';
import { hostileStructures, mutated, randomBytes } from './hostile-bytes.js';

const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.nat(70_000).map((size) => new Uint8Array(size)),
);
const encodings = fc
  .array(scalar, { maxLength: 20 })
  .map((values) => new Uint8Array(packTransient(values, 1, 0)));

describe('flat scan', () => {
  test('any flat array of scalars -> passes; with a byte more or less -> refused', () => {
    fc.assert(
      fc.property(encodings, (bytes) => {
        expect(isFlatArray(bytes, 1, 20)).toBe(true);
        expect(isFlatArray(Uint8Array.from([...bytes, 0]), 1, 20)).toBe(false);
        expect(isFlatArray(bytes.subarray(0, -1), 1, 20)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    [15, 14],
    [16, 15],
    [70_000, 69_999],
  ])('%i elements where %i are allowed -> refused', (count, allowed) => {
    const bytes = packTransient(new Array<number>(count).fill(0), 1, 0);
    expect(isFlatArray(bytes, 1, allowed)).toBe(false);
    expect(isFlatArray(bytes, 1, count)).toBe(true);
  });

  test.each(Object.keys(hostileStructures))('%s -> refused, whatever is allowed', (name) => {
    const isLarge = name === 'a million elements, all there';
    expect(isFlatArray(hostileStructures[name]!, 1, isLarge ? 999_999 : 2 ** 32)).toBe(false);
  });

  test('any bytes that pass -> the library reads a flat array of scalars from them', () => {
    const reader = new Packr({ useRecords: false, int64AsType: 'bigint' });
    fc.assert(
      fc.property(fc.oneof(randomBytes, mutated(encodings)), (bytes) => {
        if (!isFlatArray(bytes, 1, 1000)) return;
        const values = reader.unpack(bytes.slice(1)) as unknown[];
        const kinds = values.map((value) => (value instanceof Uint8Array ? 'bytes' : typeof value));
        for (const [at, kind] of kinds.entries()) {
          expect(['bytes', 'number', 'bigint', 'boolean', 'object']).toContain(kind);
          if (kind === 'object') expect(values[at]).toBeNull();
        }
      }),
      { numRuns: 1000 },
    );
  });
});
