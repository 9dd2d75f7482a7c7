// Questions about leases: there and back, and nothing else is taken.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeLeaseAnswer,
  decodeLeaseQuestion,
  encodeLeaseAnswer,
  encodeLeaseQuestion,
} from '../../src/codec/lease-question-codec.js';
import { packKept, type Scalar } from '../../src/codec/packr.js';
import { expectDecodedOrRefused, randomBytes } from './hostile-bytes.js';

const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const name = fc.record({ id, generation: fc.maxSafeNat() });
const names = fc.array(name, { maxLength: 1_000 });

describe('lease questions', () => {
  test('any question and any answer: there and back', () => {
    fc.assert(
      fc.property(names, id, fc.array(fc.maxSafeNat()), (leases, one, numbers) => {
        const keepAlive = { kind: 'keep-alive', leases } as const;
        expect(decodeLeaseQuestion(encodeLeaseQuestion(keepAlive))).toEqual(keepAlive);
        const time = { kind: 'time-to-live', id: one } as const;
        expect(decodeLeaseQuestion(encodeLeaseQuestion(time))).toEqual(time);
        expect(decodeLeaseAnswer(encodeLeaseAnswer(numbers))).toEqual(numbers);
      }),
    );
  });

  test('as many leases as fit a message; more are refused', () => {
    const of = (length: number) => {
      const leases = Array.from({ length }, (_, nth) => ({ id: BigInt(nth), generation: 1 }));
      return encodeLeaseQuestion({ kind: 'keep-alive', leases });
    };
    expect(decodeLeaseQuestion(of(1_000))).toMatchObject({ kind: 'keep-alive' });
    expect(() => decodeLeaseQuestion(of(1_001))).toThrow();
  });

  const refused: Readonly<Record<string, Scalar[]>> = {
    'no kind': [],
    'an unknown kind': [2, 1n],
    'a lease without generation': [0, 1n],
    'a number as id': [0, 1, 1],
    'a negative generation': [0, 1n, -1],
    'a time to live of none': [1],
    'a time to live of two': [1, 1n, 2n],
  };
  test.each(Object.keys(refused))('%s -> FRAME_INVALID', (what) => {
    expect(() => decodeLeaseQuestion(packKept(refused[what]!, 1))).toThrow(
      expect.objectContaining({ code: 'FRAME_INVALID' }),
    );
  });

  test('random bytes -> decoded or refused', () => {
    fc.assert(
      fc.property(randomBytes, (bytes) => {
        expectDecodedOrRefused(() => decodeLeaseQuestion(bytes));
        expectDecodedOrRefused(() => decodeLeaseAnswer(bytes));
      }),
    );
  });
});
