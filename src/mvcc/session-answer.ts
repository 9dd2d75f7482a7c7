/**
 * Bytes of an answer that a session keeps. They are part of the replicated state, so they are fixed
 * and ours, like every record, and hold nothing that differs between releases: of an error its code
 * and number, not its text.
 *
 * ```
 * u8 kind, with 0x80 when the answer was too long and only revision and success are kept; then
 * error       u8 length, code; u64 compactRevision or revision      read-lease    revision, u64 leaseMs, u64 everMs
 * put         revision, u8 has previous, version                    lease-grant   revision, lease
 * delete      revision, u64 deleted, u8 has previous, u32, versions  lease-revoke  revision, i64 id, u64 deleted
 * txn         revision, u8 succeeded, u32, answers                   checkpoint    revision, u64 noted
 * range       revision, u8 more, u64 count + 1 or 0, u32, versions   compact       revision, u64 compactRevision
 * session-open  revision, u64 id                                     alarm         revision, u8 is changed
 *
 * version     u32 length, key; u32 length, value; u64 created, u64 modified, u64 version, i64 lease or 0
 * lease       i64 id, u64 ttl, u64 remaining, u64 generation
 * ```
 */
import { assert, unreachable } from '../base/assert.js';
import { binaryString } from '../base/bytes.js';
import { type ErrorCode, KontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { LeaseEntry } from './lease-types.js';
import { AnswerReader, AnswerWriter } from './session-answer-bytes.js';
import type {
  CommandResult,
  DeleteResult,
  KeyVersion,
  OperationResult,
  PutResult,
  TxnResult,
} from './types.js';

/** What a command came to: its result, or the refusal. @since 0.1.0 */
export type Answer = CommandResult | KontikiError;

type AnyResult = CommandResult | OperationResult;

/** Place in the list is the number in the bytes: only ever append. */
const kinds = [
  'error',
  'put',
  'delete',
  'txn',
  'range',
  'compact',
  'read-lease',
  'lease-grant',
  'lease-revoke',
  'lease-checkpoint',
  'session-open',
  'alarm',
] as const;

const cutBit = 0x80;
const writer = new AnswerWriter(limits.sessionAnswerBytesMax);

/**
 * Encodes an answer; of one that would take more than 1 KiB only revision and success.
 *
 * @since 0.1.0
 */
export function encodeAnswer(answer: Answer): Uint8Array {
  writer.begin();
  if (isError(answer)) writeError(answer);
  else writeResult(answer);
  if (!writer.isOver) return writer.taken();
  writer.begin();
  writeCut(answer);
  return writer.taken();
}

/**
 * Decodes an answer. A result that was too long to keep says so by `partial`.
 *
 * @since 0.1.0
 */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const reader = new AnswerReader(bytes);
  return readAnswer(reader);
}

function isError(answer: Answer): answer is KontikiError {
  return !('op' in answer);
}

function writeError(error: KontikiError): void {
  const { code, revision, compactRevision } = error as KontikiError & {
    readonly revision?: number;
    readonly compactRevision?: number;
  };
  writer.u8(kinds.indexOf('error'));
  writer.u8(code.length);
  for (let at = 0; at < code.length; at += 1) writer.u8(code.charCodeAt(at));
  writer.u53(compactRevision ?? revision ?? 0);
}

function writeResult(result: AnyResult): void {
  writer.u8(kinds.indexOf(result.op));
  writer.u53(result.revision);
  switch (result.op) {
    case 'put':
      return writePrevious(result);
    case 'delete':
      writer.u53(result.deleted);
      writer.u8(result.previous === undefined ? 0 : 1);
      return result.previous && writeVersions(result.previous);
    case 'txn':
      writer.u8(result.succeeded ? 1 : 0);
      writer.u32(result.results.length);
      for (const each of result.results) if (!writer.isOver) writeResult(each);
      return;
    case 'range':
      writer.u8(result.more ? 1 : 0);
      writer.u53(result.count === undefined ? 0 : result.count + 1);
      return writeVersions(result.kvs);
    case 'compact':
      return writer.u53(result.compactRevision);
    case 'read-lease':
      writer.u53(result.readLease.leaseMs);
      return writer.u53(result.readLease.everMs);
    case 'lease-grant':
      return writeLease(result.lease);
    case 'lease-revoke':
      writer.i64(result.id);
      return writer.u53(result.deleted);
    case 'lease-checkpoint':
      return writer.u53(result.noted);
    case 'session-open':
      return writer.u53(result.session);
    case 'alarm':
      return writer.u8(result.isChanged ? 1 : 0);
    default:
      unreachable(result);
  }
}

