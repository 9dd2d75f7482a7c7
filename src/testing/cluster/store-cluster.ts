/**
 * A simulated cluster of stores, opened by the code that opens them in production.
 */
import { openStoreOn } from '../../assembly/open-store-on.js';
import { type StoreOptions, type StoreTuning, storeConfig } from '../../assembly/store-config.js';
import type { Store } from '../../store/store.js';
import { SimCluster, type SimClusterOptions } from './sim-cluster.js';

/** @since 0.1.0 */
export interface StoreClusterOptions extends Omit<SimClusterOptions<Store>, 'open'> {
  /** Of every member; see `StoreOptions`. */
  readonly store?:
    | Pick<StoreOptions, 'tickMs' | 'heartbeatTicks' | 'electionTicks' | 'timeoutMs'>
    | undefined;
  /** Small sizes, so that a short run reaches what takes days in production. */
  readonly tuning?: StoreTuning | undefined;
}

/**
 * Makes a cluster of stores; none runs yet.
 *
 * @param options - see {@link StoreClusterOptions}
 * @throws {KontikiError} OPTIONS_INVALID, when a member is started
 * @since 0.1.0
 */
export function storeCluster(options: StoreClusterOptions): SimCluster<Store> {
  const { store, tuning, ...rest } = options;
  return new SimCluster({
    ...rest,
    open: (env, place) => openStoreOn(env, { ...storeConfig({ ...store, ...place }), tuning }),
  });
}
