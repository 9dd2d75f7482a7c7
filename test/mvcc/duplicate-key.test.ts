// The sweep against comparing every two operations, and what a request's worth of them costs.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duplicateKey } from '../../src/mvcc/duplicate-key.js';
import type { Operation } from '../../src/mvcc/index.js';
import { txns } from './command-arbitraries.js';

const value = new Uint8Array(0);
const put = (key: string): Operation => ({ op: 'put', key, value });
const remove = (gte: string, lt?: string): Operation => ({ op: 'delete', keys: { gte, lt } });
const txn = (success: Operation[], failure: Operation[] = []): Operation => {
  return { op: 'txn', compares: [], success, failure };
};

function writes(operation: Operation): Operation[] {
  if (operation.op === 'range') return [];
  if (operation.op !== 'txn') return [operation];
  return [...operation.success, ...operation.failure].flatMap(writes);
}

function isClash(a: Operation, b: Operation): boolean {
  if (a.op === 'put' && b.op === 'put') return a.key === b.key;
  if (a.op === 'delete' && b.op === 'put') return isClash(b, a);
  if (a.op !== 'put' || b.op !== 'delete') return false;
  return a.key >= b.keys.gte && (b.keys.lt === undefined || a.key < b.keys.lt);
}

function slow(branch: readonly Operation[]): boolean {
  const inner = branch.some((one) => one.op === 'txn' && (slow(one.success) || slow(one.failure)));
  const isWithin = branch.some((one, at) =>
    branch.slice(at + 1).some((other) => {
      return writes(one).some((a) => writes(other).some((b) => isClash(a, b)));
    }),
  );
  return inner || isWithin;
}

describe('duplicateKey', () => {
  test('any branch -> what comparing every two operations says', () => {
    fc.assert(
      fc.property(txns, ({ success }) => {
        expect(duplicateKey(success) !== undefined).toBe(slow(success));
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, Operation[], string | undefined]>([
    ['the branches of one txn share a key', [txn([put('a')], [put('a')])], undefined],
    ['one branch puts what the other deletes', [txn([put('a')], [remove('a')])], undefined],
    ['two txns put a key', [txn([put('a')]), txn([put('a')])], 'a'],
    ['a txn puts, the one after it deletes', [txn([put('a')]), txn([remove('a')])], 'a'],
    ['a txn deletes, the one after it puts', [txn([remove('a')]), txn([put('a')])], 'a'],
    ['a put beside the else of a txn', [put('a'), txn([], [put('a')])], 'a'],
    ['three deep', [put('a'), txn([txn([txn([put('a')])])])], 'a'],
    ['the end of a delete is not in it', [put('b'), remove('a', 'b')], undefined],
    ['its start is', [put('a'), remove('a', 'b')], 'a'],
    ['a delete that selects nothing', [put('b'), remove('c', 'b'), remove('b', 'b')], undefined],
    [
      'overlapping deletes, a put behind both',
      [remove('a', 'c'), remove('b', 'd'), put('d')],
      undefined,
    ],
    [
      'overlapping deletes, a put in the second',
      [remove('a', 'c'), remove('b', 'd'), put('c')],
      'c',
    ],
    ['0xff runs', [put('\xff\xff'), remove('\xff\xff\xff')], undefined],
    ['from a 0xff run on', [put('\xff\xff\xff'), remove('\xff\xff')], '\xff\xff\xff'],
  ])('%s', (_name, branch, key) => {
    expect(duplicateKey(branch)).toBe(key);
  });

  test('forty thousand puts beside as many deletes: looked at once each, not each with each', () => {
    let looks = 0;
    const counted = (key: string) => ({
      op: 'put' as const,
      value,
      get key() {
        looks += 1;
        return key;
      },
    });
    const branch: Operation[] = [];
    for (let nth = 0; nth < 40_000; nth += 1) {
      branch.push(counted(`p${nth}`), remove(`d${nth}`, `d${nth}\0`));
    }
    expect(duplicateKey(branch)).toBeUndefined();
    expect(looks).toBe(40_000);
  });

  test('puts under forty transactions, one in the other -> looked at once each, not once for each of them', () => {
    let looks = 0;
    const puts = Array.from({ length: 100 }, (_, nth) => ({
      op: 'put' as const,
      value,
      get key() {
        looks += 1;
        return `p${nth}`;
      },
    }));
    let branch: Operation[] = puts;
    for (let depth = 0; depth < 40; depth += 1) branch = [put(`d${depth}`), txn(branch)];
    expect(duplicateKey(branch)).toBeUndefined();
    expect(looks).toBe(puts.length);
  });
});
