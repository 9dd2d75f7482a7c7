// Goal: the integers of stored bytes, the same as a DataView writes and reads them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  getInt64,
  getUint32,
  getUint53,
  setInt64,
  setUint32,
  setUint53,
} from '../../src/base/integers.js';

const at = 3;
const fresh = () => new Uint8Array(at + 8);
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer);

describe('integers', () => {
  test('32 bits, unsigned', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (value) => {
        const bytes = fresh();
        setUint32(bytes, at, value);
        expect(viewOf(bytes).getUint32(at)).toBe(value);
        expect(getUint32(bytes, at)).toBe(value);
      }),
    );
  });

  test('every safe integer from 0', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = fresh();
        setUint53(bytes, at, value);
        expect(viewOf(bytes).getBigUint64(at)).toBe(BigInt(value));
        expect(getUint53(bytes, at)).toBe(value);
      }),
    );
  });

  test('more than 53 bits -> never read as a safe integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }), (value) => {
        const bytes = fresh();
        viewOf(bytes).setBigUint64(at, value);
        expect(Number.isSafeInteger(getUint53(bytes, at))).toBe(false);
      }),
    );
  });

  test('64 bits, signed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = fresh();
        setInt64(bytes, at, value);
        expect(viewOf(bytes).getBigInt64(at)).toBe(value);
        expect(getInt64(bytes, at)).toBe(value);
      }),
    );
  });
});
