/**
 * Options of `openNode`: those of a store, and the state machine.
 */
import { kontikiError } from '../base/errors.js';
import type { CommandMachine } from '../node/command-machine.js';
import { type StoreConfig, type StoreOptions, storeConfig } from './store-config.js';

/** @since 0.1.0 */
export interface OpenNodeOptions<Answer = unknown> extends Omit<StoreOptions, 'history'> {
  /**
   * What is replicated; of the same kind on all members. Not opened yet: the node opens and closes it.
   * Its files may be in a folder of its own inside of `dir`, which is locked when it is opened; `wal`,
   * `state*`, `snapshots`, `lock*` and `member.json` are the node's.
   */
  readonly stateMachine: CommandMachine<Answer>;
}

const methods = ['open', 'apply', 'flush', 'close'] as const;

/**
 * @throws {KontikiError} OPTIONS_INVALID, DIR_REQUIRED, MEMBER_UNKNOWN, TOO_MANY_MEMBERS
 * @since 0.1.0
 */
export function nodeConfig<Answer>(options: OpenNodeOptions<Answer>): {
  readonly config: StoreConfig;
  readonly stateMachine: CommandMachine<Answer>;
} {
  const { stateMachine, ...others } = options ?? {};
  for (const method of methods) {
    if (typeof stateMachine?.[method] === 'function') continue;
    const message = `openNode: expected stateMachine to have a method ${method}`;
    throw kontikiError('OPTIONS_INVALID', message);
  }
  if (Object.hasOwn(others, 'history')) {
    throw kontikiError('OPTIONS_INVALID', 'openNode: history is an option of stores');
  }
  return { config: storeConfig(others), stateMachine };
}
