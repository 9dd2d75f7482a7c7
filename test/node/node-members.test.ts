// The parts of the membership put together, where they call each other.
import { describe, expect, test } from 'vitest';
import { type KontikiError, kontikiError } from '../../src/base/errors.js';
import { encodeMemberList } from '../../src/codec/member-codec.js';
import {
  decodeInquiry,
  decodeJoinAnswer,
  encodeJoinQuestion,
  encodeMembershipAnswer,
  encodeMembershipQuestion,
} from '../../src/codec/membership-codec.js';
import { NodeMembers, type NodeMembersParts } from '../../src/node/node-members.js';
import { restoreConfiguration } from '../../src/raft/configuration.js';
import { encodeConfChange } from '../../src/raft/index.js';
import type { Transport } from '../../src/transport/transport.js';
import { VirtualTime } from './virtual-time.js';

/** The first of three, which was just elected: by default it has committed nothing in its term. */
function youngLeader(committedTerm = 1, readIndex = async () => {}) {
  const time = new VirtualTime();
  let asked = 0;
  const questions = {
    // As the driver does: a leader answers itself.
    ask: (question: Uint8Array) => {
      asked += 1;
      return members.answer(question);
    },
  };
  const raft = { role: 'leader', term: 2, status: () => ({ commit: 5, progress: [] }) };
  const members: NodeMembers = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2, 3] },
    options: { peerMemory: { load: () => new Map(), save: async () => undefined } },
    log: { term: () => committedTerm },
    transport: { updatePeers: () => undefined },
    ...{ readIndex, raft, questions, clock: time, timers: time, electionMs: 1_000 },
  } as unknown as NodeMembersParts);
  return { members, raft, time, asked: () => asked };
}

/** A member that knows nobody who leads, and whose questions end in `error`. */
function lonely(
  linked: readonly number[],
  error: KontikiError,
  answers = {},
  met: readonly number[] = linked,
  inquire?: Transport['inquire'],
) {
  const known = { dirId: 'c', life: 0, token: 0, term: 0, lastIndex: 0 };
  const load = () => new Map(met.map((id) => [id, known]));
  const time = new VirtualTime();
  const through: number[] = [];
  const questions = {
    ask: async () => Promise.reject(error),
    askThrough: async (member: number) => {
      through.push(member);
      throw error;
    },
    ...answers,
  };
  const members = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2, 3] },
    options: { peerMemory: { load, save: async () => undefined } },
    log: { term: () => 1 },
    transport: { inquire, updatePeers: () => undefined },
    raft: { role: 'follower', term: 2, leader: 0, status: () => ({ commit: 5, leader: 0 }) },
    linked: () => linked,
    ...{ questions, clock: time, timers: time, electionMs: 1_000 },
  } as unknown as NodeMembersParts);
  return { members, through };
}

test('a member that stops for it was removed: a peer it asked about -> put off, not told that *it* was', async () => {
  const removed = kontikiError('MEMBER_REMOVED', 'node: member 1 was removed from its group');
  for (const linked of [[], [3]]) {
    const { members } = lonely(linked, removed);
    const admitted = members.admit({ clusterId: 7, memberId: 2, dirId: 'b' }, false);
    await expect(admitted).rejects.toMatchObject({ code: 'NO_LEADER' });
  }
});

test('no leader is known: others are asked by turns', async () => {
  const { members, through } = lonely([3, 4, 5], kontikiError('NO_LEADER', 'nobody'), {}, [3, 4]);
  for (let nth = 0; nth < 3; nth += 1) {
    const admitted = members.admit({ clusterId: 7, memberId: 2, dirId: 'b' }, false);
    await expect(admitted).rejects.toMatchObject({ code: 'NO_LEADER' });
  }
  expect(through).toEqual([4, 3, 4]);
});

