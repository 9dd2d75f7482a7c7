// When a learner counts as caught up, and how a leader goes that is to be removed.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import {
  decodeMembershipAnswer,
  encodeMembershipQuestion,
  type MembershipRequest,
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
  ...{ paused: false, pendingSnapshot: 0, recentActive: true, answers: 1 },
  ...{ inflightCount: 0, inflightFull: false, ...more },
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

interface Group {
  /** Those that answer; default all. */
  readonly answering?: readonly number[];
  readonly hasSpace?: boolean;
  /** Of members by id; default all of the log. */
  readonly match?: Readonly<Record<number, number>>;
  readonly learners?: readonly number[];
}

/** The first of three, or of more with learners, which can be asked for one thing again and again. */
function leading(asked: Partial<MembershipRequest>, group: Group = {}) {
  const { answering = [1, 2, 3], hasSpace = true, learners = [], match = {} } = group;
  let nowMs = 0;
  let answers = 0;
  const voters = [1, 2, 3];
  const ids = [...voters, ...learners];
  const handedTo: { readonly to: number; readonly atMs: number }[] = [];
  const configuration = restoreConfiguration({ voters, learners });
  const progress = () =>
    ids.map((id) =>
      progressOf({
        ...{ id, learner: learners.includes(id), match: match[id] ?? lastIndex },
        answers: answering.includes(id) ? answers : 0,
      }),
    );
  let transferee = 0;
  const raft = {
    ...{ role: 'leader', term: 4 },
    status: () => ({
      ...{ id: 1, progress: progress(), voters, configuration, lastIndex, applied: 9, transferee },
    }),
    transferLeader: (to: number) => {
      transferee = to;
      handedTo.push({ to, atMs: nowMs });
    },
  };
  const directory = MemberDirectory.ofFounders(
    ids.map((id) => ({ id, name: `n${id}`, address: `${id}:1`, promote: false })),
  );
  const leader = new MembershipLeader({
    ...{ raft, electionMs: 1_000, log: { hasSpace }, wake: () => undefined },
    ...{ clock: { monotonicMs: () => nowMs }, membership: { configuration, directory } },
    ...{ identity: { clusterId: 7, memberId: 1, dirId: 'a' }, readIndex: async () => undefined },
  } as unknown as MembershipLeaderParts);
  const request = { ...noTexts, kind: 'remove', id: 1, by: 0, ...asked } as const;
  const question = encodeMembershipQuestion({ kind: 'change', request, isRetry: false });
  const ask = async (atMs: number) => {
    nowMs = atMs;
    answers += 1;
    leader.tick();
    const answer = decodeMembershipAnswer(await leader.answer(question));
    transferee = 0;
    return answer;
  };
  return { ask, handedTo };
}

describe('a leader that is to be removed', () => {
  // `kontiki sim --profile members --seed 11`: two that were both to go handed leadership to and fro.
  test('was just handed leadership -> keeps it for an election timeout, then hands it over', async () => {
    const { ask, handedTo } = leading({ kind: 'remove', id: 1 });
    for (const atMs of [0, 500, 1_000]) {
      expect(await ask(atMs)).toEqual({ status: 'again' });
    }
    expect(handedTo).toEqual([]);
    expect(await ask(1_001)).toEqual({ status: 'again' });
    expect(handedTo).toEqual([{ to: 2, atMs: 1_001 }]);
  });

  test('a voter that was added, and has never answered -> is not handed leadership', async () => {
    const match = { 3: lastIndex - 1 };
    const { ask, handedTo } = leading({ kind: 'remove', id: 1 }, { answering: [1, 3], match });
    await ask(0);
    await ask(1_001);
    expect(handedTo).toEqual([]); // of two that there would be, one answers
    const all = leading({ kind: 'remove', id: 1 }, { match });
    await all.ask(0);
    await all.ask(1_001);
    expect(all.handedTo).toEqual([{ to: 2, atMs: 1_001 }]);
  });
});

describe('leadership that is to move', () => {
  test('to one that does not take over -> a handover, a rest in which writes go on, the next', async () => {
    const { ask, handedTo } = leading({ kind: 'transfer', id: 2 });
    for (let atMs = 0; atMs <= 7_000; atMs += 100) {
      expect(await ask(atMs)).toEqual({ status: 'again' });
    }
    expect(handedTo.map(({ atMs }) => atMs)).toEqual([0, 3_000, 6_000]);
  });

  test('to one that has nearly all, and one that lags -> the first alone', async () => {
    const match = { 2: lastIndex - limits.learnerLagEntriesMax, 3: 100 };
    for (const [id, moves] of [
      [2, 1],
      [3, 0],
    ] as const) {
      const { ask, handedTo } = leading({ kind: 'transfer', id }, { match });
      expect(await ask(0)).toEqual({ status: 'again' });
      expect(handedTo).toHaveLength(moves);
    }
  });

  test('from a leader without space -> it moves, where a change is refused', async () => {
    const full = { hasSpace: false, learners: [4], answering: [1, 2, 3, 4] };
    const moving = leading({ kind: 'transfer', id: 2 }, full);
    await moving.ask(0);
    expect(moving.handedTo).toHaveLength(1);
    const leaving = leading({ kind: 'remove', id: 1 }, full);
    await leaving.ask(0);
    await leaving.ask(1_001);
    expect(leaving.handedTo).toHaveLength(1);
    const changing = leading({ kind: 'promote', id: 4 }, full);
    expect(await changing.ask(0)).toMatchObject({ status: 'refused', code: 'NO_SPACE' });
  });
});

describe('who answers', () => {
  test('a learner cannot lead, whoever was heard of -> refused at once', async () => {
    const { ask } = leading({ kind: 'transfer', id: 4 }, { learners: [4] });
    expect(await ask(0)).toMatchObject({ status: 'refused', code: 'LEARNER_NOT_READY' });
  });

  const promote = { kind: 'promote', id: 4 } as const;

  test('a learner that a new leader has not heard of -> again; later it is refused', async () => {
    const { ask } = leading(promote, { learners: [4] });
    expect(await ask(0)).toEqual({ status: 'again' });
    expect(await ask(1_000)).toEqual({ status: 'again' });
    expect(await ask(1_001)).toMatchObject({ status: 'refused', code: 'LEARNER_NOT_READY' });
  });

  test('one that was added and never answered -> does not count, whatever the core says', async () => {
    const { ask } = leading({ kind: 'remove', id: 2 }, { answering: [1, 2] });
    await ask(0);
    expect(await ask(1_001)).toMatchObject({ status: 'refused', code: 'QUORUM_AT_RISK' });
  });
});

const noTexts = { name: '', address: '', voter: false, promote: false };
