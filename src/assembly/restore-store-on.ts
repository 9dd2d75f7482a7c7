/**
 * Makes the data directory of one member of a new cluster out of a backup (DESIGN §4.14). Each member
 * of that cluster is restored from the same file, in a directory of its own.
 *
 *     verify all of the backup | lock | log: installing | state loaded, switched to | log: installed |
 *     member.json
 *
 * The member file comes last: a log that was used and has none beside it is refused by every open, so
 * a restore that was cut short leaves nothing that starts.
 */

import {
  type BackupFile,
  readBackup,
  type VerifiedBackup,
  verifyBackup,
} from '../backup/backup-file.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { StoredRecord } from '../mvcc/backend.js';
import { bumpRevision } from '../mvcc/bump-revision.js';
import { countedRecords } from '../mvcc/counted-records.js';
import { metaKey } from '../mvcc/record-keys.js';
import type { StateLoad } from '../mvcc/state-home.js';
import { verifyRecord } from '../mvcc/verify-record.js';
import type { Env } from '../node/env.js';
import type { LogId, MemberId } from '../raft/types.js';
import { StateFolders } from '../storage/state-folders.js';
import { openWal } from '../storage/wal/index.js';
import { WriteBehindBackend } from '../storage/write-behind.js';
import { DataDirectory, newDirId } from './data-directory.js';
import { foundingState } from './founding-state.js';
import { restoredConfig, type StoreConfig } from './store-config.js';

/** What a lock of the platform is made of, and what attempts to take it may have left. */
const lockNames = /^lock(\.d|\.\d+\.\d+)?$/;

/** What a restore needs of an environment. @since 0.1.0 */
export type RestoreEnv = Pick<Env, 'fs' | 'openEngine' | 'random' | 'sha256' | 'timers'>;

/** @since 0.1.0 */
export interface RestoreSource {
  /** Path of the backup. */
  readonly from: string;
  /** Added to its revision, 1 or more; default: the revision stays. */
  readonly bumpRevision?: number | undefined;
}

/** Whom a directory belongs to after a restore. @since 0.1.0 */
export interface RestoredMember {
  readonly clusterId: number;
  readonly memberId: MemberId;
  /** Of the store that will open. */
  readonly revision: number;
}

/** A restore that nothing speaks against any more. */
interface Restore {
  readonly env: RestoreEnv;
  readonly config: StoreConfig;
  readonly dir: string;
  readonly file: BackupFile;
  readonly backup: VerifiedBackup;
  readonly bump: number;
}

/**
 * Restores one member on a given environment; see `restoreStore`.
 *
 * @param env - everything outside
 * @param config - of the member, from `storeConfig`
 * @param source - the backup
 * @throws {KontikiError} DIR_REQUIRED, DIR_NOT_EMPTY, DIR_LOCKED, OPTIONS_INVALID, SNAPSHOT_CORRUPT,
 *   FORMAT_UNSUPPORTED before anything is written; STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function restoreStoreOn(
  env: RestoreEnv,
  config: StoreConfig,
  { from, bumpRevision: bump = 0 }: RestoreSource,
): Promise<RestoredMember> {
  const { dir } = config;
  if (dir === undefined) throw kontikiError('DIR_REQUIRED', 'restore: expected a dir, got none');
  const { fs } = env;
  await refuseFilled(env, dir);
  const file: BackupFile = { fs, path: from, sha256: env.sha256 };
  const backup = await verifyBackup(file);
  const revision = backup.info.revision + bump;
  // Half of all safe integers is left for what will be written.
  if (bump > 0 && revision > Number.MAX_SAFE_INTEGER / 2) {
    throw kontikiError(
      'OPTIONS_INVALID',
      `restore: a revision bumped by ${bump} leaves too few for what is to be written`,
    );
  }
  const own = restoredConfig(config, originOf(backup, bump));
  const directory = await DataDirectory.inspect(fs, dir, own);
  const unlock = await directory.lock();
  try {
    // Until the lock was taken another owner may have filled it.
    await refuseFilled(env, dir);
    await directory.syncNames();
    await write({ env, config: own, dir, file, backup, bump }, directory);
  } finally {
    await unlock();
  }
  return { clusterId: own.clusterId, memberId: own.memberId, revision };
}

/**
 * What tells clusters restored from different backups, or differently, apart: members that are not of
 * one and the same restore must not take each other for members of one cluster, nor one that was not
 * restored at all.
 */