describe('nobody who can be asked by messages was ever let in, whose answers would never come', () => {
  const peer = { clusterId: 7, memberId: 2, dirId: 'b'.repeat(32), address: '127.0.0.1:9' };
  const done = encodeMembershipAnswer({ status: 'done', id: 2 });
  const removed = { code: 'MEMBER_REMOVED', message: 'away with it' } as const;

  function asking(answer: () => Promise<Uint8Array | undefined>) {
    const asked: [string, unknown][] = [];
    const { members, through } = lonely(
      [2, 3],
      kontikiError('NO_LEADER', 'nobody'),
      {},
      [],
      (at: string, question: Uint8Array) => {
        asked.push([at, decodeInquiry(question)]);
        return answer();
      },
    );
    return { members, through, asked };
  }

  test('a leader answers at the address -> the peer is let in, asked for without a trace', async () => {
    const { members, through, asked } = asking(async () => done);
    await members.admit(peer, false);
    const { address, ...identity } = peer;
    expect(asked).toEqual([[address, { kind: 'vouch', peer: identity, probe: true }]]);
    expect(through).toEqual([]);
    await members.admit(peer, false);
    expect(asked, 'it is remembered').toHaveLength(1);
  });

  const answers: [string, () => Promise<Uint8Array | undefined>][] = [
    ['nobody answers', async () => undefined],
    [
      'one answers "refused", who may be anyone',
      async () => encodeMembershipAnswer({ status: 'refused', ...removed }),
    ],
    ['one says so of another', async () => encodeMembershipAnswer({ status: 'done', id: 3 })],
    ['one answers something else', async () => Uint8Array.of(9, 9)],
    ['a stranger is there', () => Promise.reject(kontikiError('TRANSPORT_IO', 'a stranger'))],
  ];
  test.each(answers)('%s -> put off', async (_what, answer) => {
    const { members } = asking(answer);
    await expect(members.admit(peer, false)).rejects.toMatchObject({ code: 'NO_LEADER' });
  });
});

test('asked at its address by anybody -> of a leader "I know it", of others nothing', async () => {
  const question = (memberId: number, dirId: string) => {
    const peer = { clusterId: 7, memberId, dirId: dirId.repeat(32) };
    return encodeMembershipQuestion({ kind: 'vouch', peer, probe: true });
  };
  const { members } = youngLeader(2);
  await members.admit({ clusterId: 7, memberId: 2, dirId: 'b'.repeat(32) }, false);
  const done = encodeMembershipAnswer({ status: 'done', id: 2 });
  expect(await members.answerInquiry(question(2, 'b'))).toEqual(done);
  for (const [id, dirId] of [
    [2, 'c'],
    [3, 'b'],
  ] as const) {
    await expect(members.answerInquiry(question(id, dirId))).rejects.toThrow();
  }
  const { members: follower } = lonely([2], kontikiError('NO_LEADER', 'nobody'));
  await expect(follower.answerInquiry(question(2, 'c'))).rejects.toMatchObject({
    code: 'NO_LEADER',
  });
});

test('a founder that got its address later -> one that joins is told it', async () => {
  const member = { id: 1, name: 'a', address: 'a:1', promote: false };
  const founder = { ...member, address: '' };
  const gone = { ...founder, id: 3, name: 'c' };
  const context = encodeMemberList({
    members: [member, { ...member, id: 2, name: 'b' }],
    removed: [],
  });
  const peerMemory = { load: () => new Map(), save: async () => undefined };
  const time = new VirtualTime();
  const members = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2], context },
    options: { joining: { token: 'blue', founders: [founder, gone] }, peerMemory },
    transport: { updatePeers: () => undefined },
    raft: { role: 'leader', term: 2 },
    ...{ log: {}, questions: {}, clock: time, timers: time, electionMs: 1_000 },
  } as unknown as NodeMembersParts);
  const answer = await members.answerInquiry(encodeJoinQuestion({ token: 'blue', name: 'b' }));
  expect(decodeJoinAnswer(answer!)).toMatchObject({ founders: [member, gone] });
});

test('one that joins asks a member that knows no leader -> answered by its list, a fifth of an election timeout later', async () => {
  const list = [1, 2].map((id) => ({ id, name: `n${id}`, address: `${id}:1`, promote: false }));
  const context = encodeMemberList({ members: list, removed: [] });
  const peerMemory = { load: () => new Map(), save: async () => undefined };
  const time = new VirtualTime();
  const members = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2], context },
    options: { joining: { token: 'blue', founders: list }, peerMemory },
    transport: { updatePeers: () => undefined },
    raft: { role: 'follower', leader: 0, term: 2 },
    readIndex: () => Promise.reject(new Error('nobody leads')),
    ...{ log: {}, questions: {}, clock: time, timers: time, electionMs: 1_000 },
  } as unknown as NodeMembersParts);
  let answer: Uint8Array | undefined;
  const question = encodeJoinQuestion({ token: 'blue', name: 'n2' });
  const asked = members.answerInquiry(question).then((given) => {
    answer = given;
  });
  // Whoever has a leader, and is asked beside it, has a newer list.
  await time.run(199);
  expect(answer).toBeUndefined();
  await time.run(1);
  await asked;
  expect(decodeJoinAnswer(answer!)).toMatchObject({ kind: 'member', memberId: 2 });
});

