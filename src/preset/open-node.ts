/**
 * `openNode` on the platform.
 */
import type { MachineNode } from '../assembly/machine-node.js';
import { nodeConfig, type OpenNodeOptions } from '../assembly/node-config.js';
import { openNodeOn } from '../assembly/open-node-on.js';
import { withFixedPaths } from './fixed-paths.js';
import { systemEnv } from './system-env.js';

/**
 * Opens one member of a group that replicates a state machine of your own: see `CommandMachine`. With
 * `cluster` and `dir` it replicates with the others; with `dir` alone it is a durable single member; with
 * neither its log is in memory, and the state machine has to begin empty too.
 *
 * It resolves when the member is open; a leader may not be known yet, calls wait for one.
 *
 * @param options - see {@link OpenNodeOptions}; anything unknown is refused
 * @throws {KontikiError} OPTIONS_INVALID, DIR_REQUIRED, MEMBER_UNKNOWN, TOO_MANY_MEMBERS,
 *   MEMBER_MISMATCH, CLUSTER_MISMATCH, DIR_LOCKED, PORT_IN_USE, TRANSPORT_IO, MEMBER_IDENTITY_CHANGED
 *   before anything is written; WAL_CORRUPT (also when the state is ahead of the log),
 *   FORMAT_UNSUPPORTED, STORAGE_IO, NO_SPACE; what `open` of the state machine throws
 * @since 0.1.0
 * @example const node = await openNode({ stateMachine: new Table('./table'), dir: './data' });
 */
export async function openNode<Answer = unknown>(
  options: OpenNodeOptions<Answer>,
): Promise<MachineNode<Answer>> {
  const { config: given, stateMachine } = nodeConfig(options);
  const config = withFixedPaths(given);
  return openNodeOn(await systemEnv(config), config, stateMachine);
}
