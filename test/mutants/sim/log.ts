/** Defects of the write-ahead log: what is durable when, what a crash may take, what goes when. */
import type { SimDefect } from './sim-defect.js';

export const log: readonly SimDefect[] = [
  {
    name: 'log: a group is acknowledged without a sync (ack-before-fsync)',
    source: '14370, R10',
    file: 'storage/wal/segment-writer.ts',
    find: '    await this.#file.sync();\n',
    replace: '',
  },
  {
    name: 'log: pledges leave before the write settles',
    source: '14370, R10',
    file: 'node/persist-loop.ts',
    find: '        this.#ended += 1;\n        this.#release(append);\n      },\n',
    replace: '        this.#ended += 1;\n      },\n',
    also: [
      {
        file: 'node/persist-loop.ts',
        find: '    this.#begun += 1;\n',
        replace:
          '    this.#begun += 1;\n    void Promise.resolve().then(() => this.#release(append));\n',
      },
    ],
  },
  {
    name: 'log: a failed write is taken for durable',
    source: 'S4, PostgreSQL 2018',
    file: 'storage/wal/group-commit.ts',
    find: '    } catch (error) {\n      return this.fail(error);\n    }\n    this.#handlers.onDurable(group);',
    replace: '    } catch {}\n    this.#handlers.onDurable(group);',
  },
  {
    name: 'log: a group that found no space counts as written once there is some',
    source: 'S4',
    profile: 'disk',
    file: 'storage/wal/segment-writer.ts',
    find: '        if (!this.#isPatient) throw error;\n      }\n',
    replace: '        if (!this.#isPatient) throw error;\n        return;\n      }\n',
  },
  {
    name: 'log: term and vote wait in memory',
    source: 'R9',
    file: 'storage/wal/log-store.ts',
    find: '    if (mustSync) return next === undefined && this.#lazy === undefined;\n',
    replace: '    if (mustSync) return true;\n',
  },
  {
    name: 'log: the head of a segment is not synced',
    source: 'S3',
    file: 'storage/wal/segment-file.ts',
    find: '    await file.write(0, [bytes]);\n    await file.sync();\n',
    replace: '    await file.write(0, [bytes]);\n',
  },
  {
    name: 'log: the name of a segment is not synced',
    source: 'S3, LevelDB 251',
    file: 'storage/wal/segment-file.ts',
    find: '    await fs.syncDirectory(dir);\n    return { file, segment, offset: bytes.length',
    replace: '    return { file, segment, offset: bytes.length',
  },
  {
    name: 'log: the last group is not written again after a restart',
    source: 'S4, ATC 2020',
    profile: 'focus-logEnd',
    file: 'storage/wal/segment-file.ts',
    find: '    await file.write(lastGroup, [again]);\n    await file.sync();\n',
    replace: '    void again;\n',
  },
  {
    name: 'log: what a crash tore is refused',
    source: 'S1',
    file: 'storage/wal/torn.ts',
    find: "  if (!damage.looksTorn) return 'no part of it is unwritten';\n",
    replace: "  return 'damaged';\n",
  },
  {
    name: 'log: any damage at the end counts as torn',
    source: 'R18, FAST 2018',
    file: 'storage/wal/torn.ts',
    find: "  if (!damage.looksTorn) return 'no part of it is unwritten';\n  const size = file.bytes.length;\n",
    replace: '  const size = file.bytes.length;\n  if (size > 0) return undefined;\n',
  },
  {
    name: 'log: records are not verified',
    source: 'R18',
    profile: 'focus-logEnd',
    file: 'storage/wal/group-reader.ts',
    find: '    if (chain !== view.getUint32(at, true)) {',
    replace: '    if (chain === undefined) {',
  },
  {
    name: 'log: files go before the log says where it starts',
    source: 'S7',
    file: 'storage/wal/segment-removal.ts',
    find: 'this.#running.then(() => isSaid).then(() => this.#remove(segment));',
    replace: 'this.#running.then(() => this.#remove(segment));',
  },
  {
    name: 'log: goes although the state is not durable',
    source: 'S7',
    file: 'node/log-retention.ts',
    find: 'Math.min(durableIndex, lastIndex - limits.entriesMin)',
    replace: 'Math.min(Math.max(durableIndex, lastIndex), lastIndex - limits.entriesMin)',
  },
  {
    name: 'log: replaced entries of groups on their way count as durable',
    source: 'R7',
    profile: 'focus-replaced',
    file: 'storage/wal/log-store.ts',
    find: '      this.#durable = Math.min(this.#durable, index - 1);\n      this.#commit.cut(index);\n',
    replace: '',
  },
  {
    name: 'log: the commit index of the state is forgotten at open',
    source: 'R7',
    file: 'node/recovery.ts',
    find: 'const commit = Math.max(hardState.commit, appliedIndex);',
    replace: 'const { commit } = hardState;',
    also: [
      {
        file: 'raft/raft.ts',
        find: 'this.log.commitTo(Math.max(hardState.commit, config.applied));',
        replace: 'this.log.commitTo(hardState.commit);',
      },
    ],
  },
];
