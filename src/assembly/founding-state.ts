/**
 * What a group is founded with: who belongs to it before its first entry, in every founder's log.
 */
import type { MemberInfo } from '../codec/member-codec.js';
import { MemberDirectory } from '../node/member-directory.js';
import type { MemberId } from '../raft/types.js';
import type { StoreConfig } from './store-config.js';

/** @since 0.1.0 */
export interface FoundingState {
  readonly voters: readonly MemberId[];
  /** Names and addresses, to be kept beside the voters. */
  readonly context: Uint8Array;
}

/**
 * @param members - all that vote from the start
 * @since 0.1.0
 */
export function foundingState(members: StoreConfig['members']): FoundingState {
  const context = MemberDirectory.ofFounders(members.map(founderInfo)).encode();
  return { voters: members.map(({ id }) => id), context };
}

/** As the others are told; one that nobody can reach has no address. @since 0.1.0 */
export function founderInfo({
  id,
  name,
  address = '',
}: StoreConfig['members'][number]): MemberInfo {
  return { id, name, address, promote: false };
}
