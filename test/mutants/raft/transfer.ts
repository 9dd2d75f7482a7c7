/** Defects of the core: handing leadership over. */
import type { Defect } from '../defect.js';

export const transfer: readonly Defect[] = [
  {
    name: 'transfer: does not end in time',
    file: 'leader.ts',
    find: "    if (raft.role === 'leader') abortTransfer(raft);\n",
    replace: '',
  },
  {
    name: 'transfer: proposals are taken meanwhile',
    file: 'propose.ts',
    find: '  if (raft.transferee !== noMember) {\n    throw',
    replace: '  if (raft.transferee === Infinity) {\n    throw',
  },
  {
    name: 'transfer: a lagging target is told at once',
    file: 'transfer.ts',
    find: '  if (progress.match === raft.log.lastIndex) sendTimeoutNow(raft, to);\n  else maybeSendAppend(raft, to, true);',
    replace: '  sendTimeoutNow(raft, to);',
  },
  {
    name: 'transfer: a target that caught up is not told',
    file: 'replication.ts',
    find: '  continueTransfer(raft, message.from, progress.match);\n',
    replace: '',
  },
  {
    name: 'transfer: to a learner',
    file: 'transfer.ts',
    find: 'if (progress === undefined || !isVoter(raft.configuration, to)) return;',
    replace: 'if (progress === undefined) return;',
  },
  {
    name: 'transfer: goes on when the target is removed',
    file: 'reconfigure.ts',
    find: '  if (!isVoter(configuration, raft.transferee)) abortTransfer(raft);\n',
    replace: '',
  },
  {
    name: 'transfer: asking again extends it',
    file: 'transfer.ts',
    find: '  if (to === raft.transferee) return;\n',
    replace: '',
  },
  {
    name: 'transfer: the forced vote is not marked',
    file: 'candidate.ts',
    find: '...told, transfer: true });',
    replace: '...told });',
  },
  {
    name: 'transfer: anybody may order a campaign (O11)',
    file: 'follower.ts',
    find: "if (message.from === raft.leader) hup(raft, 'transfer');",
    replace: "hup(raft, 'transfer');",
  },
  {
    name: 'transfer: a follower swallows the request',
    file: 'follower.ts',
    find: '      passOn(raft, message);\n',
    replace: '',
  },
  {
    name: 'transfer: an order of a later term counts (O11)',
    file: 'term-gate.ts',
    find: '      return false;\n    default:',
    replace: '    default:',
  },
];
