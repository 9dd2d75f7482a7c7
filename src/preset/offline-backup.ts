/**
 * A backup of a member that does not run, from its directory: for when too few members are left to elect
 * a leader. The member is opened as a start would open it, but nobody hears of it.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { configIn } from '../assembly/data-directory.js';
import { openStoreOn } from '../assembly/open-store-on.js';
import { storeConfig } from '../assembly/store-config.js';
import type { Backup } from '../backup/backup.js';
import { kontikiError } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import { findMachineKind, kindOfRecord, type MachineKind } from '../storage/check/machine-kind.js';
import type { FileSystem } from '../storage/file-system.js';
import { memberFileName, readMemberFile } from '../storage/member-file.js';
import { readWal, type WalRecord } from '../storage/wal/index.js';
import type { StoreStatus } from '../store/status.js';
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
  /**
   * Entries of its log that are not in it: whether they were acknowledged this member did not know. 0 when
   * it is whole.
   */
  readonly undecided: number;
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
 * @throws {KontikiError} ARGUMENT_INVALID when there is no member, none of a store, or it is another
 *   user's; DIR_LOCKED when it runs; CLUSTER_MISMATCH for another token; and what a start of it refuses with
 * @since 0.1.0
 */
export async function openOfflineBackup(path: string, token?: string): Promise<OfflineBackup> {
  const dir = fixedDirectory(path);
  await refuseOtherUser(dir);
  const storage = await systemStorage();
  const { fs, timers, clock } = storage;
  const record = await readMemberFile(fs, dir);
  if (record === undefined) {
    throw kontikiError('ARGUMENT_INVALID', `expected a data directory with a member in '${path}'`);
  }
  if (!record.rolledBack) await refuseOwnMachine(fs, dir);
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
  const deadlineMs = clock.monotonicMs() + backupTimeoutMs;
  const leftMs = () => deadlineMs - clock.monotonicMs();
  while (isBehind(store.status()) && leftMs() > 0) await sleep(timers, pollMs);
  // Only now: what it had committed may have made others voters.
  const { committedIndex, isOnlyVoter: isWhole, lastIndex } = store.status();
  const timeoutMs = Math.max(1, leftMs());
  const backup = store.backup({ serializable: !isWhole, timeoutMs });
  const undecided = isWhole ? 0 : lastIndex - committedIndex;
  return { backup, isWhole, undecided, close: () => store.close() };
}

/** Committed entries are still being applied; those of a lone voter's log are all committed by itself. */
function isBehind({
  appliedIndex,
  committedIndex,
  failure,
  isOnlyVoter,
  lastIndex,
  role,
}: StoreStatus): boolean {
  if (failure !== undefined) return false;
  const hasAll = !isOnlyVoter || (role === 'leader' && committedIndex === lastIndex);
  return !hasAll || appliedIndex < committedIndex;
}

/** Under its lock, for who runs writes what is read; and before a state is made there for the store. */
async function refuseOwnMachine(fs: FileSystem, dir: string): Promise<void> {
  const lock = await fs.lock(dir);
  try {
    let logged: MachineKind | undefined;
    const visit = (record: WalRecord) => {
      logged ??= kindOfRecord(record);
    };
    const { tail } = await readWal({ fs, dir: `${dir}/wal`, visit });
    // Without a log the open says what is lost.
    if (tail === undefined || (await findMachineKind(fs, dir, logged)) === 'keyspace') return;
  } finally {
    await lock.release();
  }
  const why = "a state machine of one's own is to be backed up by itself";
  throw kontikiError('ARGUMENT_INVALID', `expected the state of a store in '${dir}': ${why}`);
}

/** A save writes in the directory, as each open does: the member could not open those files any more. */
async function refuseOtherUser(dir: string): Promise<void> {
  const user = process.geteuid?.();
  const file = await stat(join(dir, memberFileName)).catch(() => undefined);
  // Whatever is wrong with the file is told by who reads it.
  if (user === undefined || file === undefined || file.uid === user) return;
  const message = `expected to run as user ${file.uid}, whose ${dir} is, got user ${user}`;
  throw kontikiError('ARGUMENT_INVALID', message);
}
