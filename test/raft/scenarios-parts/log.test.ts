/** The log of one member, stable and unstable part together: rows L-1 to L-14. */
import { describe, expect, test } from 'vitest';
import { RaftLog } from '../../../src/raft/log.js';
import { MemoryLogStore } from '../../../src/storage/index.js';
import { bytes, Disk, entriesOf, entryOf, snapshotAt } from './disk.js';
import { only, Solo } from './solo.js';

const asserts = expect.objectContaining({ code: 'ASSERTION' });

/** A log whose storage has entries of these terms from 1 on, or behind a base. */
function stable(terms: readonly number[], base = { index: 0, term: 0 }): RaftLog {
  return new RaftLog(new Disk({ terms, base }), Infinity, true);
}

/** Entries of these terms that no storage has yet. */
function unstable(terms: readonly number[]): RaftLog {
  const log = stable([]);
  log.append(entriesOf(terms));
  return log;
}

describe('conflicts', () => {
  const all = [1, 2, 3];

  test.each([
    { terms: [], at: 1, conflict: 0 },
    { terms: [1, 2, 3], at: 1, conflict: 0 },
    { terms: [2, 3], at: 2, conflict: 0 },
    { terms: [3], at: 3, conflict: 0 },
    { terms: [1, 2, 3, 4, 4], at: 1, conflict: 4 },
    { terms: [2, 3, 4, 5], at: 2, conflict: 4 },
    { terms: [3, 4, 4], at: 3, conflict: 4 },
    { terms: [4, 4], at: 4, conflict: 4 },
    { terms: [4, 4], at: 1, conflict: 1 },
    { terms: [1, 4, 4], at: 2, conflict: 2 },
    { terms: [1, 2, 4, 4], at: 3, conflict: 3 },
  ])('L-1: terms $terms at $at against [1,2,3] -> first conflict $conflict', (row) => {
    for (const log of [stable(all), unstable(all)]) {
      log.takeUnstable();
      const before = { index: row.at - 1, term: log.termAt(row.at - 1) };
      expect(log.maybeAppend(before, entriesOf(row.terms, row.at))).toBe(true);
      // What is handed out anew begins at the conflict.
      expect(log.takeUnstable()[0]?.index ?? 0).toBe(row.conflict);
    }
  });

  test.each([
    [100, 2, 100, 0],
    [5, 6, 5, 5],
    [5, 5, 5, 5],
    [5, 4, 2, 2],
    [5, 2, 2, 2],
    [5, 1, 0, 0],
    [1, 2, 1, 2],
    [1, 1, 0, 0],
    [0, 0, 0, 0],
  ])('L-2: newest of [2,2,5,5,5] up to (%i, term %i) -> %i of term %i', (...row) => {
    const [index, term, at, found] = row;
    for (const log of [stable([2, 2, 5, 5, 5]), unstable([2, 2, 5, 5, 5])]) {
      expect(log.findConflictByTerm(index, term)).toEqual({ index: at, term: found });
    }
  });

  test.each([
    [30, 3, 30, 0],
    [14, 9, 14, 4],
    [14, 4, 14, 4],
    [14, 3, 12, 3],
    [14, 2, 9, 0],
    [11, 5, 11, 3],
    [10, 5, 10, 3],
    [10, 3, 10, 3],
    [10, 2, 9, 0],
    [9, 2, 9, 0],
    [4, 2, 4, 0],
    [0, 0, 0, 0],
  ])('L-3: behind a snapshot (10, 3), up to (%i, term %i) -> %i of term %i', (...row) => {
    const [index, term, at, found] = row;
    const log = stable([3, 3, 4, 4, 4], { index: 10, term: 3 });
    expect(log.findConflictByTerm(index, term)).toEqual({ index: at, term: found });
  });

  test.each([
    { term: 4, expected: [true, true, true] },
    { term: 2, expected: [false, false, false] },
    { term: 3, expected: [false, true, true] },
  ])('L-4: last (3, 3), asked with term $term -> up to date by index: $expected', (row) => {
    const log = stable([1, 2, 3]);
    const answers = [2, 3, 4].map((index) => log.isUpToDate({ term: row.term, index }));
    expect(answers).toEqual(row.expected);
  });
});

