/**
 * Applying a change of the configuration to a running member (thesis §4; semantics §12.5 to §12.7).
 * What follows from a change is decided in `membership.ts`, here is what it does to the others'
 * progress and to a leader's role.
 */
import { isKontikiError } from '../base/errors.js';
import {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeV2,
  toConfChangeV2,
} from './conf-change.js';
import { decodeConfChange } from './conf-change-codec.js';
import { type Configuration, isVoter, memberIds } from './configuration.js';
import { applyChange } from './membership.js';
import type { MembershipStep } from './membership-draft.js';
import type { Progress } from './progress.js';
import { onProposals } from './propose.js';
import type { Raft } from './raft.js';
import { releaseReads } from './read-index.js';
import { broadcastAppend, maybeCommit, maybeSendAppend, tellHeldCommit } from './replication.js';
import { abortTransfer } from './transfer.js';
import { type Entry, type MemberId, noMember, type Proposal } from './types.js';

/**
 * Makes a committed change count. A change that cannot be made is refused, on every member alike,
 * and changes nothing (semantics O6).
 *
 * @throws {KontikiError} CONFIGURATION_INVALID
 * @since 0.1.0
 */
export function applyConfChange(raft: Raft, change: ConfChange | ConfChangeV2): Configuration {
  const { overtaken } = raft;
  if (overtaken !== undefined) {
    overtaken.configuration = applyChange(overtaken.configuration, change).configuration;
    return overtaken.configuration;
  }
  const step = applyChange(raft.configuration, change);
  raft.progress = nextProgress(raft, step);
  switchTo(raft, step.configuration);
  return raft.configuration;
}

/** Takes the configuration of a snapshot. @since 0.1.0 */
export function installConfiguration(raft: Raft, configuration: Configuration): void {
  const { log, overtaken } = raft;
  if (log.applying > log.applied) {
    const before = overtaken?.configuration ?? raft.configuration;
    raft.overtaken = { configuration: before, upTo: log.applying };
  }
  raft.progress = progressOf(raft, configuration);
  switchTo(raft, configuration);
}

/**
 * A snapshot that came while the state machine was busy with older entries. The snapshot's
 * configuration counts at once; a change among those entries must not be made to it again, only to
 * the one that the state machine is at.
 */
export interface Overtaken {
  configuration: Configuration;
  /** Last of those entries. */
  readonly upTo: number;
}

/** The state machine has answered for everything up to `index`. @since 0.1.0 */
export function catchUp(raft: Raft, index: number): void {
  if (raft.overtaken !== undefined && index >= raft.overtaken.upTo) raft.overtaken = undefined;
}

/** A fresh account of every member, in ascending order. @since 0.1.0 */
export function progressOf(raft: Raft, configuration: Configuration): Map<MemberId, Progress> {
  return new Map(memberIds(configuration).map((id) => [id, joined(raft)]));
}

function nextProgress(raft: Raft, { configuration, added }: MembershipStep) {
  const fresh = new Set(added);
  const next = new Map<MemberId, Progress>();
  for (const id of memberIds(configuration)) {
    const known = fresh.has(id) ? undefined : raft.progress.get(id);
    next.set(id, known ?? joined(raft));
  }
  return next;
}

/** A member that was just added counts as heard from, or it could cost the quorum check (H36). */
function joined(raft: Raft): Progress {
  const progress = raft.newProgress(0, Math.max(raft.log.lastIndex, 1));
  progress.recentActive = true;
  return progress;
}

function switchTo(raft: Raft, configuration: Configuration): void {
  raft.configuration = configuration;
  if (raft.role !== 'leader') return;
  if (!isVoter(configuration, raft.transferee)) abortTransfer(raft);
  if (!isVoter(configuration, raft.id)) {
    // The others need it no more, and as a follower it can tell them nothing.
    tellHeldCommit(raft);
    // Thesis §4.2.2. Not stepping down would leave a leader that counts only on the others.
    if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.term, noMember);
    return;
  }
  // A smaller quorum may have committed more (S19); a new member is probed without delay.
  if (maybeCommit(raft)) broadcastAppend(raft);
  else {
    for (const to of raft.progress.keys()) {
      if (to !== raft.id) maybeSendAppend(raft, to, false);
    }
  }
  releaseReads(raft);
}

/**
 * Leader: proposes to leave a joint configuration that is to be left by itself. Called whenever
 * something was applied, until the proposal is under way (semantics §12.7).
 *
 * @since 0.1.0
 */
export function leaveJointWhenDue(raft: Raft): void {
  if (raft.role !== 'leader' || !raft.configuration.autoLeave) return;
  if (raft.log.applied < raft.pendingConfIndex) return;
  // While leadership is on its way the next leader does it.
  if (raft.transferee !== noMember || !raft.progress.has(raft.id)) return;
  onProposals(raft, [{ type: 'config-change-v2', data: new Uint8Array(0) }]);
}

/** Whether a committed change waits to be applied. @since 0.1.0 */
export function hasUnappliedConfChange(raft: Raft): boolean {
  return hasConfChange(raft, raft.log.applied + 1, raft.log.committed);
}

/**
 * Whether the log changes the configuration at one of these indexes, both inclusive.
 *
 * @param counts - which changes matter; default all
 * @since 0.1.0
 */
export function hasConfChange(
  { log, config }: Raft,
  first: number,
  last: number,
  counts: (entry: Entry) => boolean = () => true,
): boolean {
  for (let lo = first; lo <= last; ) {
    const page = log.slice(lo, last + 1, config.applyBytesMax);
    // What is not applied is in memory; if it is not, better no campaign than a wrong one.
    if (page === undefined || page === 'pending' || page.length === 0) return true;
    if (page.some((entry) => entry.type !== 'normal' && counts(entry))) return true;
    lo += page.length;
  }
  return false;
}

/**
 * Whether a change may be the end of another member: it removes one, or leaves the joint configuration.
 * Its own end a leader tells at once: after a crash it may stop before it has told anybody.
 *
 * @since 0.1.0
 */
export function endsAnother({ configuration, id }: Raft, proposal: Entry | Proposal): boolean {
  const changes = changesOf(proposal);
  if (changes === undefined) return false;
  const isAnother = (one: MemberId): boolean => one !== id;
  if (changes.length > 0) {
    return changes.some(({ type, memberId }) => type === 'remove' && isAnother(memberId));
  }
  const { learnersNext, voters, votersOutgoing } = configuration;
  // One before it, not applied yet, enters what is left: whatever that is.
  if (votersOutgoing.length === 0) return true;
  const stays = new Set([...voters, ...learnersNext]);
  return votersOutgoing.some((one) => isAnother(one) && !stays.has(one));
}

/** `undefined` for a change that nobody can make. */
function changesOf(proposal: Entry | Proposal): readonly ConfChangeSingle[] | undefined {
  try {
    return toConfChangeV2(decodeConfChange(proposal)).changes;
  } catch (error) {
    if (isKontikiError(error, 'CONFIGURATION_INVALID')) return undefined;
    throw error;
  }
}