function originOf(backup: VerifiedBackup, bump: number): string {
  const origin = `${backup.hash}@${beginningOf(backup).index}`;
  return bump === 0 ? origin : `${origin}+${bump}`;
}

/**
 * Where the new cluster's log begins. Entries go on where those of the lost one ended, for generations
 * of leases are indexes, and terms as well, for services outside compare them (DESIGN §4.19).
 */
function beginningOf({ info }: VerifiedBackup): LogId {
  return { index: Math.max(1, info.appliedIndex), term: Math.max(1, info.term) };
}

async function refuseFilled({ fs }: RestoreEnv, dir: string): Promise<void> {
  const found = (await fs.list(dir)).filter((name) => !lockNames.test(name));
  if (found.length === 0) return;
  const message = `restore: expected nothing in ${dir}, found ${found.slice(0, 5).join(', ')}`;
  throw kontikiError('DIR_NOT_EMPTY', message);
}

async function write(restore: Restore, directory: DataDirectory): Promise<void> {
  const { config, dir, env } = restore;
  try {
    await writeLogAndState(restore);
    const { clusterId, memberId } = config;
    await directory.initialize({ clusterId, memberId, dirId: newDirId(env.random) });
  } catch (error) {
    // Nobody can use what is there; what cannot be removed is refused by every open.
    for (const name of await env.fs.list(dir).catch(() => [])) {
      if (!lockNames.test(name)) await env.fs.remove(`${dir}/${name}`).catch(() => undefined);
    }
    throw error;
  }
}

async function writeLogAndState(restore: Restore): Promise<void> {
  const { backup, config, dir, env } = restore;
  const last = beginningOf(backup);
  const founded = foundingState(config.members);
  const log = await openWal({ fs: env.fs, dir: `${dir}/wal`, ...founded });
  try {
    // A member that begins without the backup gets all of it from its leader: the log has no beginning.
    const { hardState: _fresh, ...configuration } = log.initialState();
    const hardState = { term: last.term, vote: 0, commit: last.index };
    await log.append({ snapshot: { last, configuration }, hardState, entries: [], mustSync: true });
    await loadState(restore, last.index);
    await log.installed(last);
  } finally {
    await log.close();
  }
}

async function loadState({ backup, bump, dir, env, file }: Restore, index: number): Promise<void> {
  const { fs, openEngine, timers } = env;
  const home = await StateFolders.find({
    ...{ fs, openEngine, dir },
    openBackend: (engine) =>
      WriteBehindBackend.open({ engine, timers, verify: verifyRecord, counted: countedRecords }),
  });
  const load = await home.load(index);
  try {
    await fill(load, file, backup, bump);
  } catch (error) {
    await load.discard();
    throw error;
  }
  const loaded = await load.finish();
  await loaded.close();
}

async function fill(
  load: StateLoad,
  file: BackupFile,
  { hash }: VerifiedBackup,
  bump: number,
): Promise<void> {
  let numbers: StoredRecord | undefined;
  const again = await readBackup(file, (records) => {
    if (bump === 0) return load.add(records);
    numbers ??= records.find(([key]) => key === metaKey);
    return load.add(records.filter(([key]) => key !== metaKey));
  });
  if (bump > 0) await load.add([bumpRevision(numbers, bump)]);
  if (again.hash !== hash) throw changed(file.path);
}

function changed(path: string): KontikiError {
  const message = `restore: ${path} became another file while it was read`;
  return kontikiError('SNAPSHOT_CORRUPT', message, { file: path, offset: 0 });
}
