/**
 * `restoreStore` on the platform: a backup becomes the data directory of a member of a new cluster.
 */
import { resolve } from 'node:path';
import { type RestoredMember, restoreStoreOn } from '../assembly/restore-store-on.js';
import { type StoreOptions, storeConfig } from '../assembly/store-config.js';
import { kontikiError } from '../base/errors.js';
import { withFixedPaths } from './fixed-paths.js';
import { systemStorage } from './system-env.js';

/** @since 0.1.0 */
export interface RestoreOptions extends Pick<StoreOptions, 'cluster' | 'name' | 'token'> {
  /** Path of the backup. */
  readonly from: string;
  /** Data directory to make; it must not exist, or be empty. */
  readonly dir: string;
  /**
   * Added to the revision, for clients that remember revisions of the lost cluster: choose more than it
   * can have written since the backup. All history before counts as compacted then. Default: neither.
   */
  readonly bumpRevision?: number | undefined;
}

const optionNames = ['bumpRevision', 'cluster', 'dir', 'from', 'name', 'token'];

/**
 * Makes the data directory of one member of a new cluster out of a backup: keys, history, revisions and
 * leases with what they have left are those of the backup; cluster, members and ids are new. `openStore`
 * with the same `name`, `dir`, `cluster` and `token` starts it. Call it once for each member of `cluster`,
 * with the same backup and the same options but for `name` and `dir`: members that were restored otherwise,
 * or not at all, refuse each other (`CLUSTER_MISMATCH`).
 *
 * All of the backup is verified before anything is written.
 *
 * @param options - see {@link RestoreOptions}; anything unknown is refused
 * @throws {KontikiError} OPTIONS_INVALID, DIR_REQUIRED, MEMBER_UNKNOWN, TOO_MANY_MEMBERS, DIR_NOT_EMPTY,
 *   DIR_LOCKED, SNAPSHOT_CORRUPT for a backup that is cut, altered or none, FORMAT_UNSUPPORTED for one
 *   of a later release: nothing is written then; STORAGE_IO, NO_SPACE: what was written is removed
 * @since 0.1.0
 * @example await restoreStore({ from: 'store.backup', dir: './data' });
 */
export async function restoreStore(options: RestoreOptions): Promise<RestoredMember> {
  const { from, bumpRevision, ...member } = options ?? {};
  for (const key of Object.keys(options ?? {})) {
    if (!optionNames.includes(key)) throw invalid('option names', optionNames.join(', '), key);
  }
  if (typeof from !== 'string' || from === '') throw invalid('from', 'the path of a backup', from);
  if (bumpRevision !== undefined && !(Number.isSafeInteger(bumpRevision) && bumpRevision >= 1)) {
    throw invalid('bumpRevision', 'an integer of at least 1', bumpRevision);
  }
  const config = withFixedPaths(storeConfig(member));
  const source = { from: resolve(from), bumpRevision };
  return restoreStoreOn(await systemStorage(), config, source);
}

function invalid(what: string, expected: string, got: unknown) {
  const message = `restoreStore: expected ${what} to be ${expected}, got ${String(got)}`;
  return kontikiError('OPTIONS_INVALID', message);
}
