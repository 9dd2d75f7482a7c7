import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry, LogReader } from '../../src/raft/index.js';
import { encodedBytes, RaftLog } from '../../src/raft/log.js';
import { entriesOf, entryOf, MemberStore } from './member-store.js';

const assertion = expect.objectContaining({ code: 'ASSERTION' });

/** A log whose storage holds `stable`, with `unstable` appended to it. */
function logOf(fields: {
  readonly stable?: readonly number[];
  readonly unstable?: readonly number[];
  readonly commit?: number;
  readonly applyBytesMax?: number;
}): RaftLog {
  const { stable = [], unstable = [], commit = 0, applyBytesMax = Infinity } = fields;
  const log = new RaftLog(MemberStore.of([1], { terms: stable }), applyBytesMax);
  log.append(entriesOf(unstable, stable.length + 1));
  log.committed = commit;
  return log;
}

/** A log whose entries were all handed to the disk, which has not finished. */
function written(terms: readonly number[]): { readonly log: RaftLog; readonly store: MemberStore } {
  const store = new MemberStore([1]);
  const log = new RaftLog(store, Infinity);
  log.append(entriesOf(terms));
  store.accept({ entries: log.takeUnstable(), mustSync: true, responses: [] });
  return { log, store };
}

function termsOf(log: RaftLog): number[] {
  const terms: number[] = [];
  for (let index = 1; index <= log.lastIndex; index += 1) terms.push(log.termAt(index));
  return terms;
}

/** A storage whose log was cut: it starts after `(10, term 3)`. */
const cutReader: LogReader = {
  initialState: () => ({ hardState: { term: 4, vote: 0, commit: 10 }, voters: [1] }),
  firstIndex: () => 11,
  lastIndex: () => 15,
  term: (index) => [3, 3, 3, 4, 4, 4][index - 10],
  entries: ({ lo, hi }) =>
    lo < 11 ? undefined : entriesOf([3, 3, 4, 4, 4], 11).slice(lo - 11, hi - 11),
};

describe('log: terms and positions', () => {
  test('L-18 empty -> last is (0, term 0), offset 1', () => {
    const log = logOf({});
    expect(log.last).toEqual({ index: 0, term: 0 });
    expect([log.firstIndex, log.offset, log.hasUnstable]).toEqual([1, 1, false]);
  });

  test('L-17 over both parts -> every position has its term, beyond them none', () => {
    const log = logOf({ stable: [1, 2], unstable: [2, 5] });
    expect([-1, 0, 1, 2, 3, 4, 5].map((index) => log.term(index))).toEqual([
      undefined,
      0,
      1,
      2,
      2,
      5,
      undefined,
    ]);
    expect(() => log.termAt(5)).toThrow(assertion);
  });

  test('a cut log -> the position before its first entry is known, below it is not', () => {
    const log = new RaftLog(cutReader, Infinity);
    expect([8, 9, 10, 11, 15, 16].map((index) => log.term(index))).toEqual([
      undefined,
      undefined,
      3,
      3,
      4,
      undefined,
    ]);
    expect([log.committed, log.applying, log.applied]).toEqual([10, 10, 10]);
    expect(log.entriesFrom(10, Infinity)).toBeUndefined();
  });

  test.each([
    { term: 4, index: 2, upToDate: true },
    { term: 4, index: 4, upToDate: true },
    { term: 2, index: 2, upToDate: false },
    { term: 2, index: 4, upToDate: false },
    { term: 3, index: 2, upToDate: false },
    { term: 3, index: 3, upToDate: true },
    { term: 3, index: 4, upToDate: true },
  ])('L-4 own last is (3, term 3), theirs ($index, term $term) -> up to date: $upToDate', (row) => {
    const log = logOf({ stable: [1, 2], unstable: [3] });
    expect(log.isUpToDate({ term: row.term, index: row.index })).toBe(row.upToDate);
  });
});

