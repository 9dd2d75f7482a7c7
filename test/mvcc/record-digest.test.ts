// The digest against a slow twin in arbitrary precision, and the sums against adding up again.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.js';
import { digestBytes, digestKeyed, digestText } from '../../src/mvcc/record-digest.js';
import { HashSums, hashLanes, hashSumsBytes, laneOf } from '../../src/mvcc/state-hash.js';

function digest(bytes: Uint8Array): string {
  const out = new Int32Array(4);
  digestBytes(bytes, out);
  return digestText(out);
}

const mask = 0xffff_ffffn;
const rotate = (word: bigint, by: bigint) => ((word << by) | (word >> (32n - by))) & mask;

/** The published algorithm, word by word, with the last block filled up. */
function slowDigest(bytes: Uint8Array): string {
  const c = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n];
  const turns = [15n, 16n, 17n, 18n];
  const hashTurns = [19n, 17n, 15n, 13n];
  const adds = [0x561ccd1bn, 0x0bcaa747n, 0x96cd1c35n, 0x32ac3b17n];
  let h = [0n, 0n, 0n, 0n];
  const padded = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 16) {
    for (let n = 0; n < 4; n += 1) {
      let k = (BigInt(view.getUint32(at + 4 * n, true)) * c[n]!) & mask;
      k = (rotate(k, turns[n]!) * c[(n + 1) % 4]!) & mask;
      const mixed = rotate(h[n]! ^ k, hashTurns[n]!) + h[(n + 1) % 4]!;
      h[n] = ((mixed & mask) * 5n + adds[n]!) & mask;
    }
  }
  h = h.map((word) => word ^ BigInt(bytes.length));
  const spread = () => {
    h[0] = (h[0]! + h[1]! + h[2]! + h[3]!) & mask;
    for (const n of [1, 2, 3]) h[n] = (h[n]! + h[0]!) & mask;
  };
  spread();
  h = h.map((word) => {
    let mixed = ((word ^ (word >> 16n)) * 0x85ebca6bn) & mask;
    mixed = ((mixed ^ (mixed >> 13n)) * 0xc2b2ae35n) & mask;
    return mixed ^ (mixed >> 16n);
  });
  spread();
  return h.map((word) => word.toString(16).padStart(8, '0')).join('');
}

describe('digest', () => {
  test('any bytes -> the digest of the slow twin', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(digest(bytes)).toBe(slowDigest(bytes));
      }),
      { numRuns: 300 },
    );
  });

  test('it does not change between releases: the bytes 0 to 255, and none', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, unit) => unit);
    expect(digest(bytes)).toMatchInlineSnapshot(`"2c56c88fdb4503dfd352b21a494ca2c0"`);
    expect(digest(new Uint8Array(0))).toBe('0'.repeat(32));
  });

  test('zeros at the end, and every single bit, count', () => {
    const seen = new Set<string>();
    for (let length = 0; length <= 40; length += 1) {
      seen.add(digest(new Uint8Array(length)));
      for (let bit = 0; bit < 8 * length; bit += 1) {
        const bytes = new Uint8Array(length);
        bytes[bit >> 3] = 1 << (bit & 7);
        seen.add(digest(bytes));
      }
    }
    expect(seen.size).toBe(41 + 8 * 820);
  });

  test('a part of a larger array, or a Buffer -> the same', () => {
    const bytes = Uint8Array.from({ length: 37 }, (_, nth) => nth);
    const larger = new Uint8Array(100);
    larger.set(bytes, 13);
    expect(digest(larger.subarray(13, 50))).toBe(digest(bytes));
    expect(digest(Buffer.from(bytes))).toBe(digest(bytes));
  });

  test('keyed: that of the bytes with those of the key behind them, whatever their sizes', () => {
    const sizes = fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 990, max: 1_100 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(sizes, sizes), { minLength: 1 }), (records) => {
        for (const [valueSize, keySize] of records) {
          const bytes = new Uint8Array(valueSize).fill(valueSize);
          const key = String.fromCharCode(200 + (keySize % 50)).repeat(keySize);
          const out = new Int32Array(4);
          digestKeyed(key, bytes, out);
          const keyBytes = new Uint8Array(keySize).fill(key.charCodeAt(0));
          expect(digestText(out)).toBe(digest(concatBytes([bytes, keyBytes])));
        }
      }),
    );
  });

  test('keyed: the same bytes under two keys differ', () => {
    const of = (key: string) => {
      const out = new Int32Array(4);
      digestKeyed(key, Uint8Array.of(1), out);
      return digestText(out);
    };
    expect(of('ka')).not.toBe(of('kb'));
  });
});

describe('sums', () => {
  const record = fc.tuple(fc.constantFrom('ca', 'hb', 'kc', 'ld', 'se'), fc.uint8Array());

  test('any order -> the same sums; added and taken off -> none', () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const forth = new HashSums();
        for (const each of records) forth.addRecord(...each);
        const back = new HashSums();
        for (const each of records.toReversed()) back.addRecord(...each);
        for (const lane of hashLanes) expect(back.text(lane)).toBe(forth.text(lane));
        for (const [key, bytes] of records) {
          if (!key.startsWith('k')) forth.subtract(laneOf(key)!, bytes);
        }
        for (const lane of ['keys', 'leases', 'sessions'] as const) {
          expect(forth.text(lane)).toBe('0'.repeat(32));
        }
      }),
    );
  });

  test('written and read -> the same; taken over -> emptied', () => {
    const sums = new HashSums();
    sums.add('keys', Uint8Array.of(1, 2, 3));
    sums.add('history', Uint8Array.of(1, 2, 3));
    const bytes = new Uint8Array(hashSumsBytes + 3);
    sums.write(bytes, 3);
    const read = HashSums.read(bytes, 3);
    expect(read.text('keys')).toBe(sums.text('keys'));
    expect(read.text('history')).toBe(sums.text('keys'));
    const whole = new HashSums();
    whole.takeOver(sums);
    whole.takeOver(sums);
    expect(whole.text('keys')).toBe(read.text('keys'));
    expect(sums.text('keys')).toBe('0'.repeat(32));
  });

  test('records that are no member’s state: left out', () => {
    for (const key of ['m', 'p', 'b', 'f1']) expect(laneOf(key)).toBeUndefined();
  });
});
