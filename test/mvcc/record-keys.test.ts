// Record keys sort like what they name; keys that are prefixes of others do not mix.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closedKey,
  closedRange,
  currentKey,
  currentRange,
  escapeKey,
  historyKey,
  historyRange,
  newestClosed,
  parseClosedKey,
  parseHistoryKey,
  unescapeKey,
} from '../../src/mvcc/record-keys.js';
import { selectKey, selects, singleKey } from '../../src/mvcc/selection.js';
import { selections } from './command-arbitraries.js';

/** Mostly zeros, ones and 0xff, where escapes go wrong. */
const unit = fc.oneof(fc.constantFrom(0, 0, 1, 0xfe, 0xff, 0xff, 97), fc.nat(255));
const key = fc.array(unit, { minLength: 1, maxLength: 6 }).map((it) => String.fromCharCode(...it));
const position = fc.record({
  revision: fc.oneof(fc.maxSafeNat(), fc.nat(300)),
  sub: fc.nat(2 ** 28 - 1),
});

const order = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
const isIn = ({ gte, lt }: { gte: string; lt: string }, it: string) => it >= gte && it < lt;

describe('record keys', () => {
  test('history: sorts by revision, then by position, and reads back', () => {
    fc.assert(
      fc.property(position, position, (a, b) => {
        const expected = order(a.revision, b.revision) || order(a.sub, b.sub);
        expect(order(historyKey(a), historyKey(b))).toBe(expected);
        expect(parseHistoryKey(historyKey(a))).toEqual(a);
      }),
    );
  });

  test('closed: sorts by key, then by revision, and reads back', () => {
    fc.assert(
      fc.property(key, position, key, position, (a, at, b, bt) => {
        const expected = order(a, b) || order(at.revision, bt.revision) || order(at.sub, bt.sub);
        expect(order(closedKey(a, at), closedKey(b, bt))).toBe(expected);
        const { escapedKey, ...rest } = parseClosedKey(closedKey(a, at));
        expect(unescapeKey(escapedKey)).toBe(a);
        expect(rest).toEqual(at);
      }),
    );
  });

  test('numbers stay one byte per character in UTF-8', () => {
    const text = historyKey({ revision: Number.MAX_SAFE_INTEGER, sub: 2 ** 28 - 1 });
    expect(Buffer.byteLength(text, 'utf8')).toBe(13);
  });

  test('ranges hold exactly the records of the selected keys', () => {
    fc.assert(
      fc.property(fc.oneof(selections, key.map(selectKey)), key, position, (keys, it, at) => {
        const expected = selects(keys, it);
        expect(isIn(currentRange(keys), currentKey(it))).toBe(expected);
        expect(isIn(closedRange(keys), closedKey(it, at))).toBe(expected);
      }),
    );
  });

  test('the newest closed version: only of that key, only up to the revision', () => {
    fc.assert(
      fc.property(key, key, position, fc.nat(300), (a, b, at, revision) => {
        const expected = a === b && at.revision <= revision;
        expect(isIn(newestClosed(a, revision), closedKey(b, at))).toBe(expected);
      }),
    );
  });

  test('a part of history: both ends included', () => {
    const range = historyRange({ from: 5, upTo: 7 });
    const held = [4, 5, 7, 8].map((revision) =>
      isIn(range, historyKey({ revision, sub: 2 ** 20 })),
    );
    expect(held).toEqual([false, true, true, false]);
  });

  test('escape: keeps order, even before the terminator, and reads back', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(order(`${escapeKey(a)}\0\0`, `${escapeKey(b)}\0\0`)).toBe(order(a, b));
        expect(unescapeKey(escapeKey(a))).toBe(a);
      }),
    );
  });
});

describe('selection', () => {
  test('one key is told by its form, and only it is selected', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(singleKey(selectKey(a))).toBe(a);
        expect(selects(selectKey(a), b)).toBe(a === b);
      }),
    );
  });

  test.each([
    [{ gte: 'a' }],
    [{ gte: 'a', lt: 'b' }],
    [{ gte: 'a', lt: 'b\0' }],
    [{ gte: 'a', lt: 'a' }],
  ])('%j is no single key', (keys) => {
    expect(singleKey(keys)).toBeUndefined();
  });
});
