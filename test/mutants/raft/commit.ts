/** Defects of the core: what is committed, and when. */
import type { Defect } from '../defect.js';

export const commit: readonly Defect[] = [
  {
    name: 'commit: an older term commits by counting (H3)',
    file: 'replication.ts',
    find: 'index <= raft.log.committed || raft.log.term(index) !== raft.term',
    replace: 'index <= raft.log.committed || index === Infinity',
  },
  {
    name: 'commit: a new configuration does not commit again (S19)',
    file: 'reconfigure.ts',
    find: 'if (maybeCommit(raft)) broadcastAppend(raft);\n  else {',
    replace: '{',
  },
  {
    name: 'commit: the outgoing half is not asked',
    file: 'quorum.ts',
    find: 'return Math.min(incoming, committedIndex(halves.votersOutgoing, acknowledged));',
    replace: 'return incoming;',
  },
  {
    name: 'commit: a tie is a majority',
    file: 'quorum.ts',
    find: 'return Math.floor(count / 2) + 1;',
    replace: 'return Math.floor((count + 1) / 2);',
  },
  {
    name: 'commit: a follower takes more than was compared',
    file: 'follower.ts',
    find: 'log.commitTo(Math.min(message.commit, index));',
    replace: 'log.commitTo(Math.min(message.commit, log.lastIndex));',
  },
  {
    name: 'commit: heartbeats name what the follower may lack (S4)',
    file: 'leader.ts',
    find: 'const commit = Math.min(progress.match, told);',
    replace: 'const commit = told;',
  },
  {
    name: 'commit: a leader opens its term without an entry',
    file: 'raft.ts',
    find: '    appendOpening(this);\n',
    replace: '',
  },
];
