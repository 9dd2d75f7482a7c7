/**
 * Whom a transport connects to when it starts.
 */
import type { MemberId } from '../raft/types.js';

/** Address of every member by id, or how to find out. @since 0.1.0 */
export type PeerAddresses = ReadonlyMap<MemberId, string> | (() => ReadonlyMap<MemberId, string>);

/**
 * @param made - what the transport was made with
 * @param updated - what it was told since; an `undefined` address is as it was
 * @param self - who is left out
 * @since 0.1.0
 */
export function listedPeers(
  made: PeerAddresses,
  updated: ReadonlyMap<MemberId, string | undefined> | undefined,
  self: MemberId,
): [MemberId, string][] {
  const before = typeof made === 'function' ? made() : made;
  const found: [MemberId, string][] = [];
  for (const [peer, address] of updated ?? before) {
    const at = address ?? before.get(peer);
    if (peer !== self && at !== undefined) found.push([peer, at]);
  }
  return found;
}
