/** Defects of the core: the stream of entries and its answers. */
import type { Defect } from '../defect.js';

export const append: readonly Defect[] = [
  {
    name: 'append: the own last index is acknowledged (S1)',
    file: 'follower.ts',
    find: 'const index = previous.index + entries.length;',
    replace: 'const index = log.lastIndex;',
  },
  {
    name: 'append: every append cuts the log (S2)',
    file: 'log.ts',
    find: 'if (this.matches(entries[at] as Entry)) continue;',
    replace: 'if ((entries[at] as Entry).index <= this.committed) continue;',
  },
  {
    name: 'append: below the commit index it is compared (S3)',
    file: 'follower.ts',
    find: 'if (previous.index < log.committed) {',
    replace: 'if (previous.index < log.committed && previous.index < 0) {',
  },
  {
    name: 'append: acknowledged before it is durable',
    file: 'raft.ts',
    find: "      case 'append-response':\n        this.afterPersist.push(message);",
    replace:
      "      case 'append-response':\n        if (message.to !== this.id) this.messages.push(message);\n        else this.afterPersist.push(message);",
  },
  {
    name: 'append: a stale rejection is taken (H4)',
    file: 'progress.ts',
    find: '      if (this.next - 1 !== rejected) return false;\n',
    replace: '',
  },
  {
    name: 'append: next falls below match (H4)',
    file: 'progress.ts',
    find: 'Math.max(Math.min(rejected, hint + 1), this.match + 1)',
    replace: 'Math.max(Math.min(rejected, hint + 1), 1)',
  },
  {
    name: 'append: a stream is rejected below match (H4)',
    file: 'progress.ts',
    find: '      if (rejected <= this.match) return false;\n',
    replace: '',
  },
  {
    name: 'append: a rejection disturbs a snapshot (O12)',
    file: 'progress.ts',
    find: "    if (this.state === 'snapshot') return false;\n",
    replace: '',
  },
  {
    name: 'append: the follower gives no hint',
    file: 'follower.ts',
    find: 'const hint = log.findConflictByTerm(start, previous.term);',
    replace: 'const hint = { index: start, term: 0 };',
  },
  {
    name: 'append: the leader skips no terms',
    file: 'replication.ts',
    find: 'hint.term > 0 ? raft.log.findConflictByTerm(hint.index, hint.term).index : hint.index;',
    replace: 'hint.index;',
  },
  {
    name: 'append: an answer does not wake a probe at its match (H21)',
    file: 'replication.ts',
    find: "if (!news && !(progress.match === message.index && progress.state === 'probe')) return;",
    replace: 'if (!news) return;',
  },
  {
    name: 'append: the commit index is not passed on at once (S17)',
    file: 'replication.ts',
    find: 'message.from !== raft.id && progress.canBumpCommit(commitToTell(raft))',
    replace: 'message.from === 0 && progress.canBumpCommit(commitToTell(raft))',
  },
  {
    name: 'append: an ack beyond the log counts',
    file: 'replication.ts',
    find: '  if (message.index > raft.log.lastIndex) return;\n',
    replace: '',
  },
];
