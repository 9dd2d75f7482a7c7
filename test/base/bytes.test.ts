import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  binaryBytes,
  binaryString,
  compareBytes,
  concatBytes,
  equalBytes,
  prefixEnd,
  utf8Bytes,
  utf8Text,
} from '../../src/base/bytes.js';

const bytesOf = fc.uint8Array({ maxLength: 40 });
/** Bytes that often share a prefix and often hold the extremes. */
const edgy = fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), { maxLength: 5 });
const sign = (order: number) => Math.sign(order);
const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

describe('binary strings', () => {
  test('bytes -> string -> the same bytes, one unit each', () => {
    fc.assert(
      fc.property(bytesOf, (bytes) => {
        const text = binaryString(bytes);
        expect(text).toHaveLength(bytes.length);
        expect(binaryBytes(text)).toEqual(bytes);
      }),
    );
  });

  test('larger than one chunk -> still every byte', () => {
    for (const length of [8_191, 8_192, 8_193, 20_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
      expect(equalBytes(binaryBytes(binaryString(bytes)), bytes)).toBe(true);
    }
  });

  test('text -> the string of its UTF-8 bytes, ASCII as it is', () => {
    expect(binaryString('abc')).toBe('abc');
    expect(binaryString('é')).toBe('\u00c3\u00a9');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(binaryBytes(binaryString(text))).toEqual(utf8Bytes(text));
        expect(utf8Text(utf8Bytes(text))).toBe(text);
      }),
    );
  });

  test('order of strings -> order of bytes', () => {
    fc.assert(
      fc.property(edgy, edgy, (a, b) => {
        const left = Uint8Array.from(a);
        const right = Uint8Array.from(b);
        expect(order(binaryString(left), binaryString(right))).toBe(
          sign(Buffer.compare(left, right)),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('a leading byte order mark -> kept', () => {
    expect(utf8Text(utf8Bytes('\ufeffa'))).toBe('\ufeffa');
  });

  test('malformed UTF-8 -> replaced, not thrown', () => {
    expect(utf8Text(Uint8Array.of(0x61, 0xff))).toBe('a\ufffd');
  });
});

describe('prefixEnd', () => {
  test.each([
    ['a', 'b'],
    ['ab', 'ac'],
    ['a\u00ff', 'b'],
    ['a\u00ff\u00ff', 'b'],
    ['\u0000', '\u0001'],
    ['a\u0000', 'a\u0001'],
    ['\u00ff', undefined],
    ['\u00ff\u00ff', undefined],
    ['', undefined],
  ])('%j -> %j', (prefix, end) => {
    expect(prefixEnd(prefix)).toBe(end);
  });

  test('any prefix and string -> below the end and not below the prefix, iff it starts with it', () => {
    fc.assert(
      fc.property(edgy, edgy, edgy, (a, b, c) => {
        const prefix = binaryString(Uint8Array.from(a));
        const end = prefixEnd(prefix);
        for (const text of [Uint8Array.from(b), Uint8Array.from([...a, ...c])].map(binaryString)) {
          const inside = text >= prefix && (end === undefined || text < end);
          expect(inside).toBe(text.startsWith(prefix));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('byte arrays', () => {
  test('compareBytes, equalBytes -> what Buffer says', () => {
    fc.assert(
      fc.property(edgy, edgy, (a, b) => {
        const left = Uint8Array.from(a);
        const right = Uint8Array.from(b);
        expect(sign(compareBytes(left, right))).toBe(sign(Buffer.compare(left, right)));
        expect(equalBytes(left, right)).toBe(Buffer.compare(left, right) === 0);
        expect(equalBytes(left, left.slice())).toBe(true);
      }),
    );
  });

  test('concatBytes -> all parts in order, in memory of its own', () => {
    fc.assert(
      fc.property(fc.array(bytesOf, { maxLength: 6 }), (parts) => {
        const joined = concatBytes(parts);
        expect([...joined]).toEqual(parts.flatMap((part) => [...part]));
        joined.fill(7);
        expect(concatBytes(parts)).not.toBe(joined);
      }),
    );
    const part = Uint8Array.of(1);
    concatBytes([part])[0] = 2;
    expect(part[0]).toBe(1);
  });
});
