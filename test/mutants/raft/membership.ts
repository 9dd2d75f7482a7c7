/** Defects of the core: changes of the configuration. */
import type { Defect } from '../defect.js';

export const membership: readonly Defect[] = [
  {
    name: 'membership: a removal is told of before it is durable',
    file: 'replication.ts',
    find: '  return Math.min(log.committed, heldFrom - 1);\n',
    replace: '  return log.committed;\n',
  },
  {
    name: 'membership: a new leader tells of removals before they are durable',
    file: 'raft.ts',
    find: '    if (hasConfChange(this, applied + 1, lastIndex, counts)) this.heldFrom = applied + 1;\n',
    replace: '',
  },
  {
    name: 'membership: what was held back is never told',
    file: 'raft.ts',
    find: '      if (this.log.applied >= this.pendingConfIndex) tellHeldCommit(this);\n',
    replace: '',
  },
  {
    name: 'membership: a leader that is removed takes what it held back along',
    file: 'reconfigure.ts',
    find: '    tellHeldCommit(raft);\n',
    replace: '',
  },
  {
    name: 'membership: two changes under way',
    file: 'propose.ts',
    find: 'if (pendingConfIndex > applied) {',
    replace: 'if (pendingConfIndex > applied + 1e9) {',
  },
  {
    name: 'membership: two changes in one proposal (S14)',
    file: 'propose.ts',
    find: '        pendingConfIndex = index;\n',
    replace: '',
  },
  {
    name: 'membership: changes before an election are forgotten (R-74)',
    file: 'raft.ts',
    find: '    this.pendingConfIndex = lastIndex;\n',
    replace: '',
  },
  {
    name: 'membership: a change without room blocks the next (O7)',
    file: 'propose.ts',
    find: '        pendingConfIndex = index;\n',
    replace: '        pendingConfIndex = index;\n        raft.pendingConfIndex = index;\n',
  },
  {
    name: 'membership: what cannot be applied is taken (O6)',
    file: 'propose.ts',
    find: '    validateChange(configuration, change);\n',
    replace: '',
  },
  {
    name: 'membership: a refused change is left out',
    file: 'propose.ts',
    find: "        type = 'normal';\n        data = new Uint8Array(0);\n",
    replace: '        continue;\n',
  },
  {
    name: 'membership: the joint state is left again and again (H18)',
    file: 'reconfigure.ts',
    find: '  if (raft.log.applied < raft.pendingConfIndex) return;\n',
    replace: '',
  },
  {
    name: 'membership: the joint state is never left',
    file: 'reconfigure.ts',
    find: "  onProposals(raft, [{ type: 'config-change-v2', data: new Uint8Array(0) }]);\n",
    replace: '',
  },
  {
    name: 'membership: a removed leader stays (O15)',
    file: 'reconfigure.ts',
    find: 'if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.term, noMember);',
    replace: '',
  },
  {
    name: 'membership: a removed leader takes proposals',
    file: 'propose.ts',
    find: 'if (!raft.progress.has(raft.id)) throw',
    replace: 'if (!raft.progress.has(raft.id) && raft.term < 0) throw',
  },
  {
    name: 'membership: a new member waits for the next proposal',
    file: 'reconfigure.ts',
    find: '      if (to !== raft.id) maybeSendAppend(raft, to, false);\n',
    replace: '      if (to === noMember) maybeSendAppend(raft, to, false);\n',
  },
  {
    name: 'membership: known progress is forgotten',
    file: 'reconfigure.ts',
    find: 'const known = fresh.has(id) ? undefined : raft.progress.get(id);',
    replace: 'const known = fresh.has(id) ? undefined : raft.progress.get(noMember);',
  },
  {
    name: 'membership: several voters change at once',
    file: 'membership.ts',
    find: '  if (left + joined > 1) {',
    replace: '  if (left + joined > 9) {',
  },
  {
    name: 'membership: no voter is left',
    file: 'membership-draft.ts',
    find: '    if (this.voters.size === 0) {',
    replace: '    if (this.voters.size < 0) {',
  },
  {
    name: 'membership: an outgoing voter becomes a learner at once',
    file: 'membership-draft.ts',
    find: 'if (this.votersOutgoing.has(id)) this.#learnersNext.add(id);\n    else this.#learners.add(id);',
    replace: 'this.#learners.add(id);',
  },
];