describe('appending', () => {
  test.each([
    { terms: [], at: 1, last: 2, offset: 3, after: [1, 2] },
    { terms: [2], at: 3, last: 3, offset: 3, after: [1, 2, 2] },
    { terms: [2], at: 1, last: 1, offset: 1, after: [2] },
    { terms: [3, 3], at: 2, last: 3, offset: 2, after: [1, 3, 3] },
  ])('L-5: stable [1,2], $terms at $at -> last $last, unstable from $offset', (row) => {
    const log = stable([1, 2]);
    log.append(entriesOf(row.terms, row.at));
    expect([log.lastIndex, log.offset]).toEqual([row.last, row.offset]);
    expect(row.after.map((_, at) => log.term(at + 1))).toEqual(row.after);
    expect(log.term(row.after.length + 1)).toBeUndefined();
  });

  test.each([
    { name: 'wrong term', previous: [2, 3], terms: [4], commit: 3, fails: true, after: 1, ack: 3 },
    {
      name: 'beyond the end',
      previous: [3, 4],
      terms: [4],
      commit: 3,
      fails: true,
      after: 1,
      ack: 4,
    },
    { name: 'at the end', previous: [3, 3], terms: [], commit: 3, after: 3, ack: 3 },
    { name: 'at the end', previous: [3, 3], terms: [], commit: 4, after: 3, ack: 3 },
    { name: 'at the end', previous: [3, 3], terms: [], commit: 2, after: 2, ack: 3 },
    { name: 'at the end', previous: [3, 3], terms: [], commit: 0, after: 1, ack: 3 },
    // Below the commit index it is answered with that (semantics S3).
    { name: 'at the start', previous: [0, 0], terms: [], commit: 3, after: 1, ack: 1 },
    { name: 'one new', previous: [3, 3], terms: [4], commit: 3, after: 3, ack: 4 },
    { name: 'one new', previous: [3, 3], terms: [4], commit: 4, after: 4, ack: 4 },
    { name: 'one new', previous: [3, 3], terms: [4], commit: 5, after: 4, ack: 4 },
    { name: 'two new', previous: [3, 3], terms: [4, 4], commit: 5, after: 5, ack: 5 },
    { name: 'in the middle', previous: [2, 2], terms: [4], commit: 3, after: 3, ack: 3, last: 3 },
    { name: 'in the middle', previous: [1, 1], terms: [4], commit: 3, after: 2, ack: 2, last: 2 },
    { name: 'two over one', previous: [1, 1], terms: [4, 4], commit: 3, after: 3, ack: 3, last: 3 },
  ])('L-6: $name, previous $previous, $terms, commit $commit -> commit $after', (row) => {
    const [term, index] = row.previous as [number, number];
    const solo = new Solo({ terms: [1, 2, 3], hardState: { term: 4, vote: 0, commit: 1 } });
    const { commit } = row;
    const entries = entriesOf(row.terms, index + 1);
    solo.step({ kind: 'append-request', from: 2, previous: { term, index }, entries, commit });
    const [answer] = only(solo.flush(), 'append-response');
    expect(answer?.hint !== undefined).toBe(row.fails === true);
    expect([answer?.index, solo.status.commit]).toEqual([row.ack, row.after]);
    if (row.last !== undefined) expect(solo.status.lastIndex).toBe(row.last);
  });

  test('L-6: a conflict with what is committed -> our bug, and from a peer only acknowledged', () => {
    const log = stable([1, 2, 3]);
    log.commitTo(1);
    expect(() => log.append([entryOf(4, 1)])).toThrow(asserts);
    const solo = new Solo({ terms: [1, 2, 3], hardState: { term: 4, vote: 0, commit: 1 } });
    const previous = { term: 0, index: 0 };
    solo.step({ kind: 'append-request', from: 2, previous, entries: [entryOf(4, 1)], commit: 3 });
    expect(only(solo.flush(), 'append-response')).toMatchObject([{ index: 1 }]);
    expect([solo.terms, solo.status.commit]).toEqual([[1, 2, 3], 1]);
  });
});