test('a question to be passed on -> to the leader, once; others are not', async () => {
  const asked: Uint8Array[] = [];
  const questions = {
    ask: async (question: Uint8Array) => {
      asked.push(question);
      return Uint8Array.of(1);
    },
  };
  const { members } = lonely([], kontikiError('NO_LEADER', 'nobody'), questions);
  const peer = { clusterId: 7, memberId: 2, dirId: 'b'.repeat(32) };
  const vouch = { kind: 'vouch', peer, probe: false } as const;
  expect(await members.relay(encodeMembershipQuestion(vouch))).toEqual(Uint8Array.of(1));
  const relayed = encodeMembershipQuestion({ ...vouch, isRelayed: true });
  expect(asked).toEqual([relayed]);
  await expect(members.relay(relayed)).rejects.toMatchObject({ code: 'NO_LEADER' });
});

/** A member of three that is about to apply its own removal. */
async function leaving(role: string) {
  const time = new VirtualTime();
  const failures: unknown[] = [];
  const raft = {
    ...{ role, term: 2, leader: 0, status: () => ({ commit: 5, leader: 0 }) },
    applyConfChange: () => restoreConfiguration({ voters: [2, 3] }),
  };
  const members = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2, 3] },
    options: { peerMemory: { load: () => new Map(), save: async () => undefined } },
    log: { term: () => 1, append: async () => undefined },
    transport: { updatePeers: () => undefined },
    observer: { configured: () => undefined },
    onChanged: () => undefined,
    onFailed: (error: unknown) => failures.push(error),
    ...{ raft, questions: {}, clock: time, timers: time, electionMs: 1_000, wake: () => undefined },
  } as unknown as NodeMembersParts);
  const removal = encodeConfChange({ type: 'remove', memberId: 1 });
  await members.beforeApply([{ term: 2, index: 6, ...removal }]);
  return { failures, members, time };
}

test.each([
  ['follower', 'at once'],
  ['leader', 'two election timeouts later: it may be the only one to know'],
])('a %s applies its own removal -> it stops %s', async (role) => {
  const { failures, members, time } = await leaving(role);
  expect(failures).toEqual([]);
  members.applied();
  const removed = expect.objectContaining({ code: 'MEMBER_REMOVED' });
  expect(failures).toEqual(role === 'leader' ? [] : [removed]);
  await time.run(2_000);
  expect(failures).toEqual([removed]);
});

test.each(['follower', 'leader'])(
  'a %s that is closed applies its own removal -> no timer, no end',
  async (role) => {
    const { failures, members, time } = await leaving(role);
    members.close(kontikiError('CLOSED', 'closed'));
    members.applied();
    expect(time.pending).toBe(0);
    expect(failures).toEqual([]);
  },
);

describe('a leader and a member that it never met', () => {
  const peer = { clusterId: 7, memberId: 2, dirId: 'b' };

  // Asked, it could not answer if the quorum needs this very member.
  test('its process went on all the time -> taken, and no quorum is asked', async () => {
    const { members } = youngLeader(2, () => new Promise(() => undefined));
    await members.admit(peer, false);
  });

  test.each([
    ['is leading still', 'leader', undefined],
    ['was deposed meanwhile', 'follower', 'NO_LEADER'],
  ] as const)('its process stood still, and it %s -> a quorum is asked', async (_, role, code) => {
    for (const isTicked of [false, true]) {
      let asked = 0;
      const { members, raft, time } = youngLeader(2, async () => {
        asked += 1;
        raft.role = role;
      });
      await time.run(1_001);
      if (isTicked) members.tick();
      const admitted = members.admit(peer, false);
      if (code === undefined) await admitted;
      else await expect(admitted).rejects.toMatchObject({ code });
      expect(asked).toBe(1);
    }
  });
});

test('a leader that committed nothing yet: a member it never met -> put off, without asking itself', async () => {
  const { members, asked } = youngLeader();
  const admitted = members.admit({ clusterId: 7, memberId: 2, dirId: 'b' }, false);
  await expect(admitted).rejects.toMatchObject({ code: 'NO_LEADER' });
  expect(asked()).toBe(0);
});
