/** Defects of the core: the quorum check, leases and pledges. */
import type { Defect } from '../defect.js';

export const lease: readonly Defect[] = [
  {
    name: 'quorum: a leader alone goes on',
    file: 'leader.ts',
    find: '  if (!active) raft.becomeFollower(raft.term, noMember);\n',
    replace: '',
  },
  {
    name: 'quorum: who was heard once counts for ever',
    file: 'leader.ts',
    find: '    if (id !== raft.id) progress.recentActive = false;',
    replace: '    if (id === noMember) progress.recentActive = false;',
  },
  {
    name: 'quorum: a new member counts as silent (H36)',
    file: 'reconfigure.ts',
    find: '  progress.recentActive = true;\n',
    replace: '',
  },
  {
    name: 'quorum: a follower with a leader helps to depose it',
    file: 'term-gate.ts',
    find: 'if (message.transfer !== true && refusesToDepose(raft)) return false;',
    replace: '',
  },
  {
    name: 'quorum: a follower with a leader encourages others',
    file: 'term-gate.ts',
    find: 'return !refusesToDepose(raft);',
    replace: 'return true;',
  },
  {
    name: 'quorum: a member without a leader refuses (H11)',
    file: 'term-gate.ts',
    find: '    raft.leader !== noMember &&\n',
    replace: '',
  },
  {
    name: 'lease: counts from the answer, not the sending (O3)',
    file: 'lease.ts',
    find: 'nowMs < since + leaseMs',
    replace: 'nowMs < since + 2 * leaseMs',
  },
  {
    name: 'lease: goes on while leadership is handed over (O4)',
    file: 'transfer.ts',
    find: '  raft.lease.revoke();\n',
    replace: '',
  },
  {
    name: 'lease: a member that pledges nothing counts',
    file: 'follower.ts',
    find: 'const sentAt = raft.leaseMs > 0 ? message.sentAt : 0;',
    replace: 'const { sentAt } = message;',
  },
  {
    name: 'lease: a pledge is forgotten with the term',
    file: 'term-gate.ts',
    find: '  if (raft.pledgeTicks > 0) return true;\n',
    replace: '',
  },
  {
    name: 'lease: a pledge is forgotten within the term',
    file: 'candidate.ts',
    find: '(forced || raft.pledgeTicks === 0)',
    replace: '(forced || raft.pledgeTicks >= 0)',
  },
  {
    name: 'lease: a pledge is forgotten by a restart',
    file: 'raft.ts',
    find: 'if (this.leaseMs > 0) this.pledgeTicks = this.pledgeLength;',
    replace: '',
  },
  {
    name: 'lease: a pledged member campaigns in time',
    file: 'raft.ts',
    find: '    if (this.pledgeTicks > 0) return;\n',
    replace: '',
  },
  {
    name: 'lease: a pledged member campaigns when told to (O5)',
    file: 'raw-node.ts',
    find: '    if (this.#raft.pledgeTicks > 0) return;\n',
    replace: '',
  },
  {
    name: 'lease: a pledged member forgets its leader',
    file: 'raw-node.ts',
    find: '|| leaseMs > 0 || pledgeTicks > 0) return;',
    replace: ') return;',
  },
  {
    name: 'lease: reads before the first own commit (O2)',
    file: 'read-index.ts',
    find: 'leaseMs > 0 && hasCommittedInTerm && lease',
    replace: 'leaseMs > 0 && lease',
  },
  {
    name: 'lease: an older time, or none, still proves it',
    file: 'lease.ts',
    find: 'since > 0 && since <= nowMs && nowMs',
    replace: 'since > 0 && nowMs',
  },
  {
    name: 'lease: an echo of what was never sent counts',
    file: 'leader.ts',
    find: 'if (message.sentAt <= raft.nowMs) raft.lease',
    replace: 'raft.lease',
  },
];