describe('log: append', () => {
  test.each([
    { append: [], at: 3, terms: [1, 2], offset: 3 },
    { append: [2], at: 3, terms: [1, 2, 2], offset: 3 },
    { append: [2], at: 1, terms: [2], offset: 1 },
    { append: [3, 3], at: 2, terms: [1, 3, 3], offset: 2 },
  ])('L-5 stored [1,2], append $append at $at -> $terms, unstable from $offset', (row) => {
    const log = logOf({ stable: [1, 2] });
    log.append(entriesOf(row.append, row.at));
    expect(termsOf(log)).toEqual(row.terms);
    expect(log.offset).toBe(row.offset);
    log.check();
  });

  test.each([
    // U-9, U-10, U-11: what was handed out and is then replaced is handed out again.
    { before: [5], taken: true, append: [5], at: 6, untaken: [6] },
    { before: [5], taken: true, append: [6], at: 5, untaken: [5] },
    { before: [5, 5, 5], taken: true, append: [6], at: 6, untaken: [6] },
    { before: [5, 5, 5], taken: true, append: [6, 6], at: 7, untaken: [7, 8] },
    { before: [5, 5, 5], taken: false, append: [6], at: 7, untaken: [5, 6, 7] },
  ])('U unstable $before at 5, taken $taken, append $append at $at -> to write $untaken', (row) => {
    const log = logOf({ stable: [1, 1, 1, 1], unstable: row.before });
    if (row.taken) log.takeUnstable();
    log.append(entriesOf(row.append, row.at));
    log.check();
    expect(log.takeUnstable().map(({ index }) => index)).toEqual(row.untaken);
    expect(log.hasUntaken).toBe(false);
  });

  test('over a committed entry, or with a gap -> asserts', () => {
    const log = logOf({ unstable: [1, 1, 1], commit: 2 });
    expect(() => log.append([entryOf(2, 2)])).toThrow(/would change 2/);
    expect(() => log.append([entryOf(2, 5)])).toThrow(assertion);
  });

  test('what was handed out -> is not changed by a later append', () => {
    const log = logOf({ unstable: [1, 1, 1] });
    const taken = log.takeUnstable();
    const read = log.entriesFrom(1, Infinity);
    log.append(entriesOf([2, 2], 2));
    expect(taken.map(({ term }) => term)).toEqual([1, 1, 1]);
    expect((read as Entry[]).map(({ term }) => term)).toEqual([1, 1, 1]);
  });
});

describe('log: follower append', () => {
  test.each([
    // [terms of the entries, their first index] against a log of terms 1, 2, 3.
    { entries: [], at: 4, terms: [1, 2, 3] },
    { entries: [1, 2, 3], at: 1, terms: [1, 2, 3] },
    { entries: [2, 3], at: 2, terms: [1, 2, 3] },
    { entries: [2], at: 2, terms: [1, 2, 3] },
    { entries: [1, 2, 3, 4, 4], at: 1, terms: [1, 2, 3, 4, 4] },
    { entries: [3, 4, 4], at: 3, terms: [1, 2, 3, 4, 4] },
    { entries: [4, 4], at: 4, terms: [1, 2, 3, 4, 4] },
    { entries: [4, 4], at: 1, terms: [4, 4] },
    { entries: [1, 4, 4], at: 1, terms: [1, 4, 4] },
    { entries: [2, 4], at: 2, terms: [1, 2, 4] },
  ])('L-1 S2 entries $entries at $at -> $terms', ({ entries, at, terms }) => {
    const log = logOf({ stable: [1, 2], unstable: [3] });
    const previous = { index: at - 1, term: log.termAt(at - 1) };
    expect(log.maybeAppend(previous, entriesOf(entries, at))).toBe(true);
    expect(termsOf(log)).toEqual(terms);
    log.check();
  });

  test('S2 nothing new -> nothing to write', () => {
    const log = logOf({ stable: [1, 2, 3] });
    log.maybeAppend({ index: 0, term: 0 }, entriesOf([1, 2]));
    expect(log.hasUntaken).toBe(false);
    expect(log.offset).toBe(4);
  });

  test.each([
    { index: 2, term: 3 },
    { index: 4, term: 3 },
    { index: 3, term: 2 },
  ])('L-6 previous (%j) does not match -> false, unchanged', (previous) => {
    const log = logOf({ stable: [1, 2], unstable: [3] });
    expect(log.maybeAppend(previous, [entryOf(4, previous.index + 1)])).toBe(false);
    expect(termsOf(log)).toEqual([1, 2, 3]);
  });
});

