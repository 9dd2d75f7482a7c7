/** Defects of the core: what peers may send. */
import type { Defect } from '../defect.js';

export const boundary: readonly Defect[] = [
  {
    name: "boundary: a stranger's answer counts",
    file: 'boundary.ts',
    find: 'if (isForMembersOnly(message) && from !== raft.id && !raft.progress.has(from)) {',
    replace: 'if (isForMembersOnly(message) && from < 0) {',
  },
  {
    name: 'boundary: a peer speaks for the storage',
    file: 'boundary.ts',
    find: 'if (to !== raft.id || (isLocal(message) && from !== raft.id)) {',
    replace: 'if (to !== raft.id) {',
  },
  {
    name: 'boundary: entries with a hole',
    file: 'boundary.ts',
    find: '    if (entry.index !== index) throw',
    replace: '    if (entry.index < 0) throw',
  },
  {
    name: 'boundary: entries of falling terms',
    file: 'boundary.ts',
    find: 'if (!(entry.term >= before && entry.term >= 1 && entry.term <= term)) {',
    replace: 'if (!(entry.term >= 1 && entry.term <= term)) {',
  },
  {
    name: 'boundary: a proposal with a term (H2)',
    file: 'boundary.ts',
    find: "if (term !== 0) throw invalid(kind, 'no term', term);",
    replace: '',
  },
  {
    name: 'boundary: a commit index beyond the log',
    file: 'boundary.ts',
    find: 'if (!isHeard || commit <= log.lastIndex) return;',
    replace: 'if (!isHeard || commit <= log.lastIndex + 1e9) return;',
  },
  {
    name: 'boundary: a snapshot of no possible configuration',
    file: 'boundary.ts',
    find: '    restoreConfiguration(configuration);\n',
    replace: '    void configuration;\n',
  },
  {
    name: 'boundary: a commit index beyond the log raises the term first',
    file: 'boundary.ts',
    find: "const isHeard = leads > term || (leads === term && role !== 'leader');",
    replace: "const isHeard = leads === term && role !== 'leader';",
  },
  {
    name: 'boundary: somebody speaks as this member',
    file: 'boundary.ts',
    find: "  if (from === raft.id && !isOwnAnswer(kind)) throw invalid(kind, 'another sender', from);\n",
    replace: '',
  },
  {
    name: 'boundary: a term that leaves no room for others',
    file: 'boundary.ts',
    find: ' || term - raft.term > termStepMax) {',
    replace: ') {',
  },
];
