// A member of its own never needs a snapshot, and never takes one: only a member that was left behind
// does. This makes one of the whole state and installs it, with the parts that such a member uses, so
// that a single member's directory has all that a directory can have.
import type { StoreConfig } from '../../src/assembly/store-config.js';
import { verifyRecord } from '../../src/mvcc/verify-record.js';
import { ApplyLoop } from '../../src/node/apply-loop.js';
import type { Env } from '../../src/node/index.js';
import { finishInstall, installSnapshot } from '../../src/node/snapshot-install.js';
import type { KvEngine, LogStore } from '../../src/storage/index.js';
import { SnapshotFiles, StateFolders, WriteBehindBackend } from '../../src/storage/index.js';
import { openWal } from '../../src/storage/wal/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';

/** Needs a directory that a store has had open, and none that has it open now. */
export async function installOwnSnapshot(env: Env, config: StoreConfig): Promise<void> {
  const { fs, openEngine, timers } = env;
  const { dir = '', members, tuning } = config;
  const openBackend = (engine: KvEngine) =>
    WriteBehindBackend.open({ engine, timers, verify: verifyRecord });
  const home = await StateFolders.find({ fs, openEngine, dir, openBackend });
  const backend = await openBackend(await home.openEngine());
  const log = await openWal({
    ...{ fs, dir: `${dir}/wal`, voters: members.map(({ id }) => id), create: false },
    ...{ applied: backend.openedIndex, segmentBytes: tuning?.segmentBytes },
  });
  const store = await SnapshotFiles.open({ fs, dir: `${dir}/snapshots` });
  await home.retire();
  const machine = new StoreStateMachine(backend, home);
  const { appliedIndex } = await machine.open();
  const from = await finishInstall({ log, machine, store }, appliedIndex);
  // A log of one member alone: what is in it is committed.
  const index = log.lastIndex();
  await replay(log, machine, from);
  if (log.firstIndex() <= index) await install({ log, machine, store }, index);
  await machine.close();
  await store.close();
  await log.close();
}

async function replay(log: LogStore, machine: StoreStateMachine, from: number): Promise<void> {
  const hi = log.lastIndex() + 1;
  for (let lo = from + 1; lo < hi; ) {
    const entries = log.entries({ lo, hi }, 1e9);
    if (entries === 'pending') {
      await log.fetch({ lo, hi });
      continue;
    }
    await machine.apply(entries ?? []);
    lo += entries?.length ?? 0;
  }
}

async function install(
  parts: { log: LogStore; machine: StoreStateMachine; store: SnapshotFiles },
  index: number,
): Promise<void> {
  const { log, machine, store } = parts;
  const { hardState, ...configuration } = log.initialState();
  const last = { term: log.term(index) as number, index };
  const snapshot = machine.snapshot();
  const sink = await store.create(last, configuration);
  for (let next = await snapshot.next(); next !== undefined; next = await snapshot.next()) {
    await sink.write(next);
  }
  await sink.commit();
  await snapshot.close();
  const handlers = { onApplied: () => undefined, onFailed: () => undefined };
  const apply = new ApplyLoop(machine, handlers);
  await installSnapshot(
    { ...parts, apply, pause: () => Promise.reject(new Error('nobody waits')) },
    {
      snapshot: { last, configuration, data: new Uint8Array(0) },
      hardState: { ...hardState, commit: index },
      entries: [],
      mustSync: true,
      responses: [],
    },
  );
}
