// When a learner counts as caught up, and how a leader goes that is to be removed.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import {
  decodeMembershipAnswer,
  encodeMembershipQuestion,
} from '../../src/codec/membership-codec.js';
import { MemberDirectory } from '../../src/node/member-directory.js';
import {
  isCaughtUp,
  MembershipLeader,
  type MembershipLeaderParts,
} from '../../src/node/membership-leader.js';
import { restoreConfiguration } from '../../src/raft/configuration.js';
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

describe('a leader that is to be removed', () => {
  /** The first of three, all of which answer. */
  function leading() {
    let nowMs = 0;
    const handedTo: number[] = [];
    const state = { voters: [1, 2, 3] };
    const configuration = restoreConfiguration(state);
    const progress = [1, 2, 3].map((id) => progressOf({ id, learner: false }));
    const raft = {
      ...{ role: 'leader', term: 4 },
      status: () => ({ id: 1, progress, configuration, lastIndex, applied: 9, transferee: 0 }),
      transferLeader: (to: number) => void handedTo.push(to),
    };
    const founders = [1, 2, 3].map((id) => ({
      id,
      name: `n${id}`,
      address: `${id}:1`,
      promote: false,
    }));
    const directory = MemberDirectory.ofFounders(founders);
    const leader = new MembershipLeader({
      ...{ raft, electionMs: 1_000, log: { hasSpace: true }, wake: () => undefined },
      ...{ clock: { monotonicMs: () => nowMs }, membership: { configuration, directory } },
      identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    } as unknown as MembershipLeaderParts);
    const request = { kind: 'remove', id: 1, by: 0, ...noTexts } as const;
    const question = encodeMembershipQuestion({ kind: 'change', request, isRetry: false });
    const ask = async (atMs: number) => {
      nowMs = atMs;
      leader.tick();
      return decodeMembershipAnswer(await leader.answer(question));
    };
    return { ask, handedTo };
  }

  // `kontiki sim --profile members --seed 11`: two that were both to go handed leadership to and fro.
  test('was just handed leadership -> keeps it for an election timeout, then hands it over', async () => {
    const { ask, handedTo } = leading();
    for (const atMs of [0, 500, 1_000]) {
      expect(await ask(atMs)).toEqual({ status: 'again' });
    }
    expect(handedTo).toEqual([]);
    expect(await ask(1_001)).toEqual({ status: 'again' });
    expect(handedTo).toEqual([2]);
  });
});

const noTexts = { name: '', address: '', voter: false, promote: false };
