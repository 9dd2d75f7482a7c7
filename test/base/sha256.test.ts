import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../src/base/bytes.js';
import { Sha256, sha256 } from '../../src/base/sha256.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const reference = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('sha256', () => {
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('FIPS 180 example %j -> the published digest', (text, digest) => {
    expect(hex(sha256(utf8Bytes(text)))).toBe(digest);
  });

  test('every length over two blocks -> what node:crypto gives', () => {
    for (let length = 0; length <= 200; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      expect(hex(sha256(bytes)), `length ${length}`).toBe(reference(bytes));
    }
  });

  test('any bytes -> what node:crypto gives; the input is not changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
        const copy = bytes.slice();
        expect(hex(sha256(bytes))).toBe(reference(copy));
        expect(bytes).toEqual(copy);
      }),
      { numRuns: 100 },
    );
  });

  test('the same bytes in pieces of any lengths -> the same digest', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 }), (pieces) => {
        const hash = new Sha256();
        for (const piece of pieces) hash.update(piece);
        expect(hex(hash.digest())).toBe(reference(Buffer.concat(pieces)));
      }),
      { numRuns: 300 },
    );
  });

  test('a view into a larger buffer -> only its own bytes count', () => {
    const whole = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(hex(sha256(whole.subarray(10, 77)))).toBe(reference(whole.slice(10, 77)));
  });
});
