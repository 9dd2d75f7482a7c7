/**
 * A member of a replicated key-value store: the keyspace on its backend, inside a node.
 */
import { Deferred } from '../base/deferred.js';
import type { KontikiError } from '../base/errors.js';
import { countedRecords } from '../mvcc/counted-records.js';
import { verifyRecord } from '../mvcc/verify-record.js';
import type { Env } from '../node/env.js';
import type { KvEngine } from '../storage/kv-engine.js';
import { MemoryEngine } from '../storage/memory/kv-engine.js';
import { MemoryStateHome } from '../storage/memory/state-home.js';
import { StateFolders } from '../storage/state-folders.js';
import { WriteBehindBackend } from '../storage/write-behind.js';
import { StoreStateMachine } from '../store/state-machine.js';
import { Store } from '../store/store.js';
import { Cleanup } from './cleanup.js';
import { type MemberState, openMember } from './open-member.js';
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
    const { node, machine } = await openMember(env, config, openKeyspace, cleanup);
    const { name, timeoutMs } = config;
    const { clock, timers, random } = env;
    const memberNames = new Map(config.members.map((member) => [member.id, member.name]));
    const onClosed = () => cleanup.run();
    const own = { name, node, machine, clock, timers, random };
    return new Store({ ...own, memberNames, timeoutMs, onClosed });
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function openKeyspace(
  env: Env,
  dir: string | undefined,
  cleanup: Cleanup,
): Promise<MemberState<StoreStateMachine>> {
  const flushFailed = new Deferred<KontikiError>();
  const onFailed = (error: KontikiError) => flushFailed.resolve(error);
  const failed = flushFailed.promise;
  const openBackend = (engine: KvEngine) =>
    WriteBehindBackend.open({
      engine,
      timers: env.timers,
      onFailed,
      verify: verifyRecord,
      counted: countedRecords,
    });
  if (dir === undefined) {
    const home = new MemoryStateHome(openBackend);
    const backend = await openBackend(new MemoryEngine());
    const machine = new StoreStateMachine(backend, home);
    return { machine, appliedIndex: backend.openedIndex, failed };
  }
  const { fs, openEngine } = env;
  const home = await StateFolders.find({ fs, openEngine, dir, openBackend });
  const engine = await home.openEngine();
  cleanup.add(() => engine.close());
  const backend = await openBackend(engine);
  const machine = new StoreStateMachine(backend, home);
  return { machine, appliedIndex: backend.openedIndex, failed, retire: () => home.retire() };
}
