/** Defects of what a store does by itself to stay well: history that goes, members that are compared. */
import type { SimDefect } from './sim-defect.js';

export const care: readonly SimDefect[] = [
  {
    name: 'history: what is current is given up, whatever is to be kept',
    source: 'H1, parity §2.7',
    file: 'store/history-keeper.ts',
    find: 'return oldest !== undefined && oldest.atMs <= nowMs - keep.ms ? oldest.revision : 0;',
    replace: 'return oldest === undefined ? 0 : keyspace().revision;',
    profile: 'focus-compaction',
  },
  {
    name: 'history: notes are dated back by the span',
    source: 'H1, parity §2.7',
    file: 'store/history-keeper.ts',
    find: 'notes.push({ atMs, revision: keyspace().revision });',
    replace: 'notes.push({ atMs: atMs - keep.ms, revision: keyspace().revision });',
    profile: 'focus-compaction',
  },
  {
    name: 'hashes: members are compared at the newest index of each',
    source: 'A1, 13766',
    file: 'store/hash-comparison.ts',
    find: '    for (const { index, hash } of hashes) {\n',
    replace: '    for (const { hash } of hashes) {\n      const index = 1;\n',
    profile: 'calm',
  },
  {
    name: 'care: every put is refused once there is some history',
    source: 'V4',
    file: 'store/store.ts',
    find: "    checkOptions(options, putOptionNames, 'put');\n",
    replace:
      "    checkOptions(options, putOptionNames, 'put');\n    if (this.status().revision > 40) {\n      throw kontikiError('TIMEOUT', 'planted', { outcome: 'rejected' });\n    }\n",
    profile: 'calm',
  },
];
