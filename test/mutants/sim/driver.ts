/** Defects of the driver: who is answered when, and what a failed write is said to have become. */
import { dedupOff, seenOff } from './sessions.js';
import type { SimDefect } from './sim-defect.js';

export const driver: readonly SimDefect[] = [
  {
    name: 'driver: the last entry of a large batch is not applied',
    source: '11651, R4',
    file: 'store/state-machine.ts',
    find: '    const received = receive(entries);\n',
    replace: '    const received = receive(entries.length > 2 ? entries.slice(0, -1) : entries);\n',
  },
  {
    name: 'driver: entries are applied again after a restart',
    source: '14685',
    file: 'storage/write-behind.ts',
    find: '    this.openedIndex = chain.appliedIndex;\n',
    replace: '    this.openedIndex = Math.max(0, chain.appliedIndex - 1);\n',
  },
  {
    name: 'driver: a forwarded write is taken in another term',
    source: 'ADR 0003, X6',
    profile: 'focus-forwards',
    file: 'node/handover.ts',
    find: "const isMeant = raft.role === 'leader' && raft.term === message.term;",
    replace: "const isMeant = raft.role === 'leader';",
  },
  {
    name: 'driver: a write that timed out counts as rejected',
    source: 'X1, jetcd at Jepsen',
    file: 'node/proposals.ts',
    find: "kontikiError(code, message, { outcome: 'unknown', cause })",
    replace: "kontikiError(code, message, { outcome: 'rejected', cause })",
  },
  {
    name: 'driver: writes under way count as rejected when the member stops',
    source: 'X1',
    file: 'node/proposals.ts',
    find: "isUnsent(waiter) ? 'rejected' : 'unknown'",
    replace: "'rejected'",
  },
  {
    name: 'driver: writes of the term being applied count as lost',
    source: 'ADR 0003, X1',
    file: 'node/proposals.ts',
    find: 'if (waiter.term === 0 || waiter.term >= term) continue;',
    replace: 'if (waiter.term === 0 || waiter.term > term) continue;',
    equivalent:
      'a store sends them again under their session, which takes one copy; without sessions: test/node',
  },
  {
    name: 'driver: writes count as lost as soon as a later term is known',
    source: 'ADR 0003, X1',
    file: 'node/handover.ts',
    find: "    proposals.refuseForeign(role === 'leader' ? term : 0);\n",
    replace:
      "    proposals.refuseForeign(role === 'leader' ? term : 0);\n    proposals.termApplied(term);\n",
  },
  {
    name: 'driver: the answer to a stranger with the same number is taken',
    source: 'X4',
    file: 'node/proposals.ts',
    find: 'if (waiter === undefined || waiter.session !== requestId.session) return;',
    replace: 'if (waiter === undefined) return;',
  },
  {
    name: 'driver: a write is passed on twice',
    source: 'X4, jetcd at Jepsen',
    file: 'node/handover.ts',
    find: "    transport.send({ kind: 'forward-request', from, to, term: raft.term, id, commands });\n",
    replace:
      "    transport.send({ kind: 'forward-request', from, to, term: raft.term, id, commands });\n    transport.send({ kind: 'forward-request', from, to, term: raft.term, id, commands });\n",
    also: [seenOff, dedupOff],
  },
  {
    name: 'driver: a call that loses its leader never settles',
    source: 'X5',
    profile: 'focus-stalls',
    file: 'node/proposals.ts',
    find: '    for (const seq of this.#deadlines.sweep(nowMs)) {\n',
    replace: '    for (const seq of [] as number[]) {\n',
  },
];
