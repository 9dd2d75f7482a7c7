/**
 * The first entries of a new group, in etcd's way: every founding member starts with the same ones,
 * already committed, each adding one of them (semantics §18).
 */
import { kontikiError } from '../base/errors.js';
import type { ConfChange } from './conf-change.js';
import { encodeConfChange } from './conf-change-codec.js';
import { emptyConfiguration } from './configuration.js';
import { applyChange } from './membership.js';
import type { Raft } from './raft.js';
import { applyConfChange } from './reconfigure.js';
import { type Entry, type MemberId, noMember } from './types.js';

/**
 * @throws {KontikiError} ARGUMENT_INVALID, CONFIGURATION_INVALID: nothing was changed
 * @since 0.1.0
 */
export function bootstrap(
  raft: Raft,
  peers: readonly { readonly id: MemberId; readonly context?: Uint8Array }[],
): void {
  const { lastIndex } = raft.log;
  // A member that has a term may have voted in it.
  const isNew = lastIndex === 0 && raft.progress.size === 0 && raft.term === 0;
  if (peers.length === 0 || !isNew) {
    const got = `${peers.length} peers, term ${raft.term} and a log of ${lastIndex} entries`;
    throw kontikiError('ARGUMENT_INVALID', `raft: expected peers and a new member, got ${got}`);
  }
  const changes = peers.map(
    ({ id, context }): ConfChange => ({ type: 'add-voter', memberId: id, context }),
  );
  // Tried out first: a wrong id must not leave half a group.
  let trial = emptyConfiguration;
  for (const change of changes) trial = applyChange(trial, change).configuration;
  raft.becomeFollower(1, noMember);
  const entries = changes.map(
    (change, at): Entry => ({ term: 1, index: at + 1, ...encodeConfChange(change) }),
  );
  raft.log.append(entries);
  raft.log.commitTo(entries.length);
  // Counted at once, so that the member may campaign before it has applied them.
  for (const change of changes) applyConfChange(raft, change);
}
