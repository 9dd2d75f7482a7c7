/**
 * What a leader does: append proposals, stream them to the others, commit what a majority holds.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { encodedBytes } from './log.js';
import type { AppendResponse, PeerMessage } from './messages.js';
import type { Progress } from './progress.js';
import { committedIndex, voteResult } from './quorum.js';
import type { Raft } from './raft.js';
import { onReadRequest, onReadsConfirmed, startEarlyReads } from './read-index.js';
import type { Entry, LogId, MemberId } from './types.js';
import { noMember } from './types.js';

/** @since 0.1.0 */
export function tickLeader(raft: Raft): void {
  raft.heartbeatElapsed += 1;
  raft.electionElapsed += 1;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) checkQuorum(raft);
  }
  if (raft.role !== 'leader' || raft.heartbeatElapsed < raft.config.heartbeatTicks) return;
  raft.heartbeatElapsed = 0;
  broadcastHeartbeat(raft);
}

/** Tells everyone who leads, and asks them to confirm the reads that wait. @since 0.1.0 */
export function broadcastHeartbeat(raft: Raft): void {
  raft.wantsHeartbeat = false;
  for (const to of raft.voters) {
    if (to !== raft.id) sendHeartbeat(raft, to);
  }
}

/** Thesis §6.2: a leader that cannot reach a majority must not go on as if it could. */
function checkQuorum(raft: Raft): void {
  const active = new Map<MemberId, boolean>();
  for (const [id, progress] of raft.progress) {
    active.set(id, progress.recentActive);
    if (id !== raft.id) progress.recentActive = false;
  }
  if (voteResult(raft.voters, active) !== 'won') raft.becomeFollower(raft.term, noMember);
}

function sendHeartbeat(raft: Raft, to: MemberId): void {
  const progress = raft.peer(to);
  // Never more than the follower is known to hold: it may lack or differ in the rest (S4).
  const commit = Math.min(progress.match, raft.log.committed);
  const { reads } = raft.reads;
  raft.send({ kind: 'heartbeat-request', from: raft.id, to, term: raft.term, commit, reads });
  progress.sentCommit = commit;
}

/**
 * Appends commands as entries of the own term and sends them on.
 *
 * @param commands - payload of each entry; at least one
 * @returns id of the first entry
 * @throws {KontikiError} NOT_LEADER, outcome `rejected`; PROPOSAL_DROPPED, outcome `rejected`, when
 *   `uncommittedBytesMax` is used up
 * @since 0.1.0
 */
export function propose(raft: Raft, commands: readonly Uint8Array[]): LogId {
  assert(commands.length > 0, 'propose: at least one command');
  if (raft.role !== 'leader') {
    const leaderId = raft.leader === noMember ? undefined : raft.leader;
    const message = `raft: expected the leader of term ${raft.term}, this is a ${raft.role}`;
    throw kontikiError('NOT_LEADER', message, { leaderId, outcome: 'rejected' });
  }
  let bytes = 0;
  for (const command of commands) bytes += command.length;
  const { uncommittedBytes } = raft;
  const { uncommittedBytesMax } = raft.config;
  // The first proposal always passes, whatever its size: the limit must not wedge the leader.
  if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > uncommittedBytesMax) {
    throw kontikiError(
      'PROPOSAL_DROPPED',
      `raft: ${uncommittedBytes} + ${bytes} bytes would exceed the ${uncommittedBytesMax} that ` +
        'may be unapplied',
      { outcome: 'rejected' },
    );
  }
  const first = { term: raft.term, index: raft.log.lastIndex + 1 };
  appendOwn(raft, commands);
  broadcastAppend(raft);
  return first;
}

/** Appends to the own log; the own acknowledgement follows the write, like everyone's. @since 0.1.0 */
export function appendOwn(raft: Raft, commands: readonly Uint8Array[]): void {
  let index = raft.log.lastIndex;
  const entries: Entry[] = [];
  for (const data of commands) {
    index += 1;
    entries.push({ term: raft.term, index, type: 'normal', data });
    raft.uncommittedBytes += data.length;
  }
  raft.log.append(entries);
  raft.send({ kind: 'append-response', from: raft.id, to: raft.id, term: raft.term, index });
}

