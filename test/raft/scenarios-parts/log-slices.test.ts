/** Reading ranges of the log across storage and memory: rows L-15 to L-18. */
import { describe, expect, test } from 'vitest';
import { encodeConfChange } from '../../../src/raft/index.js';
import { encodedBytes, RaftLog } from '../../../src/raft/log.js';
import { hasUnappliedConfChange } from '../../../src/raft/reconfigure.js';
import { Disk, entriesOf, entryOf, snapshotAt } from './disk.js';
import { Solo } from './solo.js';

const asserts = expect.objectContaining({ code: 'ASSERTION' });
const [first, half, last] = [101, 151, 199];

/** Entries 101 to 199 behind a snapshot (100, 1), each with its own term; unstable from 151 on. */
function halfStable(): { readonly log: RaftLog; readonly size: number } {
  const term = (index: number) => index - 100;
  const base = { index: 100, term: 1 };
  const run = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => term(from + at));
  const disk = new Disk({ base, entries: entriesOf(run(first, half - 1), first) });
  const log = new RaftLog(disk, Infinity, true);
  log.append(entriesOf(run(half, last), half));
  const sizes = new Set([entryOf(10, 110), entryOf(99, 199)].map(encodedBytes));
  expect(sizes.size).toBe(1);
  return { log, size: [...sizes][0]! };
}

/** Terms of two digits make entries of one size. */
const from = 110;

describe('slices', () => {
  const { log, size } = halfStable();
  const limits = {
    none: Infinity,
    zero: 0,
    'size - 1': size - 1,
    size,
    'size + 1': size + 1,
    '2 size': 2 * size,
    '3 size - 1': 3 * size - 1,
    '3 size': 3 * size,
  };

  test.each(Object.entries(limits))('L-15: limit %s -> what fits, and at least one', (_, limit) => {
    const fitting = Math.max(1, Math.floor(limit / size));
    for (let lo = from; lo <= last; lo += 1) {
      for (let hi = lo + 1; hi <= last + 1; hi += 1) {
        const got = log.slice(lo, hi, limit);
        const indexes = Array.isArray(got) ? got.map(({ index }) => index) : got;
        const count = Math.min(fitting, hi - lo);
        expect(indexes).toEqual(Array.from({ length: count }, (_, at) => lo + at));
      }
      expect(log.slice(lo, lo, limit)).toEqual([]);
    }
  });

  test('L-15: below the first index -> gone; not a range of the log -> our bug', () => {
    expect(log.slice(100, 102, Infinity)).toBeUndefined();
    expect(() => log.slice(150, 149, Infinity)).toThrow(asserts);
    expect(() => log.slice(160, last + 2, Infinity)).toThrow(asserts);
    expect(() => log.slice(120, last + 2, Infinity)).toThrow(asserts);
  });
});

describe('scans', () => {
  const base = { index: 100, term: 1 };
  const entries = entriesOf(Array(20).fill(1), 101);
  const size = encodedBytes(entries[0]!);
  const pages = [0, 1, 10, 100, size, size + 1];

  test.each(pages)('L-16: pages of %i bytes over every range -> the same as one slice', (page) => {
    const log = new RaftLog(new Disk({ base, entries: entries.slice(0, 10) }), Infinity, true);
    log.append(entries.slice(10));
    for (let lo = 101; lo <= 120; lo += 1) {
      for (let hi = lo; hi <= 121; hi += 1) {
        const whole = log.slice(lo, hi, Infinity);
        const scanned: unknown[] = [];
        for (let at = lo; at < hi; ) {
          const got = log.slice(at, hi, page) as typeof entries;
          expect(got.length === 1 || got.length * size <= page).toBe(true);
          scanned.push(...got);
          at += got.length;
        }
        expect(scanned).toEqual(whole);
      }
    }
  });

  test('L-16: the scan for an unapplied change, paged -> found wherever it is committed', () => {
    const change = encodeConfChange({ type: 'add-voter', memberId: 4 });
    const withChange = (at: number) =>
      entries.map((entry) => (entry.index === at ? { ...entry, ...change } : entry));
    for (const applyBytesMax of pages.slice(1)) {
      for (const at of [101, 102, 110, 111, 119, 120]) {
        const hardState = { term: 1, vote: 0, commit: 119 };
        const solo = new Solo({ base, entries: withChange(at), hardState, applyBytesMax });
        expect(hasUnappliedConfChange(solo.core)).toBe(at <= 119);
        // An applied one does not count.
        solo.core.log.restoreApplied(Math.min(at, 119));
        expect(hasUnappliedConfChange(solo.core)).toBe(false);
      }
    }
  });

  test('L-16: a page that cannot be read ends the scan -> better no campaign', () => {
    const solo = new Solo({ base, entries, hardState: { term: 1, vote: 0, commit: 120 } });
    expect(hasUnappliedConfChange(solo.core)).toBe(false);
    solo.disk.evictedTo = 110;
    expect(hasUnappliedConfChange(solo.core)).toBe(true);
    solo.campaign();
    expect(solo.node.role).toBe('follower');
  });
});

describe('terms', () => {
  test.each([
    [99, undefined],
    [100, 1],
    [150, 50],
    [199, 99],
    [200, undefined],
  ])('L-17: term of %i behind a snapshot (100, 1) -> %s', (index, term) => {
    expect(halfStable().log.term(index)).toBe(term);
  });

  test.each([
    [99, undefined],
    [100, undefined],
    [104, undefined],
    [105, 7],
    [106, undefined],
  ])('L-17: term of %i with a snapshot (105, 7) pending -> %s', (index, term) => {
    const log = new RaftLog(new Disk({ base: { index: 100, term: 1 } }), Infinity, true);
    log.restore(snapshotAt(105, 7, { voters: [1] }));
    expect(log.term(index)).toBe(term);
  });

  test('L-18: over a restored storage (1000, 1000) -> empty behind it, all of it committed', () => {
    const log = new RaftLog(new Disk({ base: { index: 1_000, term: 1_000 } }), Infinity, true);
    expect([log.firstIndex, log.lastIndex, log.committed, log.offset]).toEqual([
      1_001, 1_000, 1_000, 1_001,
    ]);
    expect(log.term(1_000)).toBe(1_000);
    expect(log.entriesFrom(1_001, Infinity)).toEqual([]);
  });
});