describe('long logs', () => {
  test('L-7: half of the stable part dropped -> the rest and the unstable part go on', () => {
    const disk = new Disk({ entries: entriesOf(Array.from({ length: 750 }, (_, at) => at + 1)) });
    const log = new RaftLog(disk, Infinity, true);
    log.append(
      entriesOf(
        Array.from({ length: 250 }, (_, at) => 751 + at),
        751,
      ),
    );
    log.commitTo(1_000);
    log.restoreApplied(1_000);
    disk.compact(500);
    expect([log.firstIndex, log.lastIndex]).toEqual([501, 1_000]);
    expect(log.term(499)).toBeUndefined();
    for (let index = 500; index <= 1_000; index += 1) expect(log.term(index)).toBe(index);
    const waiting = log.takeUnstable();
    expect([waiting.length, waiting[0]?.index]).toEqual([250, 751]);
    log.append([entryOf(1_000, 1_001)]);
    expect(log.last).toEqual({ index: 1_001, term: 1_000 });
    const all = log.slice(501, 1_002, Infinity);
    expect(all).toHaveLength(501);
  });

  test('L-14: compaction beyond the end -> our bug; forward -> what is left; back -> refused', async () => {
    const store = new MemoryLogStore({ voters: [1] });
    const terms = Array.from({ length: 1_000 }, (_, at) => at + 1);
    await store.append({ entries: entriesOf(terms), mustSync: true });
    const log = new RaftLog(store, Infinity, true);
    log.commitTo(1_000);
    log.restoreApplied(1_000);
    await expect(store.truncate(1_001)).rejects.toThrow(asserts);
    const left: (number | undefined)[] = [];
    for (const index of [300, 500, 800, 900]) {
      await store.truncate(index);
      const entries = log.slice(log.firstIndex, log.lastIndex + 1, Infinity);
      left.push(Array.isArray(entries) ? entries.length : undefined);
    }
    expect(left).toEqual([700, 500, 200, 100]);
    await store.truncate(299);
    expect(log.firstIndex).toBe(901);
  });
});

interface PartlyStable {
  readonly log: RaftLog;
  /** The storage finishes the rest. */
  readonly finish: () => void;
}

/** Snapshot at 3, entry 4 stable, 5 and 6 not; committed up to 5. */
function partlyStable(
  applyUnstable: boolean,
  applyBytesMax = Infinity,
  sizes = [1, 1, 1],
): PartlyStable {
  const entry = (at: number) => entryOf(1, 4 + at, bytes('x'.repeat(sizes[at]!)));
  const disk = new Disk({ base: { index: 3, term: 1 }, entries: [entry(0)] });
  const log = new RaftLog(disk, applyBytesMax, applyUnstable);
  log.append([entry(1), entry(2)]);
  log.commitTo(5);
  const finish = () => {
    disk.accept({ entries: log.takeUnstable(), mustSync: true, responses: [] });
    disk.complete();
    log.stableTo({ term: 1, index: 6 });
  };
  return { log, finish };
}

