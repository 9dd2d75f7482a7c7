/**
 * A member of a replicated key-value store: the keyspace on its backend, inside a node.
 */
import { Deferred } from '../base/deferred.js';
import type { KontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { Sha256 } from '../base/sha256.js';
import type { Backend } from '../mvcc/backend.js';
import { countedRecords } from '../mvcc/counted-records.js';
import { historyUnits } from '../mvcc/record-keys.js';
import type { StateHome } from '../mvcc/state-home.js';
import { verifyRecord } from '../mvcc/verify-record.js';
import type { Env } from '../node/env.js';
import type { KvEngine } from '../storage/kv-engine.js';
import { MemoryEngine } from '../storage/memory/kv-engine.js';
import { MemoryStateHome } from '../storage/memory/state-home.js';
import { StateFolders } from '../storage/state-folders.js';
import { WriteBehindBackend } from '../storage/write-behind.js';
import type { EngineReopening } from '../storage/write-behind-options.js';
import { StoreStateMachine } from '../store/state-machine.js';
import { Store } from '../store/store.js';
import { Cleanup } from './cleanup.js';
import { type MemberState, type OpenState, openMember } from './open-member.js';
import type { StoreConfig, StoreTuning } from './store-config.js';

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
    const { name, timeoutMs, keepsLeases, tuning = {} } = config;
    const openState = openKeyspaceWith(tuning);
    const { node, machine } = await openMember(env, config, openState, cleanup);
    const { clock, timers, random } = env;
    const memberNames = node.members.names;
    const onClosed = () => cleanup.run();
    const checksums = { crc32: env.fs.crc32, sha256: env.sha256 ?? (() => new Sha256()) };
    const own = { name, node, machine, clock, timers, random, checksums, ...noteOf(tuning) };
    const { tracing } = env;
    const { history = config.history } = tuning;
    const chosen = { timeoutMs, history, keepsLeases };
    return new Store({ ...own, ...chosen, memberNames, tracing, onClosed });
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

function noteOf({ leaseCheckpointMs }: StoreTuning) {
  return leaseCheckpointMs === undefined ? {} : { leaseCheckpointMs };
}

function openKeyspaceWith(tuning: StoreTuning): OpenState<StoreStateMachine> {
  return (env, dir, cleanup) => openKeyspace(env, dir, cleanup, tuning);
}

async function openKeyspace(
  env: Env,
  dir: string | undefined,
  cleanup: Cleanup,
  tuning: StoreTuning,
): Promise<MemberState<StoreStateMachine>> {
  const { aheadBytesMin, flushIntervalMs, sortKeysMax, versionCacheBytes, watcherEventsMax } =
    tuning;
  const flushFailed = new Deferred<KontikiError>();
  const onFailed = (error: KontikiError) => flushFailed.resolve(error);
  const failed = flushFailed.promise;
  const keptBytes = Math.min(limits.flushedRecordsBytes, versionCacheBytes ?? Infinity);
  const openBackend = (engine: KvEngine, reopening?: EngineReopening) =>
    WriteBehindBackend.open({
      engine,
      reopening,
      timers: env.timers,
      onFailed,
      verify: verifyRecord,
      counted: countedRecords,
      // An engine in memory has them at hand.
      kept: dir === undefined ? undefined : { prefix: countedRecords.prefix, bytesMax: keptBytes },
      appended: historyUnits,
      ...(flushIntervalMs === undefined ? {} : { flushIntervalMs }),
      ...(sortKeysMax === undefined ? {} : { sortKeysMax }),
      ...(aheadBytesMin === undefined ? {} : { aheadBytesMin }),
    });
  const machineOn = (backend: Backend, home: StateHome) =>
    new StoreStateMachine(backend, home, undefined, versionCacheBytes, watcherEventsMax);
  if (dir === undefined) {
    const home = new MemoryStateHome(openBackend);
    const backend = await openBackend(new MemoryEngine());
    return { machine: machineOn(backend, home), appliedIndex: backend.openedIndex, failed };
  }
  const { fs, openEngine } = env;
  const home = await StateFolders.find({ fs, openEngine, dir, openBackend });
  const engine = await home.openEngine();
  cleanup.add(() => engine.close());
  const backend = await openBackend(engine, home.reopening);
  const machine = machineOn(backend, home);
  return { machine, appliedIndex: backend.openedIndex, failed, retire: () => home.retire() };
}
