/** What a leader keeps of each member, and of what is in flight to it: rows T. */
import { describe, expect, test } from 'vitest';
import { Inflights } from '../../../src/raft/inflights.js';
import { Progress, type ProgressState } from '../../../src/raft/progress.js';
import { Solo } from './solo.js';

const asserts = expect.objectContaining({ code: 'ASSERTION' });

function fill(inflights: Inflights, from: number, size = 100): number {
  let index = from;
  while (!inflights.full) {
    inflights.add(index, size + index);
    index += 1;
  }
  return index - from;
}

function progressOf(state: ProgressState, match: number, next: number, window = 256): Progress {
  const progress = new Progress({
    match,
    next,
    inflightMessagesMax: window,
    inflightBytesMax: Infinity,
  });
  progress.state = state;
  return progress;
}

describe('inflights', () => {
  test('T-1: a window of 10, also wrapped around -> order, count and bytes are kept', () => {
    const inflights = new Inflights(10, Infinity);
    for (let round = 0; round < 30; round += 1) {
      const from = round * 5;
      const expected =
        round === 0 ? [0, 1, 2, 3, 4] : Array.from({ length: 10 }, (_, at) => from - 5 + at);
      for (let index = from; index < from + 5; index += 1) inflights.add(index, 100 + index);
      expect(inflights.indexes()).toEqual(expected);
      expect(inflights.count).toBe(expected.length);
      expect(inflights.bytes).toBe(expected.reduce((sum, index) => sum + 100 + index, 0));
      expect(inflights.full).toBe(expected.length === 10);
      inflights.freeTo(from - 1);
      expect(inflights.indexes()).toEqual(expected.filter((index) => index >= from));
    }
  });

  test('T-2: a full window of 10, freed up to an index -> all up to it, with its bytes', () => {
    const inflights = new Inflights(10, Infinity);
    fill(inflights, 0);
    const left = (upTo: number) => {
      inflights.freeTo(upTo);
      return [inflights.count, inflights.bytes];
    };
    expect([left(0), left(4), left(8)]).toEqual([
      [9, 945],
      [5, 535],
      [1, 109],
    ]);
    for (let index = 10; index < 15; index += 1) inflights.add(index, 100 + index);
    expect([left(12), left(14)]).toEqual([
      [2, 227],
      [0, 0],
    ]);
  });

  test.each([
    { size: 1, bytesMax: Infinity, full: 1, upTo: 1, again: 2 },
    { size: 1, bytesMax: 10, full: 1, upTo: 1, again: 2 },
    { size: 15, bytesMax: Infinity, full: 15, upTo: 6, again: 22 },
    { size: 8, bytesMax: 400, full: 4, upTo: 2, again: 7 },
    { size: 8, bytesMax: 406, full: 4, upTo: 3, again: 8 },
    { size: 15, bytesMax: 408, full: 5, upTo: 1, again: 6 },
  ])(
    'T-3: $size messages or $bytesMax bytes -> full after $full; freed to $upTo, after $again',
    (row) => {
      const inflights = new Inflights(row.size, row.bytesMax);
      expect(fill(inflights, 0)).toBe(row.full);
      expect(() => inflights.add(row.full, 1)).toThrow(asserts);
      inflights.freeTo(row.upTo);
      expect(inflights.full).toBe(false);
      const more = fill(inflights, row.full);
      expect(row.full + more).toBe(row.again);
      expect(() => inflights.add(99, 1)).toThrow(asserts);
    },
  );

  test('T-3: a window of no messages -> always full', () => {
    const inflights = new Inflights(0, Infinity);
    expect(inflights.full).toBe(true);
    expect(() => inflights.add(0, 1)).toThrow(asserts);
  });

  test('T-4: reset, filled and freed again and again -> never full, no bytes leak', () => {
    const inflights = new Inflights(10, 1_000);
    for (let round = 0; round < 100; round += 1) {
      inflights.reset();
      for (let index = 0; index < 5; index += 1) {
        expect(inflights.full).toBe(false);
        inflights.add(index, 16);
      }
      inflights.freeTo(2);
      expect([inflights.count, inflights.bytes, inflights.full]).toEqual([2, 32, false]);
    }
  });
});

