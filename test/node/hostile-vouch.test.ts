import { expect, test } from 'vitest';
import { encodeMembershipQuestion } from '../../src/codec/membership-codec.js';
import { NodeMembers, type NodeMembersParts } from '../../src/node/node-members.js';
import { VirtualTime } from './virtual-time.js';

test('a member asks about a life that another one never had -> that one is let in all the same', async () => {
  const time = new VirtualTime();
  const members = new NodeMembers({
    identity: { clusterId: 7, memberId: 1, dirId: 'a' },
    initial: { voters: [1, 2, 3] },
    options: { peerMemory: { load: () => new Map(), save: async () => undefined } },
    log: { term: () => 2 },
    transport: { updatePeers: () => undefined },
    raft: { role: 'leader', term: 2, status: () => ({ commit: 5, progress: [] }) },
    ...{ readIndex: async () => {}, questions: {}, clock: time, timers: time, electionMs: 1_000 },
  } as unknown as NodeMembersParts);
  const life = { number: 3, tokens: [33, 22, 11], term: 2, lastIndex: 4 };
  const other = { clusterId: 7, memberId: 2, dirId: '2'.padStart(32, '0') };
  await members.admit({ ...other, life }, false);
  // In an ask-request of member 3. The directory's id and life are in every hello of member 2 to it.
  const peer = { ...other, life: { ...life, number: 1_000_000, tokens: [1] } };
  await members.answer(encodeMembershipQuestion({ kind: 'vouch', peer, probe: false }));
  // Member 2 connects again, as after any break of its connection.
  await expect(members.admit({ ...other, life }, false)).resolves.toBeUndefined();
});
