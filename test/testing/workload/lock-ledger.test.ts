// What the ledger of locks takes for a broken promise, and what it does not.
import { beforeEach, describe, expect, test } from 'vitest';
import { LockLedger } from '../../../src/testing/workload/lock-ledger.js';

let found: string[];
let ledger: LockLedger;
const use = (token: number) => ({ token, ttlSeconds: 10 });

beforeEach(() => {
  found = [];
  ledger = new LockLedger((id) => found.push(id));
});

describe('lock ledger', () => {
  test('one after the other, each with a greater token -> fine, on each name for itself', () => {
    for (const name of ['a', 'b']) {
      for (const token of [3, 5]) {
        ledger.granted(name, token, token * 1e6);
        ledger.used(name, use(token), token * 1e6);
      }
    }
    expect([found, ledger.held, ledger.uses]).toEqual([[], 4, 4]);
  });

  test('a token given twice -> K1', () => {
    ledger.granted('a', 3, 0);
    ledger.granted('a', 3, 1e6);
    expect(found).toEqual(['K1']);
  });

  test('used after another one held it -> K2, but for the drift of clocks', () => {
    ledger.granted('a', 3, 0);
    ledger.granted('a', 5, 2e6);
    ledger.used('a', use(3), 2e6 + 10_000);
    expect(found).toEqual([]);
    ledger.used('a', use(3), 2e6 + 10_001);
    expect(found).toEqual(['K2']);
  });

  test('who hears late that it held the lock, and does not use it -> fine', () => {
    ledger.granted('a', 5, 2e6);
    ledger.granted('a', 3, 9e6);
    ledger.used('a', use(5), 9e6);
    expect(found).toEqual([]);
    ledger.used('a', use(3), 9e6);
    expect(found).toEqual(['K2']);
  });
});
