/**
 * A backup of a member that does not run, from its directory: for when too few members are left to elect
 * a leader. The member is opened as a start would open it, but nobody hears of it.
 */
import { configIn } from '../assembly/data-directory.js';
import { openStoreOn } from '../assembly/open-store-on.js';
import { storeConfig } from '../assembly/store-config.js';
import type { Backup } from '../backup/backup.js';
import { kontikiError } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import { readMemberFile } from '../storage/index.js';
import type { Store } from '../store/store.js';
import { MemoryHub } from '../transport/memory-hub.js';
import { fixedDirectory } from './fixed-paths.js';
import { systemStorage } from './system-env.js';

/** @since 0.1.0 */
export interface OfflineBackup {
  readonly backup: Backup;
  /**
   * Whether it has everything that was ever acknowledged. A member of several has what it knew to be
   * committed: others may have acknowledged more.
   */
  readonly isWhole: boolean;
  close(): Promise<void>;
}

const pollMs = 10;
/**
 * A lone member elects itself once its own pledge is over, and read leases may have been long; nobody is
 * asked how long.
 */
const backupTimeoutMs = 600_000;

/**
 * Opens a stopped member to take a backup of it.
 *
 * @param path - its data directory
 * @param token - that its cluster was opened with; default that of `openStore`
 * @throws {KontikiError} ARGUMENT_INVALID when there is no member; DIR_LOCKED when it runs;
 *   CLUSTER_MISMATCH for another token; and what a start of it refuses with
 * @since 0.1.0
 */
export async function openOfflineBackup(path: string, token?: string): Promise<OfflineBackup> {
  const dir = fixedDirectory(path);
  const storage = await systemStorage();
  const { fs, timers } = storage;
  const record = await readMemberFile(fs, dir);
  if (record === undefined) {
    throw kontikiError('ARGUMENT_INVALID', `expected a data directory with a member in '${path}'`);
  }
  const { name } = record;
  // As one that joined: whether it did, or founded its cluster, its directory says who it is.
  const given = storeConfig({
    ...{ name, dir, token, listen: 'offline:1', bootstrap: 'existing' },
    // A lone member leads here as well, and the directory goes on afterwards as it was found.
    history: { keep: 'all' },
  });
  const config = { ...(await configIn(fs, given)), keepsLeases: true };
  const transport = new MemoryHub({ timers }).transport({ address: name, peers: new Map() });
  const store = await openStoreOn({ ...storage, transport }, config);
  const isWhole = store.status().members.length === 1;
  while (!isWhole && isBehind(store)) await sleep(timers, pollMs);
  const backup = store.backup({ serializable: !isWhole, timeoutMs: backupTimeoutMs });
  return { backup, isWhole, close: () => store.close() };
}

/** Committed entries are still being applied. */
function isBehind(store: Store): boolean {
  const { appliedIndex, committedIndex, failure } = store.status();
  return failure === undefined && appliedIndex < committedIndex;
}
