// When a learner counts as caught up.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { isCaughtUp } from '../../src/node/membership-leader.js';
import type { ProgressStatus } from '../../src/raft/status.js';

const lastIndex = 5_000;
const progressOf = (more: Partial<ProgressStatus>): ProgressStatus => ({
  ...{ id: 4, state: 'replicate', match: lastIndex, next: lastIndex + 1, learner: true },
  ...{ paused: false, pendingSnapshot: 0, recentActive: true, inflightCount: 0 },
  ...{ inflightFull: false, ...more },
});

describe('caught up', () => {
  test.each([
    [0, true],
    [limits.learnerLagEntriesMax, true],
    [limits.learnerLagEntriesMax + 1, false],
  ])('a learner that is %i entries behind -> %s', (behind, expected) => {
    const progress = [progressOf({ match: lastIndex - behind })];
    expect(isCaughtUp({ lastIndex, progress }, 4)).toBe(expected);
  });

  test('one that never answered, is probed or gets a snapshot, or is nobody -> not', () => {
    const started = { lastIndex: 3, progress: [progressOf({ match: 0 })] };
    expect(isCaughtUp(started, 4)).toBe(false);
    for (const state of ['probe', 'snapshot'] as const) {
      expect(isCaughtUp({ lastIndex, progress: [progressOf({ state })] }, 4)).toBe(false);
    }
    expect(isCaughtUp({ lastIndex, progress: [progressOf({})] }, 5)).toBe(false);
  });
});
