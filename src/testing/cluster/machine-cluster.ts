/**
 * A simulated cluster that replicates a state machine of one's own.
 */
import { storeConfig } from '../../assembly/store-config.js';
import { MachineService } from '../machine/machine-service.js';
import type { MachineSpec } from '../machine/machine-spec.js';
import { SimCluster } from './sim-cluster.js';
import type { StoreClusterOptions } from './store-cluster.js';

/** @since 0.1.0 */
export interface MachineClusterOptions<State, Input, Answer> extends StoreClusterOptions {
  readonly machine: MachineSpec<State, Input, Answer>;
}

/**
 * Makes a cluster; no member runs yet.
 *
 * @param options - see {@link MachineClusterOptions}
 * @throws {KontikiError} OPTIONS_INVALID, when a member is started
 * @since 0.1.0
 * @example await cluster.sim.complete(cluster.service('n1').propose({ op: 'seats' }), 10_000);
 */
export function machineCluster<State, Input, Answer>(
  options: MachineClusterOptions<State, Input, Answer>,
): SimCluster<MachineService<Input, Answer>> {
  const { machine, store, tuning, ...rest } = options;
  return new SimCluster({
    ...rest,
    open: (env, place) =>
      MachineService.open(env, { ...storeConfig({ ...store, ...place }), tuning }, machine),
  });
}
