// The parts of the membership put together, where they call each other.
import { expect, test } from 'vitest';
import { NodeMembers, type NodeMembersParts } from '../../src/node/node-members.js';
import { VirtualTime } from './virtual-time.js';

/** The first of three, which was just elected: it has committed nothing in its term. */
function youngLeader() {
  const time = new VirtualTime();
  let asked = 0;
  const questions = {
    // As the driver does: a leader answers itself.
    ask: (question: Uint8Array) => {
      asked += 1;
      return members.answer(question);
    },
  };
  const raft = { role: 'leader', term: 2, status: () => ({ commit: 5 }) };
  const members: NodeMembers = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2, 3] },
    options: { peerMemory: { load: () => new Map(), save: async () => undefined } },
    log: { term: () => 1 },
    transport: { updatePeers: () => undefined },
    ...{ raft, questions, clock: time, timers: time, electionMs: 1_000 },
  } as unknown as NodeMembersParts);
  return { members, asked: () => asked };
}

test('a leader that committed nothing yet: a member it never met -> put off, without asking itself', async () => {
  const { members, asked } = youngLeader();
  const admitted = members.admit({ clusterId: 7, memberId: 2, dirId: 'b' }, false);
  await expect(admitted).rejects.toMatchObject({ code: 'NO_LEADER' });
  expect(asked()).toBe(0);
});
