import { describe, expect, test } from 'vitest';
import { Progress, type ProgressState } from '../../src/raft/progress.js';

function progressOf(fields: {
  readonly state: ProgressState;
  readonly match: number;
  readonly next: number;
  readonly window?: number;
}): Progress {
  const progress = new Progress({
    match: fields.match,
    next: fields.next,
    inflightMessagesMax: fields.window ?? 256,
    inflightBytesMax: Infinity,
  });
  progress.state = fields.state;
  return progress;
}

describe('progress: acknowledgements', () => {
  test.each([
    { index: 2, news: false, match: 3, next: 5 },
    { index: 3, news: false, match: 3, next: 5 },
    { index: 4, news: true, match: 4, next: 5 },
    { index: 5, news: true, match: 5, next: 6 },
  ])('T-8 match 3, next 5, acknowledged $index -> match $match, next $next', (row) => {
    const progress = progressOf({ state: 'replicate', match: 3, next: 5 });
    expect(progress.maybeUpdate(row.index)).toBe(row.news);
    expect([progress.match, progress.next]).toEqual([row.match, row.next]);
  });

  test('T-6 paused -> an acknowledgement or a rejection with news ends it', () => {
    const updated = progressOf({ state: 'probe', match: 0, next: 2 });
    updated.flowPaused = true;
    updated.maybeUpdate(1);
    expect(updated.paused).toBe(false);
    const decreased = progressOf({ state: 'probe', match: 0, next: 2 });
    decreased.flowPaused = true;
    decreased.maybeDecrease(1, 1);
    expect(decreased.paused).toBe(false);
  });
});

describe('progress: rejections', () => {
  test.each([
    { state: 'replicate', match: 5, next: 10, rejected: 5, hint: 5, news: false, after: 10 },
    { state: 'replicate', match: 5, next: 10, rejected: 4, hint: 4, news: false, after: 10 },
    { state: 'replicate', match: 5, next: 10, rejected: 9, hint: 9, news: true, after: 6 },
    { state: 'probe', match: 0, next: 1, rejected: 1, hint: 1, news: false, after: 1 },
    { state: 'probe', match: 0, next: 10, rejected: 5, hint: 5, news: false, after: 10 },
    { state: 'probe', match: 0, next: 10, rejected: 9, hint: 9, news: true, after: 9 },
    { state: 'probe', match: 0, next: 10, rejected: 9, hint: 2, news: true, after: 3 },
    { state: 'probe', match: 0, next: 10, rejected: 9, hint: 0, news: true, after: 1 },
    { state: 'probe', match: 0, next: 2, rejected: 1, hint: 1, news: true, after: 1 },
    { state: 'probe', match: 0, next: 1, rejected: 0, hint: 0, news: true, after: 1 },
    // H4: whatever a late rejection hints, next stays above match.
    { state: 'probe', match: 4, next: 6, rejected: 5, hint: 1, news: true, after: 5 },
  ] as const)(
    'T-9 $state match $match next $next, rejected $rejected hint $hint -> next $after',
    (row) => {
      const progress = progressOf(row);
      expect(progress.maybeDecrease(row.rejected, row.hint)).toBe(row.news);
      expect(progress.next).toBe(row.after);
      expect(progress.match).toBe(row.match);
    },
  );

  test('a rejection -> what was told about the commit index is taken back with it', () => {
    const progress = progressOf({ state: 'probe', match: 0, next: 10 });
    progress.sentCommit = 8;
    progress.maybeDecrease(9, 3);
    expect(progress.sentCommit).toBe(3);
  });
});

describe('progress: states', () => {
  test.each(['probe', 'replicate'] as const)(
    'T-7 %s becomes probe -> next is match + 1',
    (state) => {
      const progress = progressOf({ state, match: 1, next: 5 });
      if (state === 'replicate') progress.inflights.add(4, 10);
      progress.sentCommit = 4;
      progress.becomeProbe();
      expect(progress).toMatchObject({ state: 'probe', match: 1, next: 2, sentCommit: 1 });
      expect(progress.inflights.count).toBe(0);
      expect(progress.inflights.bytes).toBe(0);
    },
  );

  test('becomes replicate -> streams from match + 1, nothing pending', () => {
    const progress = progressOf({ state: 'probe', match: 1, next: 5 });
    progress.flowPaused = true;
    progress.fetching = 3;
    progress.becomeReplicate();
    expect(progress).toMatchObject({ state: 'replicate', next: 2, paused: false });
    expect(progress.fetching).toBeUndefined();
  });

  test('probe -> one message with entries pauses it, empty ones (A-14) do not', () => {
    const progress = progressOf({ state: 'probe', match: 0, next: 1 });
    progress.sentEntries(0, 0);
    progress.sentEntries(0, 0);
    expect(progress.paused).toBe(false);
    progress.sentEntries(2, 10);
    expect(progress).toMatchObject({ paused: true, next: 1 });
  });

  test('replicate -> next runs ahead until the window is full', () => {
    const progress = progressOf({ state: 'replicate', match: 0, next: 1, window: 2 });
    progress.sentEntries(3, 10);
    expect(progress).toMatchObject({ paused: false, next: 4 });
    progress.sentEntries(1, 10);
    expect(progress).toMatchObject({ paused: true, next: 5 });
    expect(progress.inflights.indexes()).toEqual([3, 4]);
  });

  test.each([
    { commit: 4, sentCommit: 4, next: 9, can: false },
    { commit: 5, sentCommit: 4, next: 9, can: true },
    { commit: 5, sentCommit: 4, next: 5, can: false },
    { commit: 5, sentCommit: 4, next: 6, can: true },
  ])('commit $commit, told $sentCommit, next $next -> worth telling: $can', (row) => {
    const progress = progressOf({ state: 'replicate', match: 0, next: row.next });
    progress.sentCommit = row.sentCommit;
    expect(progress.canBumpCommit(row.commit)).toBe(row.can);
  });

  test('check: next not above match, or something in flight while probing -> asserts', () => {
    const low = progressOf({ state: 'replicate', match: 5, next: 5 });
    expect(() => low.check(9)).toThrow(/match 5 < next 5/);
    const high = progressOf({ state: 'replicate', match: 5, next: 11 });
    expect(() => high.check(9)).toThrow(/last 9/);
    const probe = progressOf({ state: 'probe', match: 0, next: 5 });
    probe.inflights.add(4, 1);
    expect(() => probe.check(9)).toThrow(/only a stream/);
  });
});
