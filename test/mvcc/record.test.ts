// Stored bytes: what is written is read back, and nothing else is accepted.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/base/crc32.js';
import { decodeMeta, encodeMeta, freshMeta } from '../../src/mvcc/meta.js';
import {
  type ChangeRecord,
  decodeClosed,
  decodeCurrent,
  decodeHistory,
  encodeChange,
  encodeClosed,
} from '../../src/mvcc/record.js';
import { closedKey, currentKey, historyKey } from '../../src/mvcc/record-keys.js';

const binary = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((it) => latin1(it));
const number = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(2 ** 32, 2 ** 53 - 1));
const sub = fc.nat(2 ** 28 - 1);

const change: fc.Arbitrary<ChangeRecord> = fc.record({
  type: fc.constantFrom('put' as const, 'delete' as const),
  sub,
  version: fc.record({
    key: fc.oneof(binary, fc.constantFrom('__proto__', '\0', '\xff\xff')),
    value: fc.uint8Array({ maxLength: 20 }),
    createRevision: number,
    modRevision: number,
    version: number,
    lease: fc.option(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((it) => it !== 0n),
      { nil: undefined },
    ),
  }),
  previous: fc.oneof(
    fc.constant({ revision: 0, sub: 0 }),
    fc.record({ revision: fc.integer({ min: 1, max: 2 ** 50 }), sub }),
  ),
});

const sample: ChangeRecord = {
  type: 'put',
  sub: 3,
  version: {
    key: 'key',
    value: new Uint8Array([1, 2, 3]),
    createRevision: 5,
    modRevision: 6,
    version: 2,
    lease: 9n,
  },
  previous: { revision: 5, sub: 1 },
};
const sampleAt = { history: historyKey({ revision: 6, sub: 3 }), current: currentKey('key') };
const closedAt = closedKey('key', { revision: 6, sub: 3 });

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

const corrupt = expect.objectContaining({ code: 'STATE_CORRUPT' });

describe('change records', () => {
  test('any change: decoded as it was encoded, from history and as current version', () => {
    fc.assert(
      fc.property(change, (it) => {
        const { modRevision: revision, key } = it.version;
        const bytes = encodeChange(it);
        expect(decodeHistory(historyKey({ revision, sub: it.sub }), bytes)).toEqual(it);
        if (it.type === 'put') expect(decodeCurrent(currentKey(key), bytes)).toEqual(it);
        else expect(() => decodeCurrent(currentKey(key), bytes)).toThrow(corrupt);
      }),
    );
  });

  test('a key and a value of all 256 byte values: unchanged', () => {
    const value = Uint8Array.from({ length: 256 }, (_, at) => at);
    const version = { ...sample.version, key: latin1(value), value };
    const bytes = encodeChange({ ...sample, version });
    expect(decodeCurrent(currentKey(version.key), bytes).version).toEqual(version);
  });

  test('the layout is pinned', () => {
    const hex = Buffer.from(encodeChange(sample)).toString('hex');
    expect(hex.slice(8)).toBe(
      [
        ...['01', '03', '00000003', '0000000000000006', '0000000000000005', '0000000000000002'],
        ...['0000000000000005', '00000001', '0000000000000009', '00000003', '6b6579', '010203'],
      ].join(''),
    );
    const typeOf = (change: Partial<ChangeRecord>) => encodeChange({ ...sample, ...change })[5];
    const previous = { revision: 0, sub: 0 };
    expect([typeOf({ previous }), typeOf({ type: 'delete' })]).toEqual([0, 1]);
    expect(Buffer.from(encodeClosed(7)).toString('hex').slice(8)).toBe('010000000000000007');
  });

  test('a record under the key of another one -> STATE_CORRUPT', () => {
    const bytes = encodeChange(sample);
    expect(() => decodeCurrent(currentKey('kez'), bytes)).toThrow(corrupt);
    expect(() => decodeCurrent(currentKey('ke'), bytes)).toThrow(corrupt);
    expect(() => decodeHistory(historyKey({ revision: 6, sub: 2 }), bytes)).toThrow(corrupt);
    expect(() => decodeHistory(historyKey({ revision: 7, sub: 3 }), bytes)).toThrow(corrupt);
  });
});

describe('damage', () => {
  const meta = encodeMeta({ ...freshMeta, revision: 7, compactRevision: 3 });
  const kinds: [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
    ['current', encodeChange(sample), (bytes) => decodeCurrent(sampleAt.current, bytes)],
    ['history', encodeChange(sample), (bytes) => decodeHistory(sampleAt.history, bytes)],
    ['closed', encodeClosed(7), (bytes) => decodeClosed(closedAt, bytes)],
    ['meta', meta, decodeMeta],
  ];

  test.each(kinds)('%s: every flipped bit -> STATE_CORRUPT', (_name, good, decode) => {
    expect(() => decode(good)).not.toThrow();
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decode(bad)).toThrow(corrupt);
    }
  });

  test.each(kinds)('%s: cut or extended anywhere -> STATE_CORRUPT', (_name, good, decode) => {
    for (let size = 0; size < good.length; size += 1) {
      expect(() => decode(good.slice(0, size))).toThrow(corrupt);
    }
    expect(() => decode(new Uint8Array([...good, 0]))).toThrow(corrupt);
  });

  test.each(kinds)('%s: a newer layout -> FORMAT_UNSUPPORTED', (_name, good, decode) => {
    const unsupported = expect.objectContaining({ code: 'FORMAT_UNSUPPORTED' });
    expect(() => decode(resealed(good, { 4: 2 }))).toThrow(unsupported);
  });

  test('meta of a newer semantics level -> FORMAT_UNSUPPORTED', () => {
    const unsupported = expect.objectContaining({ code: 'FORMAT_UNSUPPORTED' });
    expect(() => decodeMeta(resealed(meta, { 5: 2 }))).toThrow(unsupported);
  });
});

const u32 = fc.nat(2 ** 32 - 1);

describe('meta', () => {
  test('any numbers: decoded as they were encoded', () => {
    fc.assert(
      fc.property(number, number, u32, u32, (revision, compactRevision, leaseMs, everMs) => {
        const readLease = { leaseMs, everMs };
        const meta = { revision, compactRevision, semanticsLevel: 1, readLease };
        expect(decodeMeta(encodeMeta(meta))).toEqual(meta);
      }),
    );
  });
});

/** A record with bytes changed on purpose, and a checksum that fits. */
function resealed(good: Uint8Array, changes: Record<number, number>): Uint8Array {
  const bytes = good.slice();
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  new DataView(bytes.buffer).setUint32(0, crc32(bytes.subarray(4)));
  return bytes;
}