describe('progress', () => {
  test.each<[ProgressState, boolean, boolean]>([
    ['probe', false, false],
    ['probe', true, true],
    ['replicate', false, false],
    ['replicate', true, true],
    ['snapshot', false, true],
    ['snapshot', true, true],
  ])('T-5: %s, flow paused: %s -> paused: %s', (state, flowPaused, paused) => {
    const progress = progressOf(state, 0, 1);
    progress.flowPaused = flowPaused;
    expect(progress.paused).toBe(paused);
  });

  test('T-6: paused -> a rejection ends it, and so does an acknowledgement', () => {
    const progress = progressOf('probe', 0, 2);
    progress.flowPaused = true;
    expect(progress.maybeDecrease(1, 1)).toBe(true);
    expect(progress.paused).toBe(false);
    progress.flowPaused = true;
    expect(progress.maybeUpdate(2)).toBe(true);
    expect(progress.paused).toBe(false);
  });

  test.each([
    { state: 'replicate', next: 5, pending: 0, after: 2 },
    { state: 'snapshot', next: 11, pending: 10, after: 11 },
    { state: 'snapshot', next: 5, pending: 0, after: 2 },
  ] as const)('T-7: $state, match 1, pending $pending, becomes probe -> next $after', (row) => {
    const progress = progressOf(row.state, 1, row.next);
    progress.pendingSnapshot = row.pending;
    if (row.state === 'replicate') progress.inflights.add(4, 1);
    progress.becomeProbe();
    expect(progress).toMatchObject({ state: 'probe', match: 1, next: row.after });
    expect(progress).toMatchObject({ pendingSnapshot: 0, paused: false });
    expect(progress.inflights.count).toBe(0);
  });

  test.each([
    { index: 2, news: false, match: 3, next: 5 },
    { index: 3, news: false, match: 3, next: 5 },
    { index: 4, news: true, match: 4, next: 5 },
    { index: 5, news: true, match: 5, next: 6 },
  ])('T-8: match 3, next 5, acknowledged $index -> match $match, next $next', (row) => {
    const progress = progressOf('probe', 3, 5);
    expect(progress.maybeUpdate(row.index)).toBe(row.news);
    expect(progress).toMatchObject({ match: row.match, next: row.next });
  });

  test.each([
    { state: 'replicate', match: 5, next: 10, rejected: 5, hint: 5, after: undefined },
    { state: 'replicate', match: 5, next: 10, rejected: 4, hint: 4, after: undefined },
    { state: 'replicate', match: 5, next: 10, rejected: 9, hint: 9, after: 6 },
    { state: 'probe', match: 0, next: 0, rejected: 0, hint: 0, after: undefined },
    { state: 'probe', match: 0, next: 10, rejected: 5, hint: 5, after: undefined },
    { state: 'probe', match: 0, next: 10, rejected: 9, hint: 9, after: 9 },
    { state: 'probe', match: 0, next: 10, rejected: 9, hint: 2, after: 3 },
    { state: 'probe', match: 0, next: 10, rejected: 9, hint: 0, after: 1 },
    { state: 'probe', match: 0, next: 2, rejected: 1, hint: 1, after: 1 },
    { state: 'probe', match: 0, next: 1, rejected: 0, hint: 0, after: 1 },
  ] as const)(
    'T-9: $state ($match, $next), rejected $rejected, hint $hint -> next $after',
    (row) => {
      const progress = progressOf(row.state, row.match, row.next);
      expect(progress.maybeDecrease(row.rejected, row.hint)).toBe(row.after !== undefined);
      expect(progress).toMatchObject({ match: row.match, next: row.after ?? row.next });
    },
  );

  test('T-10: status of a silent learner that gets a snapshot -> says all of it', () => {
    const solo = new Solo({ voters: [1], learners: [2], inflightMessagesMax: 1 });
    solo.lead();
    const progress = solo.progress(2);
    Object.assign(progress, { match: 1, next: 2, state: 'snapshot', pendingSnapshot: 123 });
    progress.recentActive = false;
    progress.inflights.add(1, 1);
    expect(solo.progressStatus(2)).toEqual({
      id: 2,
      state: 'snapshot',
      match: 1,
      next: 2,
      learner: true,
      paused: true,
      pendingSnapshot: 123,
      recentActive: false,
      answers: 0,
      inflightCount: 1,
      inflightFull: true,
    });
  });
});
