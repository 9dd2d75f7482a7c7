// Questions about leases: there and back, and nothing else is taken.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeLeaseAnswer,
  encodeLeaseAnswer,
  encodeLeaseQuestion,
} from '../../src/codec/lease-question-codec.js';
import { packKept, type Scalar } from '../../src/codec/packr.js';
import { decodeStoreQuestion, encodeStateReport } from '../../src/codec/store-question-codec.js';
import { expectDecodedOrRefused, randomBytes } from './hostile-bytes.js';

const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const name = fc.record({ id, generation: fc.maxSafeNat() });
const names = fc.array(name, { maxLength: 1_000 });

describe('lease questions', () => {
  test('any question and any answer: there and back', () => {
    fc.assert(
      fc.property(names, name, fc.array(fc.maxSafeNat()), (leases, one, numbers) => {
        const keepAlive = { kind: 'keep-alive', leases } as const;
        expect(decodeStoreQuestion(encodeLeaseQuestion(keepAlive))).toEqual(keepAlive);
        const time = { kind: 'time-to-live', ...one } as const;
        expect(decodeStoreQuestion(encodeLeaseQuestion(time))).toEqual(time);
        expect(decodeLeaseAnswer(encodeLeaseAnswer(numbers))).toEqual(numbers);
      }),
    );
  });

  test('as many leases as fit a message; more are refused', () => {
    const of = (length: number) => {
      const leases = Array.from({ length }, (_, nth) => ({ id: BigInt(nth), generation: 1 }));
      return encodeLeaseQuestion({ kind: 'keep-alive', leases });
    };
    expect(decodeStoreQuestion(of(1_000))).toMatchObject({ kind: 'keep-alive' });
    expect(() => decodeStoreQuestion(of(1_001))).toThrow();
  });

  const refused: Readonly<Record<string, Scalar[]>> = {
    'no kind': [],
    'an unknown kind': [3, 1n],
    'hashes of nobody': [2, 0],
    'a hash without digits': [2, 1, 1_024],
    'a hash of 31 digits': [2, 1, 1_024, new Uint8Array(31).fill(48)],
    'a hash with a letter': [2, 1, 1_024, new Uint8Array(32).fill(0x67)],
    'hashes at one index': [2, 1, 5, new Uint8Array(32).fill(48), 5, new Uint8Array(32).fill(48)],
    'a lease without generation': [0, 1n],
    'a number as id': [0, 1, 1],
    'a negative generation': [0, 1n, -1],
    'a time to live of none': [1],
    'a time to live without generation': [1, 1n],
    'a time to live of two': [1, 1n, 1, 2n, 1],
  };
  test.each(Object.keys(refused))('%s -> FRAME_INVALID', (what) => {
    expect(() => decodeStoreQuestion(packKept(refused[what]!, 1))).toThrow(
      expect.objectContaining({ code: 'FRAME_INVALID' }),
    );
  });

  test('hashes of a member: there and back', () => {
    const hash = fc
      .array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 })
      .map((digits) => digits.map((digit) => digit.toString(16)).join(''));
    const index = fc.integer({ min: 1 });
    const hashes = fc.uniqueArray(fc.record({ index, hash }), { selector: (each) => each.index });
    fc.assert(
      fc.property(fc.integer({ min: 1 }), hashes, (member, unsorted) => {
        const ascending = unsorted.toSorted((a, b) => a.index - b.index);
        const report = { kind: 'state-hashes', member, hashes: ascending } as const;
        expect(decodeStoreQuestion(encodeStateReport(report))).toEqual(report);
      }),
    );
  });

  test('random bytes -> decoded or refused', () => {
    fc.assert(
      fc.property(randomBytes, (bytes) => {
        expectDecodedOrRefused(() => decodeStoreQuestion(bytes));
        expectDecodedOrRefused(() => decodeLeaseAnswer(bytes));
      }),
    );
  });
});
