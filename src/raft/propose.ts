/**
 * Proposals: commands and changes of the configuration become entries of the leader's log
 * (semantics §11, §12.4).
 */
import { assert } from '../base/assert.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { decodeConfChange } from './conf-change-codec.js';
import { configurationInvalid } from './configuration.js';
import { validateChange } from './membership.js';
import type { Raft } from './raft.js';
import { endsAnother } from './reconfigure.js';
import { broadcastAppend } from './replication.js';
import type { Entry, LogId, Proposal } from './types.js';
import { noMember } from './types.js';

/** What was appended. @since 0.1.0 */
export interface Appended {
  /** Id of the first entry. */
  readonly first: LogId;
  /** Why a change of the configuration was not taken: an empty entry stands in its place. */
  readonly refused?: KontikiError;
}

/** The refusal of whoever does not lead. @since 0.1.0 */
export function notLeader(raft: Raft): KontikiError {
  const leaderId = raft.leader === noMember ? undefined : raft.leader;
  const message = `raft: expected the leader of term ${raft.term}, this is a ${raft.role}`;
  return kontikiError('NOT_LEADER', message, { leaderId, outcome: 'rejected' });
}

/**
 * Leader: appends commands as entries of the own term and sends them on.
 *
 * @param commands - payload of each entry; at least one
 * @returns id of the first entry
 * @throws {KontikiError} PROPOSAL_DROPPED, outcome `rejected`
 * @since 0.1.0
 */
export function proposeCommands(raft: Raft, commands: readonly Uint8Array[]): LogId {
  assert(commands.length > 0, 'propose: at least one command');
  checkTakesProposals(raft);
  let bytes = 0;
  for (const command of commands) bytes += command.length;
  checkRoom(raft, bytes);
  const first = { term: raft.term, index: raft.log.lastIndex + 1 };
  const entries: Entry[] = [];
  let { index } = first;
  for (const data of commands) {
    entries.push({ term: raft.term, index, type: 'normal', data });
    index += 1;
  }
  appendOwn(raft, entries, bytes);
  broadcastAppend(raft);
  return first;
}

/**
 * Leader: appends proposals of any type. A change of the configuration that cannot be made now
 * leaves an empty entry in its place, so that the others keep their order (semantics §11).
 *
 * @throws {KontikiError} PROPOSAL_DROPPED, outcome `rejected`
 * @since 0.1.0
 */
export function onProposals(raft: Raft, proposals: readonly Proposal[]): Appended {
  assert(proposals.length > 0, 'propose: at least one proposal');
  checkTakesProposals(raft);
  const first = { term: raft.term, index: raft.log.lastIndex + 1 };
  const entries: Entry[] = [];
  let bytes = 0;
  let { heldFrom, pendingConfIndex } = raft;
  let refused: KontikiError | undefined;
  for (const proposal of proposals) {
    const index = first.index + entries.length;
    let { type, data } = proposal;
    if (type !== 'normal') {
      const reason = refusalOf(raft, proposal, pendingConfIndex);
      if (reason === undefined) {
        pendingConfIndex = index;
        if (heldFrom === 0 && endsAnother(raft, proposal)) heldFrom = index;
      } else {
        refused ??= reason;
        type = 'normal';
        data = new Uint8Array(0);
      }
    }
    entries.push({ term: raft.term, index, type, data });
    bytes += data.length;
  }
  checkRoom(raft, bytes);
  // Only now: a change that found no room must not stand in the way of the next (semantics O7).
  raft.pendingConfIndex = pendingConfIndex;
  raft.heldFrom = heldFrom;
  appendOwn(raft, entries, bytes);
  broadcastAppend(raft);
  return refused === undefined ? { first } : { first, refused };
}

/** Raft §8: an empty entry of the own term lets everything before it commit (H3). @since 0.1.0 */
export function appendOpening(raft: Raft): void {
  const index = raft.log.lastIndex + 1;
  appendOwn(raft, [{ term: raft.term, index, type: 'normal', data: new Uint8Array(0) }], 0);
}

/** Appends to the own log; the own acknowledgement follows the write, like everyone's. */
function appendOwn(raft: Raft, entries: readonly Entry[], bytes: number): void {
  raft.uncommittedBytes += bytes;
  raft.log.append(entries);
  const { id, term } = raft;
  raft.send({ kind: 'append-response', from: id, to: id, term, index: raft.log.lastIndex });
}

function checkTakesProposals(raft: Raft): void {
  if (!raft.progress.has(raft.id)) throw dropped('this leader is no member any more');
  if (raft.transferee !== noMember) {
    throw dropped(`leadership is on its way to member ${raft.transferee}`);
  }
}

function checkRoom(raft: Raft, bytes: number): void {
  const { uncommittedBytes } = raft;
  const { uncommittedBytesMax } = raft.config;
  // The first proposal always passes, whatever its size: the limit must not wedge the leader.
  if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > uncommittedBytesMax) {
    throw dropped(
      `${uncommittedBytes} + ${bytes} bytes would exceed the ${uncommittedBytesMax} that may be unapplied`,
    );
  }
}

function dropped(why: string): KontikiError {
  return kontikiError('PROPOSAL_DROPPED', `raft: ${why}`, { outcome: 'rejected' });
}

/**
 * Why a change may not be made now. Only one may be under way at a time, so what it leads to is
 * known, and a change that no member could apply is not even appended (semantics O6).
 */
function refusalOf(
  raft: Raft,
  proposal: Proposal,
  pendingConfIndex: number,
): KontikiError | undefined {
  if (raft.config.disableConfChangeValidation) return undefined;
  const { configuration } = raft;
  try {
    const change = decodeConfChange(proposal);
    const { applied } = raft.log;
    if (pendingConfIndex > applied) {
      const expected = `the change at ${pendingConfIndex} to be applied first`;
      return configurationInvalid('pending', expected, `applied ${applied}`);
    }
    validateChange(configuration, change);
    return undefined;
  } catch (error) {
    if (isKontikiError(error, 'CONFIGURATION_INVALID')) return error;
    throw error;
  }
}
