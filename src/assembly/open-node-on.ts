/**
 * A member that replicates a state machine of one's own, on any environment.
 */
import { type CommandMachine, NamedCommandMachine } from '../node/command-machine.js';
import type { Env } from '../node/env.js';
import { Cleanup } from './cleanup.js';
import { MachineNode } from './machine-node.js';
import { openMember } from './open-member.js';
import type { StoreConfig } from './store-config.js';

/**
 * Opens one member: `openNode` on the platform's environment, a simulation on that of a virtual machine.
 *
 * @param env - everything outside; its transport must be made for `config`
 * @param config - from `nodeConfig`
 * @param stateMachine - not opened yet
 * @throws {KontikiError} as `openStoreOn`, and what `open` of the state machine throws
 * @since 0.1.0
 */
export async function openNodeOn<Answer>(
  env: Env,
  config: StoreConfig,
  stateMachine: CommandMachine<Answer>,
): Promise<MachineNode<Answer>> {
  const cleanup = new Cleanup();
  const machine = new NamedCommandMachine(stateMachine);
  const openState = async () => {
    cleanup.add(() => machine.close());
    return { machine, ...(await machine.open()) };
  };
  try {
    const { node } = await openMember(env, config, openState, cleanup);
    const onClosed = async () => {
      await cleanup.run();
      // It was closed by then: only what came of it is told.
      await machine.close();
    };
    return new MachineNode({ node, env, config, onClosed });
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}
