/**
 * `openStore` on the platform: options are checked as a whole, then the member is put together.
 */
import { configIn } from '../assembly/data-directory.js';
import { openStoreOn } from '../assembly/open-store-on.js';
import { type StoreOptions, storeConfig } from '../assembly/store-config.js';
import type { Store } from '../store/store.js';
import { withFixedPaths } from './fixed-paths.js';
import { systemEnv, systemStorage } from './system-env.js';

/**
 * Opens one member of a replicated store, or a store of its own.
 *
 * - with `cluster` and `dir`: a durable member that replicates with the others;
 * - with `dir` alone: a durable single member;
 * - with neither: a single member in memory.
 *
 * It resolves when the member is open; a leader may not be known yet, calls wait for one.
 *
 * @param options - see {@link StoreOptions}; anything unknown is refused
 * @throws {KontikiError} OPTIONS_INVALID, DIR_REQUIRED, MEMBER_UNKNOWN, TOO_MANY_MEMBERS,
 *   MEMBER_MISMATCH, CLUSTER_MISMATCH, DIR_LOCKED, PORT_IN_USE, TRANSPORT_IO, MEMBER_IDENTITY_CHANGED
 *   before anything is written; WAL_CORRUPT, STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO, NO_SPACE
 * @since 0.1.0
 * @example const store = await openStore({ dir: './data' });
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const given = withFixedPaths(storeConfig(options));
  const storage = await systemStorage();
  const config = await configIn(storage.fs, given);
  return openStoreOn(await systemEnv(config, storage), config);
}
