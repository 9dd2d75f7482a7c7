/** Defects of the core: snapshots. */
import type { Defect } from '../defect.js';

export const snapshots: readonly Defect[] = [
  {
    name: 'snapshot: sent to a silent member',
    file: 'replication.ts',
    find: '  if (!progress.recentActive) return false;\n',
    replace: '',
  },
  {
    name: 'snapshot: a failure probes behind it',
    file: 'replication.ts',
    find: 'else progress.snapshotFailed();',
    replace: 'else progress.becomeProbe();',
  },
  {
    name: 'snapshot: a report does not pause the probe',
    file: 'replication.ts',
    find: '  progress.flowPaused = true;\n',
    replace: '',
  },
  {
    name: 'snapshot: an older one does not count (H27)',
    file: 'replication.ts',
    find: 'if (progress.match + 1 >= raft.log.firstIndex) progress.becomeReplicate();',
    replace: 'if (progress.match >= progress.pendingSnapshot) progress.becomeReplicate();',
  },
  {
    name: 'snapshot: one of the outgoing half is refused (H17)',
    file: 'follower.ts',
    find: '[voters, learners, votersOutgoing].some',
    replace: '[voters, learners].some',
  },
  {
    name: 'snapshot: restored although the entries are there',
    file: 'follower.ts',
    find: '  if (log.matches(last)) {',
    replace: '  if (log.matches(last) && last.index < 0) {',
  },
  {
    name: 'snapshot: an older one is restored',
    file: 'follower.ts',
    find: '  if (last.index <= log.committed) return false;\n',
    replace: '',
  },
  {
    name: 'snapshot: its configuration is dropped (H16)',
    file: 'follower.ts',
    find: '  installConfiguration(raft, configuration);\n',
    replace: '',
  },
  {
    name: 'snapshot: entries are applied beside it (H20)',
    file: 'log.ts',
    find: '!this.#applyPaused && this.applying < this.#applicable && this.pendingSnapshot === undefined',
    replace: '!this.#applyPaused && this.applying < this.#applicable',
  },
  {
    name: 'snapshot: its answer is lost with the term',
    file: 'raft.ts',
    find: '    if (snapshot === undefined) return;\n',
    replace: '    if (snapshot === undefined || term !== this.term) return;\n',
  },
  {
    name: 'snapshot: the unknown term of an old entry is sent as 0 (H23)',
    file: 'replication.ts',
    find: '  if (term === undefined) return maybeSendSnapshot(raft, to, progress);\n  const previous = { index: progress.next - 1, term };',
    replace: '  const previous = { index: progress.next - 1, term: term ?? 0 };',
  },
  {
    name: 'snapshot: one from before the member is sent to it',
    file: 'replication.ts',
    find: '  if (!isKnown && !raft.keepsStandstills) return false;\n',
    replace: '',
  },
  {
    name: 'snapshot: a change it has overtaken is made again',
    file: 'reconfigure.ts',
    find: '  if (log.applying > log.applied) {',
    replace: '  if (log.applying > log.committed) {',
  },
  {
    name: 'snapshot: entries behind it are applied beside those before it',
    file: 'raft.ts',
    find: 'return this.overtaken === undefined && this.log.hasCommitted;',
    replace: 'return this.log.hasCommitted;',
  },
];
