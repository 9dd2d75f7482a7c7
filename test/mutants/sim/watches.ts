/** Defects of watches: order, gaps, bookmarks, ends. */
import type { SimDefect } from './sim-defect.js';

export const watches: readonly SimDefect[] = [
  {
    name: 'watches: one travels back when a snapshot is installed',
    source: '15271',
    file: 'mvcc/watcher.ts',
    find: '    if (this.#gap === undefined) this.#gap = new WatchGap(this.#queue?.firstRevision ?? next);\n    this.#gap.restart();',
    replace:
      '    if (this.#gap === undefined) this.#gap = new WatchGap(Math.min(this.startRevision, next));\n    this.#gap.restart();',
  },
  {
    name: 'watches: what was queued is lost when a snapshot is installed',
    source: 'W4',
    profile: 'focus-watches',
    file: 'mvcc/watcher.ts',
    find: '    if (this.#gap === undefined) this.#gap = new WatchGap(this.#queue?.firstRevision ?? next);\n    this.#gap.restart();',
    replace:
      '    if (this.#gap === undefined) this.#gap = new WatchGap(next);\n    this.#gap.restart();',
  },
  {
    name: 'watches: a bookmark overtakes undelivered events',
    source: '15220, W6',
    file: 'mvcc/watcher.ts',
    find: '    if (this.#gap !== undefined || this.#queue !== undefined || this.#isClosed) return undefined;\n',
    replace: '    if (this.#isClosed) return undefined;\n',
  },
  {
    name: 'watches: one that a compaction overtook goes on in silence',
    source: '17529',
    file: 'mvcc/watcher.ts',
    find: '    if (gap !== undefined && gap.revision < compactRevision && !this.#isClosed) {\n',
    replace:
      '    if (gap !== undefined && gap.revision < compactRevision && !this.#isClosed) {\n      gap.revision = compactRevision;\n',
  },
  {
    name: 'watches: history tells the end of a stretch twice',
    source: '17247, W2',
    file: 'mvcc/watch-gap.ts',
    find: '    this.revision = nextRevision;\n',
    replace:
      '    this.revision = nextRevision > upTo ? nextRevision : Math.max(fromRevision, nextRevision - 1);\n',
  },
  {
    name: 'watches: a revision is told again after a catch-up',
    source: '17247, W2',
    file: 'mvcc/watcher.ts',
    find: '      gap.end = end;\n',
    replace: '      gap.end = end;\n      this.#position = gap.revision;\n',
    equivalent: 'only a state that went back would be told again, and no member goes back',
  },
  {
    name: 'watches: one of the future gets older events',
    source: '20221',
    file: 'mvcc/watcher.ts',
    find: '    if (revision < this.#position) return;\n',
    replace: '',
  },
  {
    name: 'watches: one of the future gets earlier bookmarks',
    source: '20221',
    file: 'mvcc/watcher.ts',
    find: '    return this.#position > revision + 1 ? undefined : revision;\n',
    replace: '    return revision;\n',
    also: [
      {
        file: 'store/watch-stream.ts',
        find: 'if (watcher === undefined || watcher.isEarly) return;',
        replace: 'if (watcher === undefined) return;',
      },
    ],
  },
  {
    name: 'watches: history of other keys is told too',
    source: 'W7',
    file: 'mvcc/history-query.ts',
    find: '    if (keys !== undefined && !selects(keys, version.key)) return false;\n',
    replace: '',
  },
  {
    name: 'watches: the first key of a range is left out',
    source: 'W7',
    file: 'mvcc/interval-index.ts',
    find: '    if (at.gte > key) return;\n',
    replace: '    if (at.gte >= key) return;\n',
  },
  {
    name: 'watches: the key behind a range is told too',
    source: 'W7',
    file: 'mvcc/interval-index.ts',
    find: 'if (at.lt === undefined || key < at.lt) found.push(at.value);',
    replace: 'if (at.lt === undefined || key <= at.lt) found.push(at.value);',
    also: [
      {
        file: 'mvcc/interval-index.ts',
        find: 'if (at.end !== undefined && at.end <= key) return;',
        replace: 'if (at.end !== undefined && at.end < key) return;',
      },
    ],
  },
  {
    name: 'watches: a full queue forgets where it began',
    source: 'W4',
    profile: 'focus-watches',
    file: 'mvcc/watcher.ts',
    find: '    if (gap === undefined) this.#gap = new WatchGap(this.#queue?.firstRevision ?? revision);\n    else gap.isQueueWhole = false;',
    replace:
      '    if (gap === undefined) this.#gap = new WatchGap(revision);\n    else gap.isQueueWhole = false;',
  },
  {
    name: 'watches: a queue that overflowed while catching up counts as whole',
    source: 'W4',
    profile: 'focus-watches',
    file: 'mvcc/watcher.ts',
    find: '    else gap.isQueueWhole = false;\n',
    replace: '',
  },
  {
    name: 'watches: two that read history share the wrong stretch',
    source: 'W4',
    file: 'store/watch-history.ts',
    find: '    a.fromRevision === b.fromRevision &&\n',
    replace: '',
  },
  {
    name: 'watches: shared history outlives an install',
    source: '13933',
    file: 'store/watch-history.ts',
    find: '      this.#stretches = [];\n    }\n    const known',
    replace: '    }\n    const known',
    equivalent: 'history is the same on all members, and what is compacted is refused before',
  },
  {
    name: 'watches: a transaction is told in the middle',
    source: 'W3',
    file: 'mvcc/history-query.ts',
    find: '    const whole = records.filter(([key]) => parseHistoryKey(key).revision < revision);\n',
    replace:
      '    const whole = records.filter(([key]) => parseHistoryKey(key).revision <= revision);\n',
  },
  {
    name: 'watches: a start at the compacted revision is refused',
    source: '18089, W5',
    file: 'mvcc/watch-hub.ts',
    find: '    if (startRevision < compactRevision) {\n',
    replace: '    if (startRevision <= compactRevision) {\n',
  },
  {
    name: 'watches: the version before is that of another change',
    source: 'W8',
    file: 'mvcc/revision-draft.ts',
    find: "    this.events.push({ type: 'delete', key, revision, sub, previous: before.version });\n",
    replace:
      "    const previous = this.events[0]?.previous ?? before.version;\n    this.events.push({ type: 'delete', key, revision, sub, previous });\n",
  },
  {
    name: 'watches: one that waits is forgotten',
    source: '17529, V2',
    profile: 'focus-watches',
    file: 'store/watch-stream.ts',
    find: '    this.#deliver(batchOf([revision], this.#withPrevious));\n',
    replace:
      '    if (revision.revision % 64 === 0) this.#resolve = undefined;\n    else this.#deliver(batchOf([revision], this.#withPrevious));\n',
  },
  {
    name: 'watches: one that waits ends without a word',
    source: '17529, W10',
    profile: 'focus-watches',
    file: 'store/watch-stream.ts',
    find: '    this.#deliver(batchOf([revision], this.#withPrevious));\n',
    replace:
      '    if (revision.revision % 64 === 0) this.finish(over);\n    else this.#deliver(batchOf([revision], this.#withPrevious));\n',
  },
  {
    name: 'watches: one that fell behind is told of a compaction that never was',
    source: 'W10',
    profile: 'focus-watches',
    file: 'store/watch-stream.ts',
    find: '    if (watcher === undefined || !watcher.isBehind) return false;\n',
    replace:
      "    if (watcher === undefined || !watcher.isBehind) return false;\n    if (watcher.startRevision % 16 === 0) {\n      const error = kontikiError('COMPACTED', 'planted', { compactRevision: 1e9 });\n      this.finish({ isError: true, error });\n      return false;\n    }\n",
  },
  {
    name: 'watches: the version before is not told',
    source: 'W4',
    file: 'store/watch-batch.ts',
    find: '  if (previous === undefined || !withPrevious) return { type, kv };\n',
    replace: '  if (previous === undefined || withPrevious) return { type, kv };\n',
  },
  {
    name: 'watches: the version before is told with another count of its versions',
    source: 'W4',
    file: 'store/watch-batch.ts',
    find: '  return { type, kv, previous: KeyValue.of(previous) };\n',
    replace:
      '  return { type, kv, previous: KeyValue.of({ ...previous, version: previous.version + 1 }) };\n',
  },
];
