/**
 * What must hold for one member after every step, in one place (semantics §20, per node).
 */
import { assert } from '../base/assert.js';
import { brokenRule, type Configuration, isVoter, memberIds } from './configuration.js';
import type { Raft } from './raft.js';
import { type MemberId, noMember } from './types.js';

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
    assert(log.pendingSnapshot === undefined, 'a leader has its state');
    for (const progress of raft.progress.values()) progress.check(log.lastIndex);
  }
  if (role === 'candidate' || role === 'pre-candidate') {
    assert(log.pendingSnapshot === undefined, 'a candidate has its state');
  }
  if (raft.transferee !== noMember) {
    assert(role === 'leader' && raft.transferee !== id, 'only a leader hands over, to another');
    assert(isVoter(raft.configuration, raft.transferee), 'only a voter can take over');
    assert(raft.electionElapsed < config.electionTicks, 'handing over ends in time');
  }
  checkMembers(raft);
  if (role === 'candidate') assert(vote === id && leader === noMember, 'a candidate has its vote');
  if (role === 'pre-candidate') assert(leader === noMember, 'a pre-candidate has no leader');
  // Before its first term a member may stand on a snapshot that came without a hard state (§18).
  assert(term === 0 || log.termAt(log.lastIndex) <= term, 'no entry is newer than the term');
  assert(raft.uncommittedBytes >= 0, 'uncommitted bytes >= 0');
  assert(
    raft.electionTimeout >= config.electionTicks && raft.electionTimeout < 2 * config.electionTicks,
    'the election timeout lies in [electionTicks, 2 * electionTicks)',
  );
  for (const message of raft.messages) assert(message.to !== id, 'no message to itself');
}

/** Members of configurations that keep their rules: they are never changed in place. */
const soundMembers = new WeakMap<Configuration, readonly MemberId[]>();

function checkMembers({ configuration, progress }: Raft): void {
  let ids = soundMembers.get(configuration);
  if (ids === undefined) {
    const broken = brokenRule(configuration);
    assert(broken === undefined, `the configuration keeps its rules: ${broken}`);
    ids = memberIds(configuration);
    soundMembers.set(configuration, ids);
  }
  const tracked = [...progress.keys()];
  const same = ids.length === tracked.length && ids.every((each, at) => each === tracked[at]);
  assert(same, 'progress is kept for exactly the members, in ascending order');
}
