/**
 * The stream of entries from the leader to each member, and what their acknowledgements commit
 * (Raft §5.3, §5.4.2; semantics §8).
 */
import { assert } from '../base/assert.js';
import { canonical, memberIds } from './configuration.js';
import type { AppendResponse } from './messages.js';
import type { Progress } from './progress.js';
import { jointCommittedIndex } from './quorum.js';
import type { Raft } from './raft.js';
import { startEarlyReads } from './read-index.js';
import { continueTransfer } from './transfer.js';
import type { Entry, LogId, MemberId } from './types.js';

/** @since 0.1.0 */
export function broadcastAppend(raft: Raft): void {
  for (const to of raft.progress.keys()) {
    if (to !== raft.id) maybeSendAppend(raft, to, true);
  }
}

/** @since 0.1.0 */
export function onAppendResponse(raft: Raft, message: AppendResponse): void {
  const progress = raft.progress.get(message.from);
  if (progress === undefined) return;
  progress.hear();
  // Nobody can have what this leader has not: not an answer to anything it sent.
  if (message.index > raft.log.lastIndex) return;
  if (message.hint !== undefined) {
    onRejection(raft, message, progress, message.hint);
    return;
  }
  const news = progress.maybeUpdate(message.index);
  if (!news && !(progress.match === message.index && progress.state === 'probe')) return;
  onAcknowledged(raft, progress, message.index);
  if (maybeCommit(raft)) {
    broadcastAppend(raft);
  } else if (message.from !== raft.id && progress.canBumpCommit(commitToTell(raft))) {
    maybeSendAppend(raft, message.from, true);
  }
  if (message.from === raft.id) return;
  while (maybeSendAppend(raft, message.from, false)) {
    // One message per round; the window or the end of the log ends it.
  }
  continueTransfer(raft, message.from, progress.match);
}

/** The logs match up to `index`: from here on entries may stream. */
function onAcknowledged(raft: Raft, progress: Progress, index: number): void {
  switch (progress.state) {
    case 'probe':
      progress.becomeReplicate();
      break;
    case 'replicate':
      progress.inflights.freeTo(index);
      break;
    case 'snapshot':
      // Whatever snapshot it was that arrived: what follows it is in the log (H27).
      if (progress.match + 1 >= raft.log.firstIndex) progress.becomeReplicate();
      break;
  }
}

/** Goes back to where the logs may agree: one probe per differing term, not per entry (§5.3). */
function onRejection(raft: Raft, message: AppendResponse, progress: Progress, hint: LogId): void {
  const probe =
    hint.term > 0 ? raft.log.findConflictByTerm(hint.index, hint.term).index : hint.index;
  if (!progress.maybeDecrease(message.index, probe)) return;
  if (progress.state === 'replicate') progress.becomeProbe();
  maybeSendAppend(raft, message.from, true);
}

/**
 * Raft §5.4.2: only an entry of the own term commits by counting, and all before it with it.
 *
 * @returns whether the commit index rose
 * @since 0.1.0
 */
export function maybeCommit(raft: Raft): boolean {
  const index = jointCommittedIndex(raft.configuration, (id) => raft.progress.get(id)?.match);
  if (index <= raft.log.committed || raft.log.term(index) !== raft.term) return false;
  raft.log.commitTo(index);
  if (raft.reads.hasEarly) startEarlyReads(raft);
  return true;
}

/**
 * The commit index as others may know it. A voter that a change removes stops for good when it hears that
 * the change is committed, and may have been needed for that. So nobody hears it before the leader has
 * applied it, with which it is durable here: else one crash later nobody knows, and the voters of before
 * wait for one that is gone, for ever.
 *
 * @since 0.1.0
 */
export function commitToTell({ heldFrom, keepsStandstills, log }: Raft): number {
  if (heldFrom === 0 || keepsStandstills) return log.committed;
  return Math.min(log.committed, heldFrom - 1);
}

