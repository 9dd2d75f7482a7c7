/**
 * Whether a member is the whole quorum. One that has not applied its own addition yet is not, though it
 * knows of a single voter.
 */
import type { RaftStatus } from '../raft/status.js';

/** @since 0.1.0 */
export function isOnlyVoter({ configuration, id }: RaftStatus): boolean {
  const { voters, votersOutgoing } = configuration;
  return votersOutgoing.length === 0 && voters.length === 1 && voters[0] === id;
}
