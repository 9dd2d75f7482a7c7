/**
 * Messages between members as bytes: a version byte, then one flat array
 * `[kind, from, to, term, ...fields of the kind]`. docs/adr/0007-peer-protocol.md has the table.
 */
import { assert, unreachable } from '../base/assert.js';
import { limits } from '../base/limits.js';
import type { Envelope } from '../raft/messages.js';
import type { LogId, Proposal } from '../raft/types.js';
import { entryTypes, readAppend, writeAppend } from './append-codec.js';
import { FlatReader } from './flat-reader.js';
import { packTransient, type Scalar, unpackFlat } from './packr.js';
import { readSnapshot, writeSnapshot } from './snapshot-codec.js';
import type { AskRequest, SnapshotAck, SnapshotChunk, WireMessage } from './wire-message.js';

/**
 * Version of the message format this release writes and reads.
 *
 * @since 0.1.0
 */
export const wireVersion = 1;

/** Place in the list is the number on the wire: only ever append. */
const kinds = [
  'append-request',
  'append-response',
  'heartbeat-request',
  'heartbeat-response',
  'vote-request',
  'vote-response',
  'pre-vote-request',
  'pre-vote-response',
  'forward-request',
  'forward-refusal',
  'read-request',
  'read-response',
  'snapshot-request',
  'timeout-now',
  'transfer-request',
  'propose-request',
  'ask-request',
  'ask-response',
  'snapshot-chunk',
  'snapshot-ack',
] as const;

const kindNumbers = Object.fromEntries(kinds.map((kind, at) => [kind, at])) as Record<
  WireMessage['kind'],
  number
>;

/** Place in the list is the number on the wire: only ever append. */
const refusalCodes = ['NOT_LEADER', 'PROPOSAL_DROPPED', 'NO_SPACE'] as const;

/** Place in the list is the number on the wire: only ever append. */
const snapshotStates = ['receiving', 'installing', 'done', 'failed'] as const;

/** Entries count for their bytes and 24 more when the core cuts a message, so this is never met. */
const elementsMax = 8 + 3 * 65_536;
assert(limits.appendBytesMax / 24 < 65_536, 'every append message has a lawful element count');

/**
 * Encodes a message.
 *
 * @param message - any message between members
 * @param reserve - unset bytes left in front for a frame header; default 0, at most 128
 * @returns bytes for sending soon: they live in a larger block, so do not keep them
 * @since 0.1.0
 */
export function encodeWireMessage(message: WireMessage, reserve = 0): Uint8Array {
  const values: Scalar[] = [kindNumbers[message.kind], message.from, message.to, message.term];
  writeFields(values, message);
  assert(values.length <= elementsMax, 'a message fits the element count of the format');
  return packTransient(values, wireVersion, reserve);
}

/**
 * Decodes a message. The result holds one copy of `bytes` at most, and nothing that points into them.
 *
 * @param bytes - untrusted, of any length
 * @throws {KontikiError} FORMAT_UNSUPPORTED for another version, FRAME_INVALID for all other bytes
 *   that {@link encodeWireMessage} would not write
 * @since 0.1.0
 */
export function decodeWireMessage(bytes: Uint8Array): WireMessage {
  // One copy for all entries: a hundred small buffers cost fifteen times as much, and entries of
  // one message are stored, applied and forgotten together.
  const reader = new FlatReader(unpackFlat(new Uint8Array(bytes), wireVersion, elementsMax));
  const kind = reader.oneOf('kind', kinds);
  const from = reader.integer('from', 1);
  const to = reader.integer('to', 1);
  const message = readFields(kind, { from, to, term: reader.integer('term') }, reader);
  reader.end();
  return message;
}

function writeFields(values: Scalar[], message: WireMessage): void {
  switch (message.kind) {
    case 'append-request':
      return writeAppend(values, message);
    case 'append-response':
      values.push(message.index);
      if (message.hint !== undefined) values.push(message.hint.term, message.hint.index);
      return;
    case 'heartbeat-request':
      values.push(message.commit, message.reads, message.sentAt);
      return;
    case 'heartbeat-response':
      values.push(message.reads, message.sentAt);
      return;
    case 'vote-request':
      values.push(message.last.term, message.last.index, message.transfer ?? false);
      return writeCommit(values, message);
    case 'pre-vote-request':
      values.push(message.last.term, message.last.index);
      return writeCommit(values, message);
    case 'vote-response':
    case 'pre-vote-response':
      values.push(message.granted);
      return writeCommit(values, message);
    case 'forward-request':
      values.push(message.id);
      for (const command of message.commands) values.push(command);
      return;
    case 'forward-refusal':
      values.push(message.id, refusalCodes.indexOf(message.code));
      return;
    case 'read-request':
      values.push(message.readId);
      return;
    case 'read-response':
      values.push(message.readId, message.index);
      return;
    case 'snapshot-request':
      return writeSnapshot(values, message.snapshot);
    case 'snapshot-chunk':
      values.push(message.id, message.at, message.isLast, message.data);
      return;
    case 'snapshot-ack':
      values.push(message.id, message.next, snapshotStates.indexOf(message.state));
      return;
    case 'timeout-now':
      return;
    case 'transfer-request':
      values.push(message.transferee);
      return;
    case 'propose-request':
      for (const { type, data } of message.proposals) values.push(entryTypes.indexOf(type), data);
      return;
    case 'ask-request':
      values.push(message.id, message.data);
      if (message.membership === true) values.push(true);
      return;
    case 'ask-response':
      values.push(message.id);
      if (message.data !== undefined) values.push(message.data);
      return;
    default:
      unreachable(message);
  }
}

