/** Defects of snapshots: what is in them, and the steps in which one takes the place of log and state. */
import type { SimDefect } from './sim-defect.js';

export const snapshots: readonly SimDefect[] = [
  {
    name: 'snapshot: what is being flushed is missing in it',
    source: 'S5',
    profile: 'focus-state',
    file: 'storage/write-behind.ts',
    find: '      layers: [...this.#activeForView(), ...this.#sealed, ...this.#flushing],\n',
    replace: '      layers: [...this.#activeForView(), ...this.#sealed],\n',
  },
  {
    name: 'snapshot: deleted keys come back with it',
    source: 'S5',
    file: 'storage/state-view.ts',
    find: '      if (stored !== undefined && change[0] === stored[0]) this.#at += 1;\n',
    replace: '',
  },
  {
    name: 'snapshot: the pointer is switched before the state is durable',
    source: 'S6',
    profile: 'focus-installs',
    file: 'storage/state-folders.ts',
    find: '          await loader.finish(appliedIndex);\n',
    replace:
      '          await writeStatePointer(fs, dir, name);\n          await loader.finish(appliedIndex);\n',
  },
  {
    name: 'snapshot: the removal of a load that was cut short is not synced',
    source: 'S6',
    profile: 'focus-installs',
    file: 'storage/state-folders.ts',
    find: '    await fs.syncDirectory(dir);\n    await fs.makeDirectory(path);\n',
    replace: '    await fs.makeDirectory(path);\n',
    equivalent:
      'all names are synced again before one of them is named, and what nobody names is removed again',
  },
  {
    name: 'snapshot: the batches of a loaded state are not synced',
    source: 'S6',
    profile: 'focus-installs',
    file: 'storage/state-loader.ts',
    find: '{ sync: true }',
    replace: '{ sync: false }',
  },
  {
    name: 'snapshot: the pointer is not synced',
    source: 'S6',
    file: 'storage/state-pointer.ts',
    find: '    await file.sync();\n',
    replace: '',
  },
  {
    name: 'snapshot: the file has its name before it is synced',
    source: 'S6',
    profile: 'focus-installs',
    file: 'storage/snapshot-files/sink.ts',
    find: '    await this.#file.write(this.#offset, [trailer]);\n    await this.#file.sync();\n',
    replace: '    await this.#file.write(this.#offset, [trailer]);\n',
  },
  {
    name: 'snapshot: the state is replaced before the log says so',
    source: 'S6',
    file: 'node/snapshot-install.ts',
    find: '    await log.append(hardState === undefined ? mark : { ...mark, hardState });\n    await restoreOnceThereIsSpace(parts, last);\n',
    replace:
      '    await restoreOnceThereIsSpace(parts, last);\n    await log.append(hardState === undefined ? mark : { ...mark, hardState });\n',
  },
  {
    name: 'snapshot: an install that was cut short is not finished',
    source: 'S6',
    file: 'node/snapshot-install.ts',
    find: '  if (last === undefined) return appliedIndex;\n',
    replace: '  if (last === undefined || appliedIndex >= 0) return appliedIndex;\n',
  },
  {
    name: 'snapshot: cached versions outlive the install (stale-after-install)',
    source: '13933',
    file: 'store/state-machine.ts',
    find: '    this.#keyspace = keyspace;\n    this.#cache = new VersionCache(keyspace, this.#cacheBytes);\n    this.#appliedIndex',
    replace: '    this.#keyspace = keyspace;\n    this.#appliedIndex',
  },
  {
    name: 'snapshot: the applied index outlives the install',
    source: '13933',
    file: 'store/state-machine.ts',
    find: '    this.#cache = new VersionCache(keyspace, this.#cacheBytes);\n    this.#appliedIndex = appliedIndex;\n',
    replace: '    this.#cache = new VersionCache(keyspace, this.#cacheBytes);\n',
  },
  {
    name: 'snapshot: the leases of the old state outlive the install',
    source: '13933, 14571',
    file: 'store/state-machine.ts',
    find: '      keyspace = Keyspace.open(await next.read(Keyspace.openPlan()));\n',
    replace:
      '      keyspace = Keyspace.open(await next.read(Keyspace.openPlan()));\n      (keyspace as any).leaseCopy = [...this.keyspace.leases()];\n',
    also: [
      {
        file: 'mvcc/keyspace.ts',
        find: '    return this.#leases.get(id) !== undefined;\n',
        replace:
          '    const old = (this as any).leaseCopy?.some((lease: any) => lease.id === id);\n    return old === true || this.#leases.get(id) !== undefined;\n',
      },
    ],
  },
  {
    name: 'snapshot: watchers are not told of the install',
    source: 'W4',
    file: 'store/state-machine.ts',
    find: '    this.hub.reset(keyspace);\n',
    replace: '',
  },
  {
    name: 'snapshot: two in a row are installed side by side',
    source: '18055',
    profile: 'focus-installs',
    file: 'node/persist-loop.ts',
    find: '      if (this.#queue.length === 1) this.#installFirst();\n',
    replace: '      if (this.#queue.length > 0) this.#installFirst();\n',
  },
  {
    name: 'snapshot: writes behind it do not wait for the install',
    source: 'S6',
    profile: 'focus-installs',
    file: 'node/persist-loop.ts',
    find: 'if (append.snapshot === undefined && this.#queue.length === 0) this.#write(append);',
    replace: 'if (append.snapshot === undefined) this.#write(append);',
  },
  {
    name: 'snapshot: a write that it overtook counts as rejected',
    source: 'X1',
    profile: 'focus-installs',
    file: 'node/proposals.ts',
    find: "      waiter.doubt = Infinity;\n    }\n    // Its session tells: it is in the snapshot.\n    this.#queueAgain(again, 'in doubt');\n",
    replace: "      waiter.doubt = 0;\n    }\n    this.#queueAgain(again, 'dead');\n",
  },
  {
    name: 'snapshot: another file goes on under the name of the one before',
    source: 'S5',
    profile: 'transfers',
    file: 'node/snapshots.ts',
    find: '    const id = unfinished?.meta === meta ? unfinished.id : this.#newId();\n',
    replace: '    const id = unfinished === undefined ? this.#newId() : unfinished.id;\n',
    also: [
      {
        file: 'node/snapshot-receiver.ts',
        find: '  return isSame && request.from === again.from && state',
        replace: '  return request.from === again.from && state',
      },
    ],
  },
  {
    name: 'snapshot: a stream that goes on sends the beginning of the file again',
    source: 'S5',
    profile: 'transfers',
    file: 'node/snapshot-stream.ts',
    find: '    if (next > this.#next) this.#skipTo = next;\n',
    replace: '    if (next > this.#next) this.#next = next;\n',
  },
];
