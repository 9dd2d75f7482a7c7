/**
 * What comes from outside is checked here, before it changes anything: a peer may be of another
 * version, damaged or hostile (semantics O10, O11). What passes can only be wrong about facts.
 */
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { restoreConfiguration } from './configuration.js';
import type {
  AppendRequest,
  HeartbeatRequest,
  LocalMessage,
  Message,
  PeerMessage,
} from './messages.js';
import type { Raft } from './raft.js';
import type { LogId } from './types.js';

/** Whether it is an answer of the own storage or state machine. @since 0.1.0 */
export function isLocal(message: Message): message is LocalMessage {
  return message.kind === 'storage-append-response' || message.kind === 'storage-apply-response';
}

/**
 * Refuses what nobody may send to this member.
 *
 * @throws {KontikiError} ARGUMENT_INVALID: for somebody else, or a local answer from a peer;
 *   MEMBER_UNKNOWN: an answer, or a request that only members may make, from a stranger;
 *   MESSAGE_INVALID: contradicts itself; MEMBER_ROLLED_BACK: shows that this member lost entries
 * @since 0.1.0
 */
export function checkMessage(raft: Raft, message: Message): void {
  const { kind, from, to } = message;
  if (to !== raft.id || (isLocal(message) && from !== raft.id)) {
    throw kontikiError(
      'ARGUMENT_INVALID',
      `raft: expected a message for member ${raft.id}, got ${kind} from ${from} to ${to}`,
    );
  }
  if (isLocal(message)) return;
  // A stranger's answer in a later term must not depose a leader (semantics §5). The own answer to
  // itself may come when it is no member any more: its write was under way.
  if (isForMembersOnly(message) && from !== raft.id && !raft.progress.has(from)) {
    throw kontikiError(
      'MEMBER_UNKNOWN',
      `raft: expected a message of a member, got one of ${from}`,
    );
  }
  checkEnvelope(raft, message);
  checkFields(message);
  if (kind === 'heartbeat-request') checkCommit(raft, message as HeartbeatRequest);
}

/** The leader names only what this member acknowledged: it has lost part of its log (O10). */
function checkCommit({ log, role, term }: Raft, { term: leads, commit }: HeartbeatRequest): void {
  const isHeard = leads > term || (leads === term && role !== 'leader');
  if (!isHeard || commit <= log.lastIndex) return;
  throw kontikiError(
    'MEMBER_ROLLED_BACK',
    `raft: the leader counts on entry ${commit} that this member acknowledged, ` +
      `but its log ends at ${log.lastIndex}; replace this member under a new id`,
  );
}

/** Terms grow by one per election: a larger step is no term, and would leave no room for others. */
const termStepMax = 2 ** 40;

/** The log goes on behind a snapshot: one that leaves no room for entries would be its end. */
const indexMax = Number.MAX_SAFE_INTEGER - 2 ** 40;

function checkEnvelope(raft: Raft, { kind, from, term }: PeerMessage): void {
  if (!isCount(from) || from === 0) throw invalid(kind, 'a sender', from);
  if (from === raft.id && !isOwnAnswer(kind)) throw invalid(kind, 'another sender', from);
  if (kind === 'propose-request') {
    if (term !== 0) throw invalid(kind, 'no term', term);
  } else if (!isCount(term) || term === 0 || term - raft.term > termStepMax) {
    throw invalid(kind, 'a term', term);
  }
}

/** What a member says to itself, once its write is durable. */
function isOwnAnswer(kind: PeerMessage['kind']): boolean {
  return kind === 'append-response' || kind === 'vote-response' || kind === 'pre-vote-response';
}

function isForMembersOnly({ kind }: PeerMessage): boolean {
  switch (kind) {
    case 'append-response':
    case 'heartbeat-response':
    case 'vote-response':
    case 'pre-vote-response':
    case 'read-request':
    case 'read-response':
    case 'transfer-request':
    case 'propose-request':
      return true;
    default:
      // A leader, or a candidate, may be of a configuration that this member does not know yet.
      return false;
  }
}

function checkFields(message: PeerMessage): void {
  const { kind } = message;
  switch (kind) {
    case 'append-request':
      checkAppend(message);
      break;
    case 'append-response':
      checkCount(kind, 'index', message.index);
      if (message.hint !== undefined) checkLogId(kind, message.hint);
      break;
    case 'heartbeat-request':
      checkCount(kind, 'commit', message.commit);
      checkCount(kind, 'reads', message.reads);
      checkCount(kind, 'sentAt', message.sentAt);
      break;
    case 'heartbeat-response':
      checkCount(kind, 'reads', message.reads);
      checkCount(kind, 'sentAt', message.sentAt);
      break;
    case 'vote-request':
    case 'pre-vote-request':
      checkLogId(kind, message.last);
      if (message.commit !== undefined) checkLogId(kind, message.commit);
      break;
    case 'vote-response':
    case 'pre-vote-response':
      if (message.commit !== undefined) checkLogId(kind, message.commit);
      break;
    case 'read-request':
      checkCount(kind, 'readId', message.readId);
      break;
    case 'read-response':
      checkCount(kind, 'readId', message.readId);
      checkCount(kind, 'index', message.index);
      break;
    case 'transfer-request':
      checkCount(kind, 'transferee', message.transferee);
      break;
    case 'snapshot-request':
      checkSnapshot(message.kind, message.snapshot, message.term);
      break;
    case 'propose-request':
      if (message.proposals.length === 0) throw invalid(kind, 'at least one proposal', 'none');
      break;
    case 'timeout-now':
      break;
    default:
      throw invalid(String(kind), 'a known kind', kind);
  }
}

function checkAppend({ kind, term, previous, entries, commit }: AppendRequest): void {
  checkLogId(kind, previous);
  checkCount(kind, 'commit', commit);
  let { index, term: before } = previous;
  for (const entry of entries) {
    index += 1;
    if (entry.index !== index) throw invalid(kind, `entry ${index} next`, entry.index);
    if (!(entry.term >= before && entry.term >= 1 && entry.term <= term)) {
      throw invalid(kind, `a term of ${before} to ${term} at ${index}`, entry.term);
    }
    before = entry.term;
  }
  if (!isCount(index)) throw invalid(kind, 'safe indexes', index);
}

function checkSnapshot(
  kind: PeerMessage['kind'],
  { last, configuration }: { readonly last: LogId; readonly configuration: object },
  term: number,
): void {
  checkLogId(kind, last);
  if (last.index > indexMax) throw invalid(kind, 'room for entries behind it', last.index);
  if (last.index === 0 || last.term === 0 || last.term > term) {
    throw invalid(kind, `a snapshot of a term up to ${term}`, `${last.term}/${last.index}`);
  }
  try {
    restoreConfiguration(configuration);
  } catch (error) {
    if (!isKontikiError(error, 'CONFIGURATION_INVALID')) throw error;
    throw kontikiError('MESSAGE_INVALID', `raft: ${kind}: ${error.message}`, { cause: error });
  }
}

function checkLogId(kind: PeerMessage['kind'], { index, term }: LogId): void {
  checkCount(kind, 'index', index);
  checkCount(kind, 'term', term);
}

function checkCount(kind: PeerMessage['kind'], name: string, value: number): void {
  if (!isCount(value)) throw invalid(kind, `${name} to be a safe integer >= 0`, value);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function invalid(kind: string, expected: string, got: unknown): KontikiError {
  return kontikiError('MESSAGE_INVALID', `raft: ${kind}: expected ${expected}, got ${got}`);
}
