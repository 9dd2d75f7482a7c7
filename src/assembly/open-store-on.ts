/**
 * The wiring of a store's member on any environment, in the order that leaves nothing behind when a
 * step refuses. Checks come first, then the lock and the address, then what peers say about this
 * member; only then is the first byte of state written.
 */
import type { Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { StateHome } from '../mvcc/state-home.js';
import { verifyRecord } from '../mvcc/verify-record.js';
import type { Env } from '../node/env.js';
import { Node } from '../node/node.js';
import type { PeerMemory } from '../node/peer-registry.js';
import type { KvEngine } from '../storage/kv-engine.js';
import type { LogStore } from '../storage/log-store.js';
import { MemoryEngine } from '../storage/memory/kv-engine.js';
import { MemoryLogStore } from '../storage/memory/log-store.js';
import { MemoryStateHome } from '../storage/memory/state-home.js';
import { SnapshotFiles } from '../storage/snapshot-files/store.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { StateFolders } from '../storage/state-folders.js';
import { openWal } from '../storage/wal/index.js';
import { WriteBehindBackend } from '../storage/write-behind.js';
import { StoreStateMachine } from '../store/state-machine.js';
import { Store } from '../store/store.js';
import type { MemberIdentity } from '../transport/transport.js';
import { Cleanup } from './cleanup.js';
import { DataDirectory, newDirId } from './data-directory.js';
import type { StoreConfig } from './store-config.js';

/**
 * Opens one member of a replicated store on a given environment: `openStore` on the platform's, a
 * simulation on that of a virtual machine. It resolves when the member is open; a leader may not be
 * known yet, calls wait for one.
 *
 * @param env - everything outside; its transport must be made for `config`
 * @param config - from `storeConfig`
 * @throws {KontikiError} DIR_REQUIRED, MEMBER_UNKNOWN, MEMBER_MISMATCH,
 *   CLUSTER_MISMATCH, DIR_LOCKED, PORT_IN_USE, TRANSPORT_IO, MEMBER_IDENTITY_CHANGED before anything
 *   is written; WAL_CORRUPT, STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function openStoreOn(env: Env, config: StoreConfig): Promise<Store> {
  const cleanup = new Cleanup();
  try {
    const parts =
      config.dir === undefined
        ? await openInMemory(env, config, cleanup)
        : await openDirectory(env, config, config.dir, cleanup);
    return await openMember(env, config, parts, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** What a member stands on. */
interface MemberParts {
  /** Where a flush that fails is to be told, once there is somebody to tell. */
  readonly flushFailed: Deferred<KontikiError>;
  readonly identity: MemberIdentity;
  readonly log: LogStore;
  readonly backend: WriteBehindBackend;
  /** Where the backend lives. */
  readonly home: StateHome;
  /** Absent in memory, where nobody can be behind. */
  readonly snapshots?: SnapshotStore | undefined;
  readonly peerMemory: PeerMemory;
}

async function openInMemory(env: Env, config: StoreConfig, cleanup: Cleanup): Promise<MemberParts> {
  const { clusterId, memberId } = config;
  await env.transport.listen();
  cleanup.add(() => env.transport.close());
  return {
    identity: { clusterId, memberId, dirId: newDirId(env.random) },
    log: new MemoryLogStore({ voters: [memberId] }),
    ...(await openMemoryState(env)),
    peerMemory: { load: () => new Map(), save: async () => undefined },
  };
}

async function openDirectory(
  env: Env,
  config: StoreConfig,
  path: string,
  cleanup: Cleanup,
): Promise<MemberParts> {
  const look = await DataDirectory.inspect(env.fs, path, config);
  cleanup.add(await look.lock());
  // Until the lock was taken another owner may have made it something else.
  const directory = await DataDirectory.inspect(env.fs, path, config);
  await env.transport.listen();
  cleanup.add(() => env.transport.close());
  const identity = directory.identity ?? directory.newIdentity(env.random);
  if (directory.identity === undefined) await env.transport.probe(identity);
  // Before the log: the engine holds a lock of the kernel, which nobody else's mistake can take.
  const state = await openState(env, path, cleanup);
  const applied = state.backend.openedIndex;
  const log = await openLog(env, config, {
    path,
    applied,
    isNew: directory.identity === undefined,
  });
  cleanup.add(() => log.close());
  const snapshots = await openSnapshots(env, path, log);
  cleanup.add(() => snapshots.close());
  // Only now: whatever refuses to open has changed nothing.
  await state.home.retire();
  if (directory.identity === undefined) await directory.initialize(identity);
  return { identity, log, snapshots, ...state, peerMemory: directory.peerMemory() };
}

function backendOpener(env: Env) {
  const flushFailed = new Deferred<KontikiError>();
  const onFailed = (error: KontikiError) => flushFailed.resolve(error);
  const openBackend = (engine: KvEngine) =>
    WriteBehindBackend.open({ engine, timers: env.timers, onFailed, verify: verifyRecord });
  return { flushFailed, openBackend };
}

async function openMemoryState(env: Env) {
  const { flushFailed, openBackend } = backendOpener(env);
  const home = new MemoryStateHome(openBackend);
  return { backend: await openBackend(new MemoryEngine()), flushFailed, home };
}

async function openState(env: Env, dir: string, cleanup: Cleanup) {
  const { flushFailed, openBackend } = backendOpener(env);
  const { fs, openEngine } = env;
  const home = await StateFolders.find({ fs, openEngine, dir, openBackend });
  const engine = await home.openEngine();
  cleanup.add(() => engine.close());
  return { backend: await openBackend(engine), flushFailed, home };
}

/** Those of an install that a crash cut short included: the node finishes it. */
async function openSnapshots(env: Env, path: string, log: LogStore): Promise<SnapshotStore> {
  const { fs, sha256 } = env;
  const snapshots = await SnapshotFiles.open({ fs, dir: `${path}/snapshots`, sha256 });
  if (log.installing === undefined) await snapshots.prune();
  return snapshots;
}

/**
 * A directory without a member file is new, or its first start was cut short before anything was
 * promised; a log that this left is started over, because that start may have been told of other
 * members. A log that has been used says that the file was lost, and with it who this member is.
 */
async function openLog(
  env: Env,
  config: StoreConfig,
  place: { readonly path: string; readonly applied: number; readonly isNew: boolean },
): Promise<LogStore> {
  const { path, applied, isNew } = place;
  const voters = config.members.map((member) => member.id);
  // Beside a member file a missing log was lost: a new one would forget votes and acknowledgements.
  const { segmentBytes } = config.tuning ?? {};
  const options = { fs: env.fs, dir: `${path}/wal`, voters, applied, create: isNew, segmentBytes };
  const isLeftOver = isNew && (await env.fs.list(options.dir)).length > 0;
  const log = await openWal(options);
  if (!isLeftOver) return log;
  const isUsed = log.lastIndex() > 0 || log.initialState().hardState.term > 0;
  await log.close();
  if (isUsed) {
    throw kontikiError(
      'STATE_CORRUPT',
      `openStore: expected member.json beside the log in ${path}, found none; ` +
        'replace this member under a new id, or restore a backup',
    );
  }
  await env.fs.remove(options.dir);
  return openWal(options);
}

async function openMember(
  env: Env,
  config: StoreConfig,
  parts: MemberParts,
  cleanup: Cleanup,
): Promise<Store> {
  const { identity, log, backend, flushFailed, home, peerMemory, snapshots } = parts;
  const { name, tickMs, heartbeatTicks, electionTicks, timeoutMs } = config;
  const timers: Timers = env.timers;
  const machine = new StoreStateMachine(backend, home);
  const ticks = { tickMs, heartbeatTicks, electionTicks };
  const retention = config.tuning?.retention;
  const storage = { log, snapshots, retention, stateMachine: machine, peerMemory };
  const node = await Node.open({ env, identity, ...storage, ...ticks });
  // An idle member would otherwise learn of it only with its next write.
  void flushFailed.promise.then((error) => node.fail(error));
  const memberNames = new Map(config.members.map((member) => [member.id, member.name]));
  const onClosed = () => cleanup.run();
  const { clock, random } = env;
  const own = { name, node, machine, clock, timers, random };
  return new Store({ ...own, memberNames, timeoutMs, onClosed });
}
