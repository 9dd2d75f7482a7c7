/**
 * Begins another life of a member's data directory: after all that may refuse to open it, and before the
 * first word to a peer, so that peers can tell the directory from every copy of it that is made later or
 * was made before (ADR 0019).
 */
import type { MemberIdentity } from '../transport/transport.js';
import type { NodeOptions } from './node-options.js';

/**
 * @param options - of the node; its log is settled
 * @returns who the member is from here on
 * @throws {KontikiError} NO_SPACE, STORAGE_IO
 * @since 0.1.0
 */
export async function beginLife({
  identity,
  log,
  peerMemory,
}: Pick<NodeOptions, 'identity' | 'log' | 'peerMemory'>): Promise<MemberIdentity> {
  const { term } = log.initialState().hardState;
  const lastIndex = log.lastIndex();
  const begun = await peerMemory.beginLife?.();
  return begun === undefined ? identity : { ...identity, life: { ...begun, term, lastIndex } };
}