describe('log: conflict by term', () => {
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
  ])('L-2 terms 2,2,5,5,5: from %i for term %i -> (%i, term %i)', (index, term, at, found) => {
    const log = logOf({ stable: [2, 2], unstable: [5, 5, 5] });
    expect(log.findConflictByTerm(index, term)).toEqual({ index: at, term: found });
  });

  test('any log, any position of it -> what walking down says', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 30 });
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(steps, part, fc.integer({ min: 0, max: 8 }), (rises, share, term) => {
        let last = 1;
        const terms = rises.map((rise) => {
          last = Math.min(8, last + rise);
          return last;
        });
        const log = logOf({ stable: terms.slice(0, 9), unstable: terms.slice(9) });
        const index = Math.round(share * terms.length);
        let at = index;
        while (at > 0 && (log.term(at) ?? 0) > term) at -= 1;
        expect(log.findConflictByTerm(index, term)).toEqual({ index: at, term: log.term(at) ?? 0 });
      }),
      { numRuns: 300 },
    );
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
  ])('L-3 cut log: from %i for term %i -> (%i, term %i)', (index, term, at, found) => {
    const log = new RaftLog(cutReader, Infinity);
    expect(log.findConflictByTerm(index, term)).toEqual({ index: at, term: found });
  });
});

describe('log: stable', () => {
  test.each([
    { id: { index: 1, term: 1 }, offset: 2 },
    { id: { index: 2, term: 2 }, offset: 3 },
    { id: { index: 2, term: 1 }, offset: 1 },
    { id: { index: 3, term: 1 }, offset: 1 },
    { id: { index: 0, term: 0 }, offset: 1 },
  ])('L-13 unstable [1,2], stable to $id -> offset $offset', ({ id, offset }) => {
    const { log, store } = written([1, 2]);
    store.complete();
    log.stableTo(id);
    expect(log.offset).toBe(offset);
    expect(log.lastIndex).toBe(2);
    log.check();
  });

  test('L-11 handed out, then stable -> not handed out again', () => {
    const log = logOf({ unstable: [1, 1] });
    expect(log.takeUnstable()).toHaveLength(2);
    expect(log.takeUnstable()).toHaveLength(0);
    log.stableTo({ index: 2, term: 1 });
    expect([log.offset, log.hasUnstable, log.hasUntaken]).toEqual([3, false, false]);
  });
});

describe('log: commit and apply', () => {
  test('L-12 commit 2 of 3 -> rises, never falls, never beyond the end', () => {
    const log = logOf({ unstable: [1, 2, 3], commit: 2 });
    log.commitTo(1);
    expect(log.committed).toBe(2);
    log.commitTo(3);
    expect(log.committed).toBe(3);
    expect(() => log.commitTo(4)).toThrow(assertion);
  });

  test('A-17 committed but not durable here -> not handed out for apply', () => {
    const { log, store } = written([1, 1, 1]);
    log.commitTo(3);
    expect(log.hasCommitted).toBe(false);
    expect(log.takeCommitted()).toEqual([]);
    store.complete();
    log.stableTo({ index: 2, term: 1 });
    expect(log.takeCommitted().map(({ index }) => index)).toEqual([1, 2]);
    expect(log.takeCommitted()).toEqual([]);
    log.check();
  });

  test('N-8 L-9 budget used up -> no more until something is applied; the first always passes', () => {
    const size = encodedBytes(entryOf(1, 1));
    const log = logOf({ stable: [1, 1, 1, 1], commit: 4, applyBytesMax: 2 * size });
    expect(log.takeCommitted().map(({ index }) => index)).toEqual([1, 2]);
    expect(log.hasCommitted).toBe(false);
    log.appliedTo(1, size);
    expect(log.takeCommitted().map(({ index }) => index)).toEqual([3]);
    log.appliedTo(3, 2 * size);
    expect(log.takeCommitted().map(({ index }) => index)).toEqual([4]);
    log.appliedTo(4, size);
    expect([log.applied, log.applying, log.hasCommitted]).toEqual([4, 4, false]);
    const narrow = logOf({ stable: [1, 1], commit: 2, applyBytesMax: 1 });
    expect(narrow.takeCommitted()).toHaveLength(1);
  });

  test('applied beyond what was handed out, or back -> asserts', () => {
    const log = logOf({ stable: [1, 1, 1], commit: 3 });
    log.takeCommitted();
    log.appliedTo(2, 0);
    expect(() => log.appliedTo(1, 0)).toThrow(assertion);
    expect(() => log.appliedTo(4, 0)).toThrow(assertion);
  });
});

