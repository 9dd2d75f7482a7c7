/**
 * What messages about votes tell of the log ("commit by vote" of tikv/raft-rs). Who does not know that a
 * change of the configuration is committed counts with voters of the past. A leader that removed itself
 * may have stepped down before anybody else learned of the commit; or the voter that was added is the only
 * one left that knows, and those that do not know never ask it: then the halves would wait for each other
 * for ever. So whoever asks for a vote, and whoever answers, tells what it has applied.
 */
import type { PeerMessage } from './messages.js';
import type { Raft } from './raft.js';
import { hasConfChange } from './reconfigure.js';
import { type LogId, noMember } from './types.js';

/**
 * What a message about a vote tells: what is applied, for that is durable, too. See commitToTell.
 *
 * @since 0.1.0
 */
export function commitByVote({ keepsStandstills, log }: Raft): { readonly commit?: LogId } {
  const index = keepsStandstills ? log.committed : log.applied;
  const term = index === 0 ? undefined : log.term(index);
  return term === undefined ? {} : { commit: { term, index } };
}

/**
 * Takes what a message about a vote tells, if that is a change of the configuration that this member has
 * in its log, and ends its campaign: what is committed is a fact, whoever tells it, and the same index and
 * term mean the same prefix.
 *
 * The sender's term is at most the message's. It is taken over with the news, and the present leader is
 * followed no more if it is of an earlier one: it may lack the entry, which its followers must not have
 * committed.
 *
 * @since 0.1.0
 */
export function hearCommit(raft: Raft, message: PeerMessage): void {
  const commit = 'commit' in message ? message.commit : undefined;
  // A number is an index that a leader tells those who follow it.
  if (typeof commit !== 'object' || !isNews(raft, commit)) return;
  // A grant names a term that nobody is in: late, it must not make us leave a leader that goes on.
  const isLate = message.kind === 'pre-vote-response' && raft.role !== 'pre-candidate';
  if (isLate && message.granted) return;
  if (message.term > raft.term || raft.role !== 'follower') {
    raft.becomeFollower(Math.max(message.term, raft.term), noMember);
  }
  raft.log.commitTo(commit.index);
}

function isNews(raft: Raft, commit: LogId): boolean {
  const { log, keepsStandstills, role } = raft;
  // A leader has more to do about a commit than to know of it, and finds out by itself.
  if (keepsStandstills || role === 'leader') return false;
  if (commit.index <= log.committed || !log.matches(commit)) return false;
  return hasConfChange(raft, log.committed + 1, commit.index);
}