function writeCut(answer: Answer): void {
  const result = answer as PutResult | DeleteResult | TxnResult;
  writer.u8(kinds.indexOf(result.op) | cutBit);
  writer.u53(result.revision);
  if (result.op === 'delete') writer.u53(result.deleted);
  if (result.op === 'txn') writer.u8(result.succeeded ? 1 : 0);
}

function writePrevious({ previous }: PutResult): void {
  writer.u8(previous === undefined ? 0 : 1);
  if (previous !== undefined) writeVersion(previous);
}

function writeVersions(versions: readonly KeyVersion[]): void {
  writer.u32(versions.length);
  for (const version of versions) {
    if (writer.isOver) return;
    writeVersion(version);
  }
}

function writeVersion(version: KeyVersion): void {
  writer.text(version.key);
  writer.bytes(version.value);
  writer.u53(version.createRevision);
  writer.u53(version.modRevision);
  writer.u53(version.version);
  writer.i64(version.lease);
}

function writeLease(lease: LeaseEntry): void {
  writer.i64(lease.id);
  writer.u53(lease.ttlSeconds);
  writer.u53(lease.remainingMs);
  writer.u53(lease.generation);
}

function readAnswer(reader: AnswerReader): Answer {
  const first = reader.u8();
  const kind = kinds[first & ~cutBit];
  if (kind === 'error') return readError(reader);
  const revision = reader.u53();
  if ((first & cutBit) !== 0) return readCut(kind, revision, reader);
  return readResult(kind, revision, reader) as CommandResult;
}

function readError(reader: AnswerReader): KontikiError {
  let code = '';
  for (let left = reader.u8(); left > 0; left -= 1) code += String.fromCharCode(reader.u8());
  const number = reader.u53();
  const fields =
    code === 'COMPACTED'
      ? { compactRevision: number }
      : code === 'FUTURE_REVISION'
        ? { revision: number }
        : {};
  const message = 'keyspace: refused, as it was when the request came first';
  return new KontikiError(code as ErrorCode, message, { ...fields, outcome: 'rejected' });
}

function readCut(kind: string | undefined, revision: number, reader: AnswerReader): Answer {
  const partial = true;
  if (kind === 'put') return { op: 'put', revision, partial };
  if (kind === 'delete') return { op: 'delete', revision, deleted: reader.u53(), partial };
  assert(kind === 'txn', 'only what holds versions is long');
  return { op: 'txn', revision, succeeded: reader.u8() === 1, results: [], partial };
}

function readResult(
  op: (typeof kinds)[number] | undefined,
  revision: number,
  reader: AnswerReader,
): AnyResult {
  assert(op !== undefined && op !== 'error', 'an answer is of a kind there is');
  switch (op) {
    case 'put':
      return { op, revision, previous: reader.u8() === 1 ? readVersion(reader) : undefined };
    case 'delete': {
      const deleted = reader.u53();
      const previous = reader.u8() === 1 ? readVersions(reader) : undefined;
      return { op, revision, deleted, previous };
    }
    case 'txn': {
      const succeeded = reader.u8() === 1;
      const results: OperationResult[] = [];
      for (let left = reader.u32(); left > 0; left -= 1) {
        results.push(readAnswer(reader) as OperationResult);
      }
      return { op, revision, succeeded, results };
    }
    case 'range': {
      const more = reader.u8() === 1;
      const counted = reader.u53();
      const count = counted === 0 ? undefined : counted - 1;
      return { op, revision, kvs: readVersions(reader), more, count };
    }
    case 'compact':
      return { op, revision, compactRevision: reader.u53() };
    case 'read-lease':
      return { op, revision, readLease: { leaseMs: reader.u53(), everMs: reader.u53() } };
    case 'lease-grant':
      return { op, revision, lease: readLease(reader) };
    case 'lease-revoke':
      return { op, revision, id: reader.i64(), deleted: reader.u53() };
    case 'lease-checkpoint':
      return { op, revision, noted: reader.u53() };
    case 'session-open':
      return { op, revision, session: reader.u53() };
    case 'alarm':
      return { op, revision, isChanged: reader.u8() === 1 };
    default:
      return unreachable(op);
  }
}

function readVersions(reader: AnswerReader): KeyVersion[] {
  const versions: KeyVersion[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) versions.push(readVersion(reader));
  return versions;
}

function readVersion(reader: AnswerReader): KeyVersion {
  const key = binaryString(reader.bytes());
  const value = reader.bytes();
  const createRevision = reader.u53();
  const modRevision = reader.u53();
  const version = reader.u53();
  const lease = reader.i64();
  const attached = lease === 0n ? undefined : lease;
  return { key, value, createRevision, modRevision, version, lease: attached };
}

function readLease(reader: AnswerReader): LeaseEntry {
  const id = reader.i64();
  const ttlSeconds = reader.u53();
  const remainingMs = reader.u53();
  return { id, ttlSeconds, remainingMs, generation: reader.u53() };
}
