import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../src/base/bytes.js';
import { crc32 } from '../../src/base/crc32.js';

// In zlib since Node 20.15, in its typings later.
const { crc32: reference } = zlib as unknown as {
  readonly crc32: (bytes: Uint8Array, seed?: number) => number;
};

describe('crc32', () => {
  test('the check value of the standard -> 0xcbf43926', () => {
    expect(crc32(utf8Bytes('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  test('any bytes and seed -> an unsigned number, the one zlib gives', () => {
    const seeds = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), seeds, (bytes, seed) => {
        expect(crc32(bytes)).toBe(reference(bytes));
        expect(crc32(bytes, seed)).toBe(reference(bytes, seed));
        expect(crc32(bytes)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  test('in parts, each seeded with the checksum so far -> that of the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (parts) => {
        const chained = parts.reduce((seed, part) => crc32(part, seed), 0);
        expect(chained).toBe(reference(Buffer.concat(parts)));
      }),
    );
  });

  test('a view at any offset -> its own bytes alone', () => {
    const whole = Uint8Array.from({ length: 64 }, (_, i) => i * 5);
    for (let from = 0; from < 9; from += 1) {
      expect(crc32(whole.subarray(from, 50))).toBe(reference(whole.slice(from, 50)));
    }
  });

  test('from an offset -> the checksum of what follows', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => i * 11);
    for (let from = 0; from <= 40; from += 1) {
      expect(crc32(bytes, 77, from)).toBe(reference(bytes.slice(from), 77));
    }
  });

  test('one flipped bit -> another checksum', () => {
    const bytes = Uint8Array.from({ length: 33 }, (_, i) => i);
    const sum = crc32(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32(damaged)).not.toBe(sum);
    }
  });
});
