/** Defects of the keyspace: revisions, compaction, transactions; all of them in what is applied. */
import type { SimDefect } from './sim-defect.js';

export const keyspace: readonly SimDefect[] = [
  {
    name: 'keyspace: the revision is found by the newest key (rev-from-max-key)',
    source: '17780, 16693, M1',
    file: 'mvcc/keyspace.ts',
    find: ': new Keyspace(decodeMeta(meta), sumsOfMeta(meta), tables);',
    replace:
      ': new Keyspace({ ...decodeMeta(meta), revision: newestOf(ranges[3] ?? []) }, sumsOfMeta(meta), tables);',
    also: [
      {
        file: 'mvcc/keyspace.ts',
        find: 'ranges: [leaseRecords, sessionRecords, alarmRecords] };',
        replace: "ranges: [leaseRecords, sessionRecords, alarmRecords, { gte: 'c', lt: 'd' }] };",
      },
      {
        file: 'mvcc/keyspace.ts',
        find: 'const noEvents: readonly KeyEvent[] = [];\n',
        replace:
          "const noEvents: readonly KeyEvent[] = [];\nimport { decodeCurrent } from './record.js';\nconst newestOf = (records: readonly (readonly [string, Uint8Array])[]): number =>\n  Math.max(1, ...records.map((each) => decodeCurrent(...each).version.modRevision));\n",
      },
    ],
  },
  {
    name: 'keyspace: a delete at the compacted revision is removed',
    source: '18089, 19179, M5',
    file: 'mvcc/compaction.ts',
    find: 'change.version.modRevision < this.#progress.target',
    replace: 'change.version.modRevision <= this.#progress.target',
  },
  {
    name: 'keyspace: compaction removes what was replaced right behind it',
    source: 'M5',
    file: 'mvcc/compaction.ts',
    find: 'historyFrom(next, target), limit',
    replace: 'historyFrom(next, target + 1), limit',
  },
  {
    name: 'keyspace: compaction removes the newest version of deleted keys only',
    source: 'S8',
    file: 'mvcc/compaction.ts',
    find: '      if (change.previous.revision > 0) replaced.push(change);\n',
    replace:
      "      if (change.previous.revision > 0 && change.type === 'delete') replaced.push(change);\n",
    equivalent: 'nobody can ask for what is left over; it only takes space',
  },
  {
    name: 'keyspace: the compacted revision is lost in a crash',
    source: 'M5, M6',
    file: 'mvcc/meta.ts',
    find: '    compactRevision: getUint53(bytes, 14),\n',
    replace: '    compactRevision: 0,\n',
  },
  {
    name: 'keyspace: compaction raises the revision',
    source: 'M1',
    file: 'mvcc/keyspace.ts',
    find: 'this.#meta = { revision, compactRevision: to, semanticsLevel, readLease };',
    replace:
      'this.#meta = { revision: revision + 1, compactRevision: to, semanticsLevel, readLease };',
  },
  {
    name: 'keyspace: some members do not check the revisions that a transaction reads',
    source: '18667',
    file: 'mvcc/keyspace.ts',
    find: '        if (refusal !== undefined) return refusal;\n        return yield* run.execute(draft, this);',
    replace:
      '        if (refusal !== undefined && !this.#isRemote) return refusal;\n        return yield* run.execute(draft, this);',
    also: [
      {
        file: 'mvcc/keyspace.ts',
        find: '  readonly alarms: AlarmTable;\n\n  private constructor',
        replace:
          '  readonly alarms: AlarmTable;\n  static opened = 0;\n  readonly #isRemote = Keyspace.opened++ % 2 === 1;\n\n  private constructor',
      },
      {
        file: 'mvcc/txn-range.ts',
        find: '  let query = startOldRangeQuery(operation, state);\n',
        replace:
          '  let query = startOldRangeQuery(operation, { revision: 2 ** 53 - 1, compactRevision: 0 });\n',
      },
    ],
  },
  {
    name: 'keyspace: a command does not see those before it in a batch',
    source: 'M4',
    file: 'mvcc/batch.ts',
    find: '        if (isCurrentKey(change[0])) this.#view.change(change);\n',
    replace: '',
  },
  {
    name: 'keyspace: operations do not see the puts before them in a transaction',
    source: 'M4',
    file: 'mvcc/revision-draft.ts',
    find: '    this.#own?.set(key, current);\n',
    replace: '',
  },
  {
    name: 'keyspace: operations see what a transaction deleted',
    source: 'M4',
    file: 'mvcc/revision-draft.ts',
    find: '    this.#deleted?.add(keys);\n',
    replace: '',
  },
  {
    name: 'keyspace: a put begins a new generation of its key',
    source: 'M2',
    file: 'mvcc/revision-draft.ts',
    find: 'createRevision: before?.createRevision ?? modRevision,',
    replace: 'createRevision: modRevision,',
  },
  {
    name: 'keyspace: a past revision shows what was put at the next',
    source: 'M3',
    file: 'mvcc/range-read.ts',
    find: '    if (version.modRevision <= revision) found.push',
    replace: '    if (version.modRevision <= revision + 1) found.push',
  },
  {
    name: 'keyspace: a past revision shows what was replaced at it',
    source: 'M3',
    file: 'mvcc/range-read.ts',
    find: '    if (decodeClosed(...record) > revision) {',
    replace: '    if (decodeClosed(...record) >= revision) {',
  },
];
