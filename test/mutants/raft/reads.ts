/** Defects of the core: reads without a log entry. */
import type { Defect } from '../defect.js';

export const reads: readonly Defect[] = [
  {
    name: 'read: before the first own commit (H30, O2)',
    file: 'read-index.ts',
    find: 'if (!raft.hasCommittedInTerm) raft.reads.addEarly(from, readId);\n  else confirmRead',
    replace: 'confirmRead',
  },
  {
    name: 'read: without a quorum',
    file: 'read-index.ts',
    find: '  reads.acknowledge(raft.id, reads.reads);\n',
    replace: '  for (const id of raft.configuration.voters) reads.acknowledge(id, reads.reads);\n',
  },
  {
    name: 'read: an old answer confirms a new read (H31)',
    file: 'read-index.ts',
    find: 'raft.reads.acknowledge(message.from, message.reads);',
    replace: 'raft.reads.acknowledge(message.from, Infinity);',
  },
  {
    name: 'read: waiting ones survive the leadership (O8)',
    file: 'raft.ts',
    find: '    this.reads = new ReadQueue();\n    this.lease',
    replace: '    this.lease',
  },
  {
    name: 'read: a lone voter waits for answers (O9)',
    file: 'read-index.ts',
    find: '  // Alone, the own word is a quorum; with others nobody else may have been asked yet (O9).\n  releaseReads(raft);\n',
    replace: '',
  },
  {
    name: 'read: early ones are never started',
    file: 'replication.ts',
    find: '  if (raft.reads.hasEarly) startEarlyReads(raft);\n',
    replace: '',
  },
  {
    name: 'read: an answer of a former leader is believed',
    file: 'follower.ts',
    find: '      if (message.from !== raft.leader) break;\n',
    replace: '',
  },
];