describe('handing out what is committed', () => {
  test.each([
    { applied: 3, applying: 3, allowed: [4, 5], stableOnly: [4] },
    { applied: 3, applying: 4, allowed: [5], stableOnly: [] },
    { applied: 3, applying: 5, allowed: [], stableOnly: [] },
    { applied: 4, applying: 4, allowed: [5], stableOnly: [] },
    { applied: 4, applying: 5, allowed: [], stableOnly: [] },
    { applied: 5, applying: 5, allowed: [], stableOnly: [] },
  ])(
    'L-8: applied $applied, applying $applying -> $allowed, if durable only $stableOnly',
    (row) => {
      const next = (applyUnstable: boolean, prepare?: (log: RaftLog) => void) => {
        const { log } = partlyStable(applyUnstable);
        log.applied = row.applied;
        log.applying = row.applying;
        prepare?.(log);
        return log.takeCommitted().map(({ index }) => index);
      };
      expect(next(true)).toEqual(row.allowed);
      expect(next(false)).toEqual(row.stableOnly);
      // With a snapshot on its way to the storage nothing is.
      const pending = (log: RaftLog) => log.restore(snapshotAt(6, 1, { voters: [1] }));
      expect([next(true, pending), next(false, pending)]).toEqual([[], []]);
    },
  );

  test('L-8: the budget used up -> nothing until the state machine answers', () => {
    for (const applyUnstable of [true, false]) {
      const { log, finish } = partlyStable(applyUnstable, 1);
      expect(log.takeCommitted().map(({ index }) => index)).toEqual([4]);
      finish();
      expect([log.hasCommitted, log.takeCommitted()]).toEqual([false, []]);
      log.appliedTo(4, 25);
      expect(log.takeCommitted().map(({ index }) => index)).toEqual([5]);
    }
  });

  // Size is that of everything handed out; entries 4 and 5 together where there are two.
  test.each([
    { applyUnstable: true, upTo: 4, size: 99, paused: true },
    { applyUnstable: true, upTo: 4, size: 100, paused: true },
    { applyUnstable: true, upTo: 4, size: 101, paused: true },
    { applyUnstable: true, upTo: 5, size: 99, paused: false },
    { applyUnstable: true, upTo: 5, size: 100, paused: true },
    { applyUnstable: false, upTo: 4, size: 99, paused: false },
    { applyUnstable: false, upTo: 4, size: 100, paused: true },
    { applyUnstable: false, upTo: 4, size: 101, paused: true },
  ])(
    'L-9: budget 100, handed out up to $upTo with $size, unstable too: $applyUnstable -> paused: $paused',
    (row) => {
      const both = row.upTo === 5;
      const first = both ? 50 : row.size;
      const second = both ? row.size - 50 : 100;
      const { log, finish } = partlyStable(row.applyUnstable, 100, [first - 24, second - 24, 1]);
      expect(log.takeCommitted().at(-1)?.index).toBe(row.upTo);
      // More becomes applicable: whether it is handed out tells whether the log paused.
      finish();
      log.commitTo(6);
      expect(log.takeCommitted().length === 0).toBe(row.paused);
    },
  );

  test('L-9: a storage that hands out more than asked, 101 in all -> paused', () => {
    const disk = new Disk({
      entries: [bytes('x'.repeat(26)), bytes('x'.repeat(27)), bytes('')].map((data, at) =>
        entryOf(1, at + 1, data),
      ),
    });
    disk.overshoot = 1;
    const log = new RaftLog(disk, 100, true);
    log.commitTo(2);
    expect(log.takeCommitted().map(({ index }) => index)).toEqual([1, 2]);
    log.commitTo(3);
    expect(log.takeCommitted()).toEqual([]);
  });

  test.each([
    { released: 4, room: false },
    { released: 5, room: false },
    { released: 6, room: true },
    { released: 105, room: true, outstanding: 0 },
    { released: 106, room: true, outstanding: 0 },
  ])('L-10: 105 of 100 out, $released released by applying 4 or 5 -> goes on: $room', (row) => {
    for (const applied of [4, 5]) {
      const sizes = [50, 55, 24, 100, 24];
      const entries = sizes.map((size, at) => entryOf(1, 4 + at, bytes('x'.repeat(size - 24))));
      const disk = new Disk({ base: { index: 3, term: 1 }, entries });
      disk.overshoot = 1;
      const log = new RaftLog(disk, 100, true);
      log.commitTo(5);
      expect(log.takeCommitted().map(({ index }) => index)).toEqual([4, 5]);
      disk.overshoot = 0;
      log.commitTo(8);
      log.appliedTo(applied, row.released);
      expect(log.applied).toBe(applied);
      expect(log.hasCommitted).toBe(row.room);
      if (row.outstanding === undefined) continue;
      // Nothing is left of the budget taken: entry 6 and all but a byte of the rest would fit.
      expect(log.takeCommitted().map(({ index }) => index)).toEqual([6]);
      log.appliedTo(6, 24);
      expect(log.takeCommitted().map(({ index }) => index)).toEqual([7]);
    }
  });
});

describe('becoming stable and committed', () => {
  test('L-11: entries for the storage -> handed out once, gone once stable', () => {
    const log = stable([1]);
    log.append(entriesOf([2, 2], 2));
    expect(log.takeUnstable().map(({ index }) => index)).toEqual([2, 3]);
    expect(log.takeUnstable()).toEqual([]);
    log.stableTo({ index: 3, term: 2 });
    expect([log.offset, log.hasUnstable]).toEqual([4, false]);
  });

  test('L-12: commit index 2 of 3 -> rises to the end, never falls, never beyond', () => {
    const at = (index: number) => {
      const log = stable([1, 2, 3]);
      log.commitTo(2);
      log.commitTo(index);
      return log.committed;
    };
    expect([at(3), at(1)]).toEqual([3, 2]);
    expect(() => at(4)).toThrow(asserts);
  });

  test.each([
    { index: 1, term: 1, offset: 2 },
    { index: 2, term: 2, offset: 3 },
    { index: 2, term: 1, offset: 1 },
    { index: 3, term: 1, offset: 1 },
  ])('L-13: unstable [1,2], stable to ($index, $term) -> from $offset on', (row) => {
    const log = unstable([1, 2]);
    log.stableTo(row);
    expect(log.offset).toBe(row.offset);
  });

  test.each([
    { index: 6, term: 2, terms: [2], offset: 7 },
    { index: 6, term: 1, terms: [2], offset: 6 },
    { index: 5, term: 2, terms: [2], offset: 6 },
    { index: 4, term: 2, terms: [2], offset: 6 },
    { index: 6, term: 2, terms: [], offset: 6 },
    { index: 5, term: 2, terms: [], offset: 6 },
  ])('L-13: behind a snapshot (5, 2), $terms, stable to ($index, $term) -> from $offset', (row) => {
    const log = stable([]);
    log.restore(snapshotAt(5, 2, { voters: [1] }));
    log.append(entriesOf(row.terms, 6));
    log.stableTo(row);
    expect(log.offset).toBe(row.offset);
  });
});
