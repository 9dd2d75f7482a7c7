/** Defects of the core: what waits for the disk, and what the disk said. */
import type { Defect } from '../defect.js';

export const storage: readonly Defect[] = [
  {
    name: 'storage: an answer of an earlier term counts (ABA)',
    file: 'raft.ts',
    find: 'if (term === this.term) this.log.stableTo(last);',
    replace: 'this.log.stableTo(last);',
  },
  {
    name: 'storage: a replaced entry counts as written',
    file: 'unstable.ts',
    find: 'if (id.index < this.#offset || this.term(id.index) !== id.term) return;',
    replace: 'if (id.index < this.#offset || this.term(id.index) === undefined) return;',
  },
  {
    name: 'storage: a replaced entry is not written again',
    file: 'unstable.ts',
    find: '    this.#inProgress = Math.min(this.#inProgress, index);\n',
    replace: '',
  },
  {
    name: 'storage: only writes with entries attest the log (ABA)',
    file: 'raw-node.ts',
    find: 'if (raft.log.hasUnstable || snapshot !== undefined) {',
    replace: 'if ((raft.log.hasUnstable && responses.length > 0) || snapshot !== undefined) {',
  },
  {
    name: 'storage: entries are applied before they are durable',
    file: 'log.ts',
    find: '    return Math.min(this.committed, this.#unstable.offset - 1);',
    replace: '    return this.committed;',
  },
  {
    name: 'storage: a new term need not be synced',
    file: 'raw-node.ts',
    find: '      hardState.term !== this.#hardState.term ||\n',
    replace: '',
  },
  {
    name: 'storage: a new vote need not be synced',
    file: 'raw-node.ts',
    find: '      hardState.vote !== this.#hardState.vote;',
    replace: '      false;',
  },
  {
    name: 'storage: every commit is synced (H7)',
    file: 'raw-node.ts',
    find: '      hardState.vote !== this.#hardState.vote;',
    replace: '      hardState.commit > 0;',
  },
  {
    name: 'storage: a member starts without what it had acknowledged',
    file: 'stored-state.ts',
    find: 'check(firstIndex - 1 <= commit && commit <= lastIndex,',
    replace: 'check(commit >= 0,',
  },
];
