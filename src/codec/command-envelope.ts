/**
 * What the store writes into an entry around a command.
 */
import type { Command } from '../mvcc/types.js';

/**
 * `session` and `seq` name the request; every request below `doneBelow` of the session has been
 * answered, so its stored answer may be forgotten (DESIGN §4.8). Until sessions are replicated,
 * `session` is drawn at random per open store and only finds the waiter.
 *
 * @since 0.1.0
 */
export interface CommandEnvelope {
  readonly session: number;
  readonly seq: number;
  readonly doneBelow: number;
  readonly command: Command;
}
