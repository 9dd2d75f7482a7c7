/**
 * What a leader proposes by itself: by what it knows as the leader of a term, so into its own log, in that
 * term, or not at all.
 */
import { encodeCommand } from '../codec/command-codec.js';
import type { Command } from '../mvcc/types.js';
import type { Node } from '../node/index.js';

const timeoutMs = 5_000;

/**
 * @param node - of the member that leads
 * @param ownTerm - in which it does
 * @returns what the command came to
 * @throws {KontikiError} as `Node.propose`
 * @since 0.1.0
 */
export function proposeInTerm(
  node: Pick<Node, 'propose'>,
  ownTerm: number,
  command: Command,
): Promise<unknown> {
  return node.propose((id) => encodeCommand({ ...id, command }), { timeoutMs, ownTerm });
}