/** Leader: tells what was held back. @since 0.1.0 */
export function tellHeldCommit(raft: Raft): void {
  if (raft.heldFrom === 0) return;
  raft.heldFrom = 0;
  if (!raft.keepsStandstills) broadcastAppend(raft);
}

/**
 * Sends the next entries, or the commit index alone, or a snapshot when the entries are gone, if
 * the peer may be sent anything.
 *
 * @param sendIfEmpty - send even without entries
 * @returns whether a message was queued
 * @since 0.1.0
 */
export function maybeSendAppend(raft: Raft, to: MemberId, sendIfEmpty: boolean): boolean {
  const progress = raft.progress.get(to);
  assert(progress !== undefined, `raft: ${to} is a member`);
  if (progress.paused || progress.fetching !== undefined) return false;
  const { log } = raft;
  const term = log.term(progress.next - 1);
  if (term === undefined) return maybeSendSnapshot(raft, to, progress);
  const previous = { index: progress.next - 1, term };
  let entries: readonly Entry[] = [];
  // With a full window an empty append still carries the commit index and keeps the stream alive.
  if (progress.state !== 'replicate' || !progress.inflights.full) {
    const read = log.entriesFrom(progress.next, raft.config.appendBytesMax);
    if (read === 'pending') return waitForEntries(raft, progress);
    if (read === undefined) return maybeSendSnapshot(raft, to, progress);
    entries = read;
  }
  if (entries.length === 0 && !sendIfEmpty) return false;
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  const { id: from } = raft;
  const commit = commitToTell(raft);
  raft.send({ kind: 'append-request', from, to, term: raft.term, previous, entries, commit });
  progress.sentEntries(entries.length, bytes);
  progress.sentCommit = commit;
  return true;
}

function waitForEntries(raft: Raft, progress: Progress): false {
  const lo = progress.next;
  progress.fetching = lo;
  const alreadyAsked = raft.fetch.some((range) => range.lo === lo);
  if (!alreadyAsked) raft.fetch.push({ lo, hi: raft.log.offset });
  return false;
}

/** Only to a member that answers: a snapshot for one that is down would be wasted (semantics §9.1). */
function maybeSendSnapshot(raft: Raft, to: MemberId, progress: Progress): boolean {
  if (!progress.recentActive) return false;
  const snapshot = raft.config.latestSnapshot();
  // One that does not reach the log would leave a gap: wait for the driver to make another.
  if (snapshot === undefined || snapshot.last.index < raft.log.firstIndex - 1) return false;
  // From before the member was added: it would refuse it, and be sent it again at once, for ever.
  const isKnown = memberIds(canonical(snapshot.configuration)).includes(to);
  if (!isKnown && !raft.keepsStandstills) return false;
  progress.becomeSnapshot(snapshot.last.index);
  raft.send({ kind: 'snapshot-request', from: raft.id, to, term: raft.term, snapshot });
  return true;
}

/** Continues with peers that waited for entries from `lo` to be loaded. @since 0.1.0 */
export function resumeFetched(raft: Raft, lo: number): void {
  for (const [id, progress] of raft.progress) {
    if (progress.fetching !== lo) continue;
    progress.fetching = undefined;
    if (raft.role === 'leader' && id !== raft.id) maybeSendAppend(raft, id, false);
  }
}

/** The transport lost what was sent to a member: no stream before it answers. @since 0.1.0 */
export function onUnreachable(raft: Raft, id: MemberId): void {
  const progress = raft.role === 'leader' ? raft.progress.get(id) : undefined;
  if (progress?.state === 'replicate') progress.becomeProbe();
}

/** What became of a snapshot: either way one probe, after the next sign of life. @since 0.1.0 */
export function onSnapshotReport(raft: Raft, id: MemberId, arrived: boolean): void {
  const progress = raft.role === 'leader' ? raft.progress.get(id) : undefined;
  if (progress?.state !== 'snapshot') return;
  if (arrived) progress.becomeProbe();
  else progress.snapshotFailed();
  progress.flowPaused = true;
}
