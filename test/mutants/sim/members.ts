/** Defects of the membership while a group runs, of handovers, and of backups. */
import type { SimDefect } from './sim-defect.js';

const profile = 'members';

export const members: readonly SimDefect[] = [
  {
    name: 'members: an id depends on the name alone, and comes again',
    source: 'C1, DESIGN §4.17',
    profile,
    file: 'node/membership-rules.ts',
    find: "hash53(['added', String(clusterId), String(nextIndex), name])",
    replace: "hash53(['added', String(clusterId), name])",
  },
  {
    name: 'members: a directory that was lost is taken for the one before',
    source: 'C2, DESIGN §4.17',
    profile,
    file: 'node/peer-registry.ts',
    find: '    if (known.dirId !== peer.dirId) {\n',
    replace: '    if (known.dirId !== peer.dirId && this.#self.memberId === 0) {\n',
  },
  {
    name: 'members: a change of the address makes a voter of a learner',
    source: '21736',
    profile,
    file: 'node/membership-rules.ts',
    find: "changes: [{ type: 'update', memberId: id }], news",
    replace: "changes: [{ type: 'add-voter', memberId: id }], news",
  },
  {
    name: 'members: the configuration is not written before the state is',
    source: 'DESIGN §4.4, C5',
    profile,
    file: 'node/membership.ts',
    find: '      writes.push(this.#parts.log.append({ configuration, entries: [], mustSync: true }));\n',
    replace: '      void configuration;\n',
  },
  {
    name: 'members: names and addresses stay those of before a snapshot',
    source: 'C6, 14571',
    profile,
    file: 'node/membership.ts',
    find: '    this.#configuration = restoreConfiguration(state);\n    this.#directory = MemberDirectory.of(state);\n    this.#nameAll();\n    this.#tell();\n',
    replace: '    this.#configuration = restoreConfiguration(state);\n',
  },
  {
    name: 'members: one that was removed goes on',
    source: 'C2',
    profile,
    file: 'node/node-members.ts',
    find: '    if (!this.#removed.led) return stop();\n',
    replace: '    if (!this.#removed.led) return;\n',
    elsewhere:
      '`test/node/node-members` kills it; since leaders keep a removal to themselves until they have applied ' +
      'it (ADR 0018), who was removed is refused, and nearly never applies that itself',
  },
  {
    name: 'members: a change is proposed while another is on its way',
    source: 'R14',
    profile,
    file: 'node/membership-leader.ts',
    find: '    return this.#proposedIndex > applied || isJoint(configuration) || transferee !== noMember;\n',
    replace: '    return applied < 0 || isJoint(configuration) || transferee !== noMember;\n',
    also: [
      {
        file: 'raft/propose.ts',
        find: '    if (pendingConfIndex > applied) {\n',
        replace: '    if (pendingConfIndex > applied && applied < 0) {\n',
      },
    ],
  },
  {
    name: 'members: what was refused once it is under way counts as rejected',
    source: 'C7, X1',
    profile,
    file: 'node/members.ts',
    find: "  const outcome = call.isRetry || call.isAsked ? 'unknown' : 'rejected';\n",
    replace: "  const outcome = 'rejected';\n",
  },
  {
    name: 'members: a move counts as made wherever the member is',
    source: 'C7',
    profile,
    file: 'node/membership-rules.ts',
    find: '      return directory.get(id)?.address === address ? id : undefined;\n',
    replace: '      return isGone ? undefined : id;\n',
  },
  {
    name: 'members: a learner counts as promoted without a vote',
    source: 'C7',
    profile,
    file: 'node/membership-rules.ts',
    find: '      return isVoter(configuration, id) ? id : undefined;\n',
    replace: '      return isGone ? undefined : id;\n',
  },
  {
    name: 'members: one that joins begins with the members of today',
    source: 'C5, C6',
    profile,
    file: 'assembly/open-member.ts',
    find: 'joined.founders.map(',
    replace: 'joined.members.map(',
  },
  {
    name: 'backup: nobody is asked what was acknowledged before',
    source: 'B1',
    profile,
    file: 'store/store-backup.ts',
    find: '    await catchUp(options, serializable);\n',
    replace: '    await catchUp(options, true);\n',
  },
  {
    name: 'backup: the revision is read before everything is applied',
    source: 'B2',
    profile,
    file: 'store/store-backup.ts',
    find: '  const { revision } = machine.keyspace;\n',
    replace: '  const revision = machine.keyspace.revision - 1;\n',
  },
  {
    name: 'backup: the log of the new cluster begins an entry too early',
    source: 'B2',
    profile,
    file: 'assembly/restore-store-on.ts',
    find: 'index: Math.max(1, info.appliedIndex)',
    replace: 'index: Math.max(1, info.appliedIndex - 1)',
  },
];