describe('log: reading', () => {
  const size = encodedBytes(entryOf(1, 1));
  const log = logOf({ stable: [1, 1, 1], unstable: [1, 1, 1] });

  test.each([
    { lo: 1, bytes: Infinity, got: [1, 2, 3, 4, 5, 6] },
    { lo: 1, bytes: 0, got: [1] },
    { lo: 1, bytes: size - 1, got: [1] },
    { lo: 1, bytes: size, got: [1] },
    { lo: 1, bytes: size + 1, got: [1] },
    { lo: 1, bytes: 3 * size, got: [1, 2, 3] },
    { lo: 1, bytes: 4 * size - 1, got: [1, 2, 3] },
    { lo: 1, bytes: 4 * size, got: [1, 2, 3, 4] },
    { lo: 3, bytes: 2 * size, got: [3, 4] },
    { lo: 3, bytes: 0, got: [3] },
    { lo: 4, bytes: 0, got: [4] },
    { lo: 4, bytes: 2 * size, got: [4, 5] },
    { lo: 6, bytes: Infinity, got: [6] },
    { lo: 7, bytes: Infinity, got: [] },
  ])('L-15 from $lo with $bytes bytes -> $got', ({ lo, bytes, got }) => {
    const entries = log.entriesFrom(lo, bytes) as readonly Entry[];
    expect(entries.map(({ index }) => index)).toEqual(got);
  });

  test('W-10 a reader that gives more than asked for -> still no entry twice or missing', () => {
    const store = MemberStore.of([1], { terms: [1, 1, 1] });
    store.overshoot = 1;
    const generous = new RaftLog(store, Infinity);
    generous.append(entriesOf([1, 1], 4));
    for (const bytes of [0, size, 2 * size, 3 * size, 4 * size]) {
      const entries = generous.entriesFrom(1, bytes) as readonly Entry[];
      expect(entries.map(({ index }) => index)).toEqual(entries.map((_, i) => i + 1));
    }
  });
});

describe('log: against a plain list', () => {
  /** Appends at any legal place, hands out, and completes writes, like a follower's life. */
  const commands = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('append' as const), back: fc.nat(5), count: fc.nat(4) }),
      fc.record({ kind: fc.constant('take' as const) }),
      fc.record({ kind: fc.constant('stable' as const) }),
    ),
    { maxLength: 60 },
  );

  test('U any appends, hand-outs and completions -> same terms, each suffix written', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const store = new MemberStore([1]);
        const log = new RaftLog(store, Infinity);
        let plain: number[] = [];
        let term = 0;
        for (const command of list) {
          if (command.kind === 'append') {
            const keep = Math.max(0, plain.length - command.back);
            term += 1;
            const terms = Array.from({ length: command.count }, () => term);
            if (terms.length > 0) plain = [...plain.slice(0, keep), ...terms];
            log.append(entriesOf(terms, keep + 1));
          } else if (command.kind === 'take') {
            const entries = log.takeUnstable();
            store.accept({ entries, mustSync: true, responses: [] });
          } else if (store.pendingAppends > 0) {
            const done = store.complete();
            const last = done?.entries[done.entries.length - 1];
            if (last !== undefined && store.pendingAppends === 0) log.stableTo(last);
          }
          log.check();
          expect(termsOf(log)).toEqual(plain);
        }
        const entries = log.takeUnstable();
        store.accept({ entries, mustSync: true, responses: [] });
        expect(store.written.entries.map((entry) => entry.term)).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });
});
