/**
 * What the store writes into an entry around a command.
 */
import type { SessionRequest } from '../mvcc/session-types.js';
import type { Command } from '../mvcc/types.js';

/**
 * A command under the name of its request. Of a session it is executed at most once (DESIGN §4.8);
 * under a name that its proposer drew for itself the name only finds the waiter.
 *
 * @since 0.1.0
 */
export interface CommandEnvelope extends SessionRequest {
  readonly command: Command;
}