/** @since 0.1.0 */
export function broadcastAppend(raft: Raft): void {
  for (const to of raft.voters) {
    if (to !== raft.id) maybeSendAppend(raft, to, true);
  }
}

/** @since 0.1.0 */
export function stepLeader(raft: Raft, message: PeerMessage): void {
  switch (message.kind) {
    case 'append-response':
      onAppendResponse(raft, message);
      break;
    case 'heartbeat-response': {
      const progress = raft.peer(message.from);
      progress.recentActive = true;
      progress.paused = false;
      // Revives a follower whose window filled up while everything in it was lost (H26).
      if (progress.match < raft.log.lastIndex || progress.state === 'probe') {
        maybeSendAppend(raft, message.from, true);
      }
      onReadsConfirmed(raft, message);
      break;
    }
    case 'read-request':
      onReadRequest(raft, message);
      break;
    default:
    // Requests of this term from others are impossible or stale; answers to our campaign are late.
  }
}

function onAppendResponse(raft: Raft, message: AppendResponse): void {
  const progress = raft.peer(message.from);
  progress.recentActive = true;
  if (message.hint !== undefined) {
    onRejection(raft, message, progress, message.hint);
    return;
  }
  if (message.index > raft.log.lastIndex) return;
  const news = progress.maybeUpdate(message.index);
  if (!news && !(progress.match === message.index && progress.state === 'probe')) return;
  if (progress.state === 'probe') progress.becomeReplicate();
  else progress.inflights.freeTo(message.index);
  if (maybeCommit(raft)) {
    broadcastAppend(raft);
  } else if (message.from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    maybeSendAppend(raft, message.from, true);
  }
  if (message.from === raft.id) return;
  while (maybeSendAppend(raft, message.from, false)) {
    // One message per round; the window or the end of the log ends it.
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

/** Raft §5.4.2: only an entry of the own term commits by counting, and all before it with it. */
function maybeCommit(raft: Raft): boolean {
  const index = committedIndex(raft.voters, (id) => raft.progress.get(id)?.match);
  if (index <= raft.log.committed || raft.log.term(index) !== raft.term) return false;
  raft.log.commitTo(index);
  if (raft.reads.hasEarly) startEarlyReads(raft);
  return true;
}

/**
 * Sends the next entries, or the commit index alone, if the peer may be sent anything.
 *
 * @param sendIfEmpty - send even without entries
 * @returns whether a message was queued
 * @since 0.1.0
 */
export function maybeSendAppend(raft: Raft, to: MemberId, sendIfEmpty: boolean): boolean {
  const progress = raft.peer(to);
  if (progress.paused || progress.fetching !== undefined) return false;
  const { log } = raft;
  const previous = { index: progress.next - 1, term: log.termAt(progress.next - 1) };
  let entries: readonly Entry[] = [];
  // With a full window an empty append still carries the commit index and keeps the stream alive.
  if (progress.state !== 'replicate' || !progress.inflights.full) {
    const read = log.entriesFrom(progress.next, raft.config.appendBytesMax);
    if (read === 'pending') {
      const lo = progress.next;
      progress.fetching = lo;
      const alreadyAsked = raft.fetch.some((range) => range.lo === lo);
      if (!alreadyAsked) raft.fetch.push({ lo, hi: log.offset });
      return false;
    }
    assert(read !== undefined, `entries from ${progress.next} are in the log`);
    entries = read;
  }
  if (entries.length === 0 && !sendIfEmpty) return false;
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  const { id: from, term } = raft;
  raft.send({ kind: 'append-request', from, to, term, previous, entries, commit: log.committed });
  progress.sentEntries(entries.length, bytes);
  progress.sentCommit = log.committed;
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

/** Payload and encoded bytes of entries. @since 0.1.0 */
export function entryBytes(entries: readonly Entry[]): { payload: number; encoded: number } {
  let payload = 0;
  let encoded = 0;
  for (const entry of entries) {
    payload += entry.data.length;
    encoded += encodedBytes(entry);
  }
  return { payload, encoded };
}
