/** Defects of linearizable reads, through the read index and under a lease. */
import type { SimDefect } from './sim-defect.js';

export const reads: readonly SimDefect[] = [
  {
    name: 'reads: a new leader serves before a commit of its own term',
    source: '7331, R15',
    file: 'raft/read-index.ts',
    find: '  if (!raft.hasCommittedInTerm) raft.reads.addEarly(from, readId);\n  else confirmRead',
    replace: '  confirmRead',
  },
  {
    name: 'reads: no quorum is asked',
    source: '20418, R15',
    file: 'raft/read-index.ts',
    find: '    const upTo = jointCommittedIndex(voters, (id) => this.#acks.get(id));\n',
    replace:
      '    const upTo = this.#confirmed + this.#unconfirmed.length + 0 * jointCommittedIndex(voters, () => 0);\n',
  },
  {
    name: 'reads: an id is used again (readindex-id-reuse)',
    source: '20418',
    file: 'node/reads.ts',
    find: '    this.#nextId += 1;\n',
    replace: '    this.#nextId = (this.#nextId % 3) + 1;\n',
  },
  {
    name: 'reads: an id of an earlier life is used again',
    source: '20418',
    file: 'node/reads.ts',
    find: '    this.#nextId = random.u32() * 2 ** 20;\n',
    replace: '    this.#nextId = 0 * random.u32() + 1;\n',
  },
  {
    name: 'reads: late answers confirm what was asked behind them',
    source: '20418',
    file: 'raft/read-index.ts',
    find: 'Math.max(this.#acks.get(id) ?? 0, asked)',
    replace: 'Math.max(this.#acks.get(id) ?? 0, this.#confirmed + this.#unconfirmed.length)',
  },
  {
    name: 'reads: served before the index is applied here',
    source: 'R15',
    file: 'node/reads.ts',
    find: 'this.#indexed.push({ index: state.index, readers: asked.readers });',
    replace: 'this.#indexed.push({ index: 0, readers: asked.readers });',
  },
  {
    name: 'reads: the index is that of an earlier commit',
    source: 'R15',
    file: 'raft/read-index.ts',
    find: 'reads.add({ from, readId, index: raft.log.committed });',
    replace: 'reads.add({ from, readId, index: Math.max(0, raft.log.committed - 1) });',
  },
  {
    name: 'reads: those who come later join a pass under way',
    source: 'R15',
    file: 'store/read-barrier.ts',
    find: '    this.#waiting = undefined;\n    while (readers.size > 0) {\n',
    replace: '    while (readers.size > 0 || this.#end(readers)) {\n',
    also: [
      {
        file: 'store/read-barrier.ts',
        find: '  #pause(ms: number)',
        replace:
          '  #end(readers: Set<Reader>): boolean {\n    if (this.#waiting === readers) this.#waiting = undefined;\n    return false;\n  }\n\n  #pause(ms: number)',
      },
    ],
  },
  {
    name: 'reads: a revision that is not here yet is refused at once',
    source: 'X2',
    file: 'store/store-reads.ts',
    find: 'operation.revision !== undefined && operation.revision <= newest;',
    replace: 'operation.revision !== undefined && newest > 0;',
  },
  {
    name: 'reads: the cache keeps what changed while it was fetched',
    source: 'DESIGN 4.11',
    profile: 'focus-keptReads',
    file: 'mvcc/version-cache.ts',
    find: 'if (next.done && !this.#isChanged(operation.keys, from)) {',
    replace: 'if (next.done && !(this.#isChanged(operation.keys, from) && from < 0)) {',
  },
  {
    name: 'reads: the cache is not told of deletes',
    source: 'DESIGN 4.11',
    file: 'mvcc/version-cache.ts',
    find: '    for (const event of events) {\n',
    replace: "    for (const event of events.filter(({ type }) => type === 'put')) {\n",
  },
  {
    name: 'reads: a lease answers before a commit of its own term',
    source: '7331, DESIGN 4.18',
    file: 'raft/read-index.ts',
    find: 'if (leaseMs > 0 && hasCommittedInTerm && lease.holds',
    replace: 'if (leaseMs > 0 && (hasCommittedInTerm || leaseMs > 0) && lease.holds',
  },
  {
    name: 'reads: a lease is counted from the answer to its heartbeat, and longer',
    source: 'DESIGN 4.18',
    file: 'raft/lease.ts',
    find: 'return since > 0 && since <= nowMs && nowMs < since + leaseMs;',
    replace: 'return since > 0 && since <= nowMs && nowMs < since + 4 * leaseMs;',
  },
  {
    name: 'reads: nobody pledges anything after a restart',
    source: 'DESIGN 4.18, R20',
    profile: 'focus-leaseReads',
    file: 'node/lease.ts',
    find: '    this.#leaseMs = machine.durableReadLease?.everMs ?? 0;\n',
    replace: '    this.#leaseMs = 0;\n',
  },
  {
    name: 'reads: the followers of a lease pledge nothing',
    source: 'DESIGN 4.18, R20',
    file: 'raft/follower.ts',
    find: '  if (sentAt > 0) raft.pledgeTicks = raft.pledgeLength;\n',
    replace: '',
  },
];
