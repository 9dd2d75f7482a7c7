/**
 * What must hold for one member after every step, in one place (semantics §20, per node).
 */
import { assert } from '../base/assert.js';
import type { Raft } from './raft.js';
import { noMember } from './types.js';

/**
 * @throws {KontikiError} ASSERTION, naming the first relation that does not hold
 * @since 0.1.0
 */
export function checkInvariants(raft: Raft): void {
  raft.log.check();
  const { role, id, leader, vote, term, log, config } = raft;
  if (role === 'leader') {
    assert(leader === id, 'a leader knows itself as the leader');
    assert(log.termAt(log.lastIndex) === term, 'a leader has an entry of its own term');
    for (const progress of raft.progress.values()) progress.check(log.lastIndex);
  }
  if (role === 'candidate') assert(vote === id && leader === noMember, 'a candidate has its vote');
  if (role === 'pre-candidate') assert(leader === noMember, 'a pre-candidate has no leader');
  assert(log.termAt(log.lastIndex) <= term, 'no entry is newer than the term');
  assert(raft.uncommittedBytes >= 0, 'uncommitted bytes >= 0');
  assert(
    raft.electionTimeout >= config.electionTicks && raft.electionTimeout < 2 * config.electionTicks,
    'the election timeout lies in [electionTicks, 2 * electionTicks)',
  );
  for (const message of raft.messages) assert(message.to !== id, 'no message to itself');
}
