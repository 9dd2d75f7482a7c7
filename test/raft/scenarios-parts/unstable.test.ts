/** The part of the log that no storage has confirmed: rows U. */
import { describe, expect, test } from 'vitest';
import { RaftLog } from '../../../src/raft/log.js';
import { Unstable } from '../../../src/raft/unstable.js';
import { Disk, entriesOf, snapshotAt } from './disk.js';

const snapshot = (index: number, term: number) => snapshotAt(index, term, { voters: [1] });
const indexes = (entries: readonly { readonly index: number }[]) =>
  entries.map(({ index }) => index);

interface Setup {
  /** Terms of the entries from 5 on. */
  readonly terms: readonly number[];
  readonly withSnapshot?: boolean;
  /** First index that is not handed out. */
  readonly progress?: number;
}

/** Entries from 5 on, those below `progress` in progress; a pending snapshot (4, 1) if asked for. */
function unstableOf({ terms, withSnapshot = false, progress = 5 }: Setup): Unstable {
  const unstable = new Unstable(5);
  if (withSnapshot) unstable.restore(snapshot(4, 1));
  const entries = entriesOf(terms, 5);
  unstable.append(entries.slice(0, progress - 5));
  if (progress > 5) unstable.takeEntries();
  if (entries.length > progress - 5) unstable.append(entries.slice(progress - 5));
  return unstable;
}

describe('what it knows', () => {
  test.each([
    { terms: [1], withSnapshot: true, first: 5 },
    { terms: [], withSnapshot: true, first: 5 },
    // Without a snapshot the storage knows.
    { terms: [1], withSnapshot: false, first: 3 },
    { terms: [], withSnapshot: false, first: 3 },
  ])('U-1: entries $terms, snapshot: $withSnapshot -> first index $first', (row) => {
    const log = new RaftLog(new Disk({ base: { index: 2, term: 1 }, terms: [1, 1] }), 1, true);
    if (row.withSnapshot) {
      log.restore(snapshot(4, 2));
    }
    log.append(entriesOf(row.terms, 5));
    expect(log.firstIndex).toBe(row.first);
  });

  test.each([
    { terms: [1], withSnapshot: false, last: 5 },
    { terms: [1, 1], withSnapshot: true, last: 6 },
    { terms: [], withSnapshot: true, last: 4 },
    // What the storage has ends where the unstable part would begin.
    { terms: [], withSnapshot: false, last: 4 },
  ])('U-2: entries $terms, snapshot: $withSnapshot -> last index $last', (row) => {
    expect(unstableOf(row).lastIndex).toBe(row.last);
  });

  test.each([
    { terms: [1], withSnapshot: false, index: 5, term: 1 },
    { terms: [1], withSnapshot: false, index: 6, term: undefined },
    { terms: [1], withSnapshot: false, index: 4, term: undefined },
    { terms: [1], withSnapshot: true, index: 5, term: 1 },
    { terms: [1], withSnapshot: true, index: 6, term: undefined },
    { terms: [1], withSnapshot: true, index: 4, term: 1 },
    { terms: [1], withSnapshot: true, index: 3, term: undefined },
    { terms: [], withSnapshot: true, index: 5, term: undefined },
    { terms: [], withSnapshot: true, index: 4, term: 1 },
    { terms: [], withSnapshot: false, index: 5, term: undefined },
  ])('U-3: entries $terms, snapshot: $withSnapshot -> term of $index is $term', (row) => {
    expect(unstableOf(row).term(row.index)).toBe(row.term);
  });

  test('U-4: a snapshot while everything is in progress -> starts over behind it', () => {
    const unstable = unstableOf({ terms: [1], withSnapshot: true, progress: 6 });
    expect(unstable.takeSnapshot()?.last.index).toBe(4);
    unstable.restore(snapshot(6, 2));
    expect([unstable.offset, unstable.entries, unstable.lastIndex]).toEqual([7, [], 6]);
    expect(unstable.takeEntries()).toEqual([]);
    expect(unstable.takeSnapshot()?.last).toEqual({ index: 6, term: 2 });
    expect(unstable.takeSnapshot()).toBeUndefined();
  });
});