function readFields(
  kind: WireMessage['kind'],
  { from, to, term }: Envelope,
  reader: FlatReader,
): WireMessage {
  switch (kind) {
    case 'append-request':
      return readAppend({ from, to, term }, reader);
    case 'append-response': {
      const index = reader.integer('index');
      if (reader.left === 0) return { kind, from, to, term, index };
      return { kind, from, to, term, index, hint: readLogId('hint', reader) };
    }
    case 'heartbeat-request': {
      const commit = reader.integer('commit');
      const reads = reader.integer('reads');
      return { kind, from, to, term, commit, reads, sentAt: reader.integer('sentAt') };
    }
    case 'heartbeat-response': {
      const reads = reader.integer('reads');
      return { kind, from, to, term, reads, sentAt: reader.integer('sentAt') };
    }
    case 'vote-request': {
      const last = readLogId('last', reader);
      const ask = { kind, from, to, term, last };
      return withCommit(reader.boolean('transfer') ? { ...ask, transfer: true } : ask, reader);
    }
    case 'pre-vote-request':
      return withCommit({ kind, from, to, term, last: readLogId('last', reader) }, reader);
    case 'vote-response':
    case 'pre-vote-response':
      return withCommit({ kind, from, to, term, granted: reader.boolean('granted') }, reader);
    case 'forward-request':
      return { kind, from, to, term, id: reader.integer('id'), commands: readCommands(reader) };
    case 'forward-refusal': {
      const id = reader.integer('id');
      return { kind, from, to, term, id, code: reader.oneOf('code', refusalCodes) };
    }
    case 'read-request':
      return { kind, from, to, term, readId: reader.integer('readId') };
    case 'read-response': {
      const readId = reader.integer('readId');
      return { kind, from, to, term, readId, index: reader.integer('index') };
    }
    case 'snapshot-request':
      return { kind, from, to, term, snapshot: readSnapshot(reader) };
    case 'snapshot-chunk':
      return readSnapshotChunk({ from, to, term }, reader);
    case 'snapshot-ack':
      return readSnapshotAck({ from, to, term }, reader);
    case 'timeout-now':
      return { kind, from, to, term };
    case 'transfer-request':
      return { kind, from, to, term, transferee: reader.integer('transferee', 1) };
    case 'propose-request':
      return { kind, from, to, term, proposals: readProposals(reader) };
    case 'ask-request':
      return readAsk({ from, to, term }, reader);
    case 'ask-response': {
      const id = reader.integer('id');
      if (reader.left === 0) return { kind, from, to, term, id };
      return { kind, from, to, term, id, data: reader.bytes('data') };
    }
    default:
      unreachable(kind);
  }
}

function readAsk({ from, to, term }: Envelope, reader: FlatReader): AskRequest {
  const id = reader.integer('id');
  const ask = { kind: 'ask-request', from, to, term, id, data: reader.bytes('data') } as const;
  return reader.left > 0 && reader.boolean('membership') ? { ...ask, membership: true } : ask;
}

function readSnapshotChunk(envelope: Envelope, reader: FlatReader): SnapshotChunk {
  const { from, to, term } = envelope;
  const id = reader.integer('id');
  const at = reader.integer('at');
  const isLast = reader.boolean('isLast');
  return { kind: 'snapshot-chunk', from, to, term, id, at, isLast, data: reader.bytes('data') };
}

function readSnapshotAck({ from, to, term }: Envelope, reader: FlatReader): SnapshotAck {
  const id = reader.integer('id');
  const next = reader.integer('next');
  const state = reader.oneOf('state', snapshotStates);
  return { kind: 'snapshot-ack', from, to, term, id, next, state };
}

function writeCommit(values: Scalar[], { commit }: { readonly commit?: LogId }): void {
  if (commit !== undefined) values.push(commit.term, commit.index);
}

function withCommit<V extends object>(vote: V, reader: FlatReader): V & { commit?: LogId } {
  return reader.left === 0 ? vote : { ...vote, commit: readLogId('commit', reader) };
}

function readLogId(field: string, reader: FlatReader): LogId {
  return { term: reader.integer(field), index: reader.integer(field) };
}

function readCommands(reader: FlatReader): Uint8Array[] {
  const commands: Uint8Array[] = new Array(reader.left);
  for (let at = 0; at < commands.length; at += 1) commands[at] = reader.bytes('command');
  return commands;
}

function readProposals(reader: FlatReader): Proposal[] {
  const proposals: Proposal[] = [];
  do {
    proposals.push({ type: reader.oneOf('type', entryTypes), data: reader.bytes('data') });
  } while (reader.left > 0);
  return proposals;
}
