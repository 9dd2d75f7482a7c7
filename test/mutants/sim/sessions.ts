/** Defects of writes at most once: of the sessions, and of who sends again. */
import type { Edit, SimDefect } from './sim-defect.js';

/** A request that was executed is executed again. */
export const dedupOff: Edit = {
  file: 'mvcc/session-table.ts',
  find: 'return kept === undefined ? undefined : decodeAnswer(kept);',
  replace: 'return undefined;',
};

/** A batch of writes that comes again is taken again. */
export const seenOff: Edit = {
  file: 'node/handover.ts',
  find: '    if (!this.#seen.isNew(message.from, message.id)) return;\n',
  replace: '',
};

/** So few that they go and come all the time. */
const fewSessions: Edit = {
  file: 'base/limits.ts',
  find: '  sessionsMax: 64,\n',
  replace: '  sessionsMax: 2,\n',
};

export const sessions: readonly SimDefect[] = [
  {
    name: 'sessions: a request that comes again is executed again',
    source: 'X4, DESIGN §4.8',
    ...dedupOff,
  },
  {
    name: 'sessions: one that makes room leaves its records',
    source: 'M1, DESIGN §4.8',
    file: 'mvcc/session-table.ts',
    find: '    for (const page of oldest.pages.values()) this.#remove(oldest, page);\n',
    replace: '',
    also: [fewSessions],
  },
  {
    name: 'sessions: the one that was used last makes room',
    source: 'DESIGN §4.8',
    file: 'mvcc/session-table.ts',
    find: 'session.lastIndex < oldest.lastIndex',
    replace: 'session.lastIndex > oldest.lastIndex',
    also: [fewSessions],
  },
  {
    name: 'sessions: a request whose answer was let go of is executed',
    source: 'X4, DESIGN §4.8',
    file: 'mvcc/session-table.ts',
    find: 'if (session === undefined || seq < session.floor) return',
    replace: 'if (session === undefined) return',
  },
  {
    name: 'sessions: everything before a request counts as done',
    source: 'DESIGN §4.8',
    file: 'mvcc/session-table.ts',
    find: 'const done = Math.min(doneBelow, seq);',
    replace: 'const done = seq + 0 * doneBelow;',
  },
  {
    name: 'sessions: an answer that is kept is another one',
    source: 'X4',
    file: 'mvcc/session-answer.ts',
    find: '  const revision = reader.u53();\n',
    replace: '  const revision = reader.u53() + 1;\n',
  },
  {
    name: 'sessions: a repeated write that was refused once counts as rejected',
    source: 'X1',
    file: 'node/proposals.ts',
    find: "isKontikiError(error, 'LEADER_CHANGED') || waiter.doubt > 0;",
    replace: 'waiter.doubt < 0;',
  },
  {
    name: 'sessions: a write that may be lost counts as never sent',
    source: 'X1',
    file: 'node/proposals.ts',
    find: "if (copy === 'in doubt') waiter.doubt",
    replace: "if (copy !== 'in doubt' && copy !== 'dead') waiter.doubt",
  },
  {
    name: 'sessions: a write goes under a new session while one of the old may be taken',
    source: 'X4',
    elsewhere:
      '`test/node/proposals-sessions` kills it within some dozen random interleavings; here a snapshot has to ' +
      'hide the write and the end of its session from a member that then knows no leader until another ' +
      'write of that session was refused',
    profile: 'focus-installs',
    file: 'node/proposals.ts',
    find: 'waiter.doubt === 0 && waiter.session !== this.#session',
    replace: 'waiter.session !== this.#session',
    also: [fewSessions],
  },
];
