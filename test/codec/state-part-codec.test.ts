// A state as a stream: what goes in comes out, wherever it is cut, and nothing else is taken.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { concatBytes } from '../../src/base/bytes.js';
import { isKontikiError } from '../../src/base/errors.js';
import {
  encodeStatePart,
  type StatePart,
  StatePartReader,
} from '../../src/codec/state-part-codec.js';

const key = fc.uint8Array({ maxLength: 12 }).map((bytes) => String.fromCharCode(...bytes));
const bytes = fc.uint8Array({ maxLength: 40 });
const part: fc.Arbitrary<StatePart> = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const), appliedIndex: fc.maxSafeNat() }),
  fc.record({
    kind: fc.constant('records' as const),
    records: fc.array(fc.tuple(key, bytes), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('end' as const), count: fc.maxSafeNat() }),
);

function read(chunks: readonly Uint8Array[]): { parts: StatePart[]; isEmpty: boolean } {
  const reader = new StatePartReader();
  const parts: StatePart[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next()) parts.push(next);
  }
  return { parts, isEmpty: reader.isEmpty };
}

const plain = (parts: readonly StatePart[]) =>
  parts.map((each) =>
    each.kind === 'records'
      ? { kind: each.kind, records: each.records.map(([k, v]) => [k, [...v]]) }
      : each,
  );

describe('state parts', () => {
  test('any parts, cut anywhere -> the same parts', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (parts, cuts) => {
          const stream = concatBytes(parts.map((each) => encodeStatePart(each).slice()));
          const places = cuts.map((at) => at % (stream.length + 1)).sort((a, b) => a - b);
          const edges = [0, ...places, stream.length];
          const chunks = edges.slice(1).map((end, nth) => stream.slice(edges[nth], end));
          const { parts: found, isEmpty } = read(chunks);
          expect(plain(found)).toEqual(plain(parts));
          expect(isEmpty).toBe(true);
        },
      ),
    );
  });

  test('a stream that ends inside a part -> something is left', () => {
    const stream = encodeStatePart({ kind: 'end', count: 3 }).slice();
    expect(read([stream.subarray(0, stream.length - 1)])).toEqual({ parts: [], isEmpty: false });
  });

  test('a large part in pieces of one byte -> each byte is copied a few times', () => {
    const records: StatePart = { kind: 'records', records: [['c', new Uint8Array(10_000)]] };
    const stream = concatBytes([records, records].map((each) => encodeStatePart(each).slice()));
    const copies = vi.spyOn(Uint8Array.prototype, 'set');
    const { parts } = read(Array.from(stream, (byte) => Uint8Array.of(byte)));
    const copied = copies.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
    copies.mockRestore();
    expect(plain(parts)).toEqual(plain([records, records]));
    expect(copied).toBeLessThan(4 * stream.length);
  });

  test('parts of a stream in pieces -> what was given of one stays as it was', () => {
    const record = (nth: number): StatePart => {
      return { kind: 'records', records: [[`c${nth}`, new Uint8Array(50).fill(nth)]] };
    };
    const given = [1, 2, 3, 4].map(record);
    const stream = concatBytes(given.map((each) => encodeStatePart(each).slice()));
    const pieces = Array.from({ length: Math.ceil(stream.length / 7) }, (_, nth) =>
      stream.slice(7 * nth, 7 * nth + 7),
    );
    expect(plain(read(pieces).parts)).toEqual(plain(given));
  });

  test.each([
    ['a length beyond every part', [0xff, 0xff, 0xff, 0xff], 'FRAME_INVALID'],
    ['another version', [2, 0, 0, 0, 9, 0x90], 'FORMAT_UNSUPPORTED'],
    ['no array', [2, 0, 0, 0, 1, 0xc1], 'FRAME_INVALID'],
    ['an unknown kind', [3, 0, 0, 0, 1, 0x91, 7], 'FRAME_INVALID'],
    ['a key without its bytes', [5, 0, 0, 0, 1, 0x92, 1, 0xc4, 0], 'FRAME_INVALID'],
    ['an end with more behind it', [4, 0, 0, 0, 1, 0x93, 2, 0, 0], 'FRAME_INVALID'],
  ] as const)('%s -> refused', (_, raw, code) => {
    let error: unknown;
    try {
      read([Uint8Array.from(raw)]);
    } catch (thrown) {
      error = thrown;
    }
    expect(isKontikiError(error) && error.code).toBe(code);
  });

  test('any bytes -> parts or a refusal, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (raw) => {
        try {
          read([raw]);
        } catch (error) {
          const isRefused =
            isKontikiError(error, 'FRAME_INVALID') || isKontikiError(error, 'FORMAT_UNSUPPORTED');
          expect(isRefused).toBe(true);
        }
      }),
    );
  });
});