describe('handing out', () => {
  test.each([
    { progress: 5, next: [5, 6] },
    { progress: 6, next: [6] },
    { progress: 7, next: [] },
  ])('U-5: two entries, in progress below $progress -> next are $next', ({ progress, next }) => {
    const unstable = unstableOf({ terms: [1, 1], progress });
    expect(unstable.hasUntaken).toBe(next.length > 0);
    expect(indexes(unstable.takeEntries())).toEqual(next);
  });

  test('U-6: a snapshot -> next only while not in progress', () => {
    expect(unstableOf({ terms: [] }).takeSnapshot()).toBeUndefined();
    const unstable = unstableOf({ terms: [], withSnapshot: true });
    expect(unstable.takeSnapshot()?.last).toEqual({ index: 4, term: 1 });
    expect(unstable.snapshot?.last.index).toBe(4);
    expect([unstable.takeSnapshot(), unstable.hasUntaken]).toEqual([undefined, false]);
  });

  test.each([5, 6, 7])(
    'U-7: taken twice, in progress below %i -> the second time nothing',
    (progress) => {
      for (const withSnapshot of [false, true]) {
        const unstable = unstableOf({ terms: [1, 1], withSnapshot, progress });
        for (const round of [1, 2]) {
          const taken = [unstable.takeSnapshot() !== undefined, unstable.takeEntries().length];
          expect(taken).toEqual(round === 1 ? [withSnapshot, 7 - progress] : [false, 0]);
          expect(unstable.hasUntaken).toBe(false);
          expect([unstable.offset, unstable.lastIndex]).toEqual([5, 6]);
        }
      }
    },
  );
});

describe('stable', () => {
  test.each([
    { name: 'nothing there', terms: [], progress: 5, to: [5, 1], left: [], next: [] },
    { name: 'the only one', terms: [1], progress: 6, to: [5, 1], left: [], next: [] },
    { name: 'the first of two', terms: [1, 1], progress: 6, to: [5, 1], left: [6], next: [6] },
    { name: 'the first of two', terms: [1, 1], progress: 7, to: [5, 1], left: [6], next: [] },
    // Never answered before it was handed out; if it were, it is not handed out again.
    { name: 'not handed out', terms: [1, 1], progress: 5, to: [5, 1], left: [6], next: [6] },
    { name: 'of another term', terms: [2], progress: 6, to: [5, 1], left: [5], next: [] },
    { name: 'older', terms: [3], progress: 6, to: [4, 1], left: [5], next: [] },
    { name: 'newer', terms: [1], progress: 6, to: [6, 1], left: [5], next: [] },
  ])('U-8: $name, $terms in progress below $progress, stable to $to -> $left left', (row) => {
    const [index, term] = row.to as [number, number];
    for (const withSnapshot of [false, true]) {
      const unstable = unstableOf({ ...row, withSnapshot });
      unstable.stableTo({ index, term });
      // Progress is never below the offset.
      unstable.check(1);
      expect(indexes(unstable.entries)).toEqual(row.left);
      expect(unstable.offset).toBe(row.left[0] ?? 5 + row.terms.length);
      expect(indexes(unstable.takeEntries())).toEqual(row.next);
      expect(unstable.snapshot !== undefined).toBe(withSnapshot);
    }
  });

  test('U-8: the index of a pending snapshot -> nothing: it is no entry', () => {
    const unstable = unstableOf({ terms: [1], withSnapshot: true, progress: 6 });
    unstable.stableTo({ index: 4, term: 1 });
    expect([unstable.offset, indexes(unstable.entries)]).toEqual([5, [5]]);
  });
});

describe('appending', () => {
  test.each([
    { id: 'U-9', terms: [1], progress: 5, at: 6, after: [1, 2], offset: 5, next: [5, 6] },
    { id: 'U-9', terms: [1], progress: 6, at: 6, after: [1, 2], offset: 5, next: [6] },
    { id: 'U-10', terms: [1], progress: 5, at: 5, after: [2], offset: 5, next: [5] },
    { id: 'U-10', terms: [1], progress: 6, at: 5, after: [2], offset: 5, next: [5] },
    { id: 'U-10', terms: [1], progress: 5, at: 4, after: [2], offset: 4, next: [4] },
    { id: 'U-10', terms: [1], progress: 6, at: 4, after: [2], offset: 4, next: [4] },
    { id: 'U-11', terms: [1, 1, 1], progress: 5, at: 6, after: [1, 2], offset: 5, next: [5, 6] },
    {
      id: 'U-11',
      terms: [1, 1, 1],
      progress: 5,
      at: 7,
      after: [1, 1, 2],
      offset: 5,
      next: [5, 6, 7],
    },
    { id: 'U-11', terms: [1, 1, 1], progress: 6, at: 6, after: [1, 2], offset: 5, next: [6] },
    { id: 'U-11', terms: [1, 1, 1], progress: 7, at: 6, after: [1, 2], offset: 5, next: [6] },
  ])('$id: $terms at 5, in progress below $progress, one at $at -> $after, next $next', (row) => {
    const unstable = unstableOf(row);
    unstable.append(entriesOf([2], row.at));
    expect(unstable.entries.map(({ term }) => term)).toEqual(row.after);
    expect(unstable.offset).toBe(row.offset);
    expect(indexes(unstable.takeEntries())).toEqual(row.next);
  });
});
