/**
 * The identity of a data directory, in a file that people can read: who this member is, and which
 * directories it met other members in, so that neither a wiped one nor an old copy is taken for its
 * self (DESIGN §4.17, ADR 0019). The log and the state beside it are worth nothing without it.
 *
 * The file is JSON. Its last line but one is a checksum over the bytes before that line, in every
 * format to come, so that damage is told from a file of a later release.
 */
import { replaceAdvice, upgradeAdvice } from '../base/advice.js';
import { assert } from '../base/assert.js';
import { equalBytes, utf8Bytes, utf8Text } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { MemberId } from '../raft/types.js';
import type { FileSystem, StorageFile } from './file-system.js';

/** Name of the file in its directory. @since 0.1.0 */
export const memberFileName = 'member.json';

/** What the identity file holds. @since 0.1.0 */
export interface MemberRecord {
  readonly format: 1;
  readonly clusterId: number;
  readonly memberId: MemberId;
  readonly name: string;
  /** Drawn once for this directory; 32 hexadecimal digits in lower case. */
  readonly dirId: string;
  /** Hash of the cluster's token, hexadecimal digits in lower case; absent without a token. */
  readonly token?: string | undefined;
  /**
   * The backup that it was restored from, as `<SHA-256>@<last entry>`, and behind a `+` by how much its
   * revision was bumped.
   */
  readonly restored?: string | undefined;
  /** How often it was opened, and the random tokens of its newest lives, newest first. */
  readonly life?: { readonly number: number; readonly tokens: readonly number[] } | undefined;
  /** Peers found it to be an old copy: it must not open any more. */
  readonly rolledBack?: true | undefined;
  /** The members the cluster was started with. */
  readonly members: readonly {
    readonly id: MemberId;
    readonly name: string;
    /** Absent for one that nobody can reach. */
    readonly address?: string | undefined;
  }[];
  /** What is known of each member that was met; numbers are 0 by default. */
  readonly peers: readonly PeerRecord[];
}

/** @since 0.1.0 */
export interface PeerRecord {
  readonly memberId: MemberId;
  /** The directory it was met in. */
  readonly dirId: string;
  /** Newest life of that directory, and its token. */
  readonly life?: number | undefined;
  readonly token?: number | undefined;
  /** A term in which it has pledged something, and the last entry it acknowledged in that term. */
  readonly term?: number | undefined;
  readonly lastIndex?: number | undefined;
}

const format = 1;
const temporaryName = `${memberFileName}.tmp`;
const checksumStart = ',\n  "checksum": "';
const fileEnd = '"\n}\n';
const tailBytes = checksumStart.length + 8 + fileEnd.length;

/**
 * The record of a directory, or `undefined` when it has none.
 *
 * @param fs - where the directory is
 * @param dir - path of the directory
 * @throws {KontikiError} STATE_CORRUPT when the file is damaged; FORMAT_UNSUPPORTED when a later
 *   release wrote it; STORAGE_IO
 * @since 0.1.0
 */
export async function readMemberFile(
  fs: FileSystem,
  dir: string,
): Promise<MemberRecord | undefined> {
  const path = `${dir}/${memberFileName}`;
  const bytes = await fs.readFile(path);
  if (bytes === undefined) return undefined;
  const value = parse(fs, path, bytes);
  if (!isObject(value)) throw damaged(path, 'it holds no object');
  if (Number.isSafeInteger(value.format) && (value.format as number) > format) {
    const found = `${path} has format ${value.format}`;
    const message = `${found}, this release reads ${format}: ${upgradeAdvice}`;
    throw kontikiError('FORMAT_UNSUPPORTED', message);
  }
  const wrong = wrongField(value);
  if (wrong !== undefined) throw damaged(path, `${wrong} is not what it must be`);
  return value as unknown as MemberRecord;
}

/**
 * Replaces the record of a directory, atomically; it is durable when this resolves. One call at a
 * time per directory.
 *
 * @param fs - where the directory is; it must exist
 * @param dir - path of the directory
 * @param record - what to store
 * @throws {KontikiError} NO_SPACE, STORAGE_IO; the old record is then still in place, or the new one
 *   when only the last sync failed
 * @since 0.1.0
 */
export async function writeMemberFile(
  fs: FileSystem,
  dir: string,
  record: MemberRecord,
): Promise<void> {
  const wrong = wrongField(record as unknown as Record<string, unknown>);
  assert(wrong === undefined, `member record: ${wrong} is not what it must be`);
  const temporary = `${dir}/${temporaryName}`;
  // Left over when a process died here.
  await fs.remove(temporary);
  const file = await fs.open(temporary, 'create');
  await writeAndClose(file, encode(fs, record));
  await fs.rename(temporary, `${dir}/${memberFileName}`);
  await fs.syncDirectory(dir);
}

async function writeAndClose(file: StorageFile, bytes: Uint8Array): Promise<void> {
  try {
    await file.write(0, [bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
}

function encode(fs: FileSystem, record: MemberRecord): Uint8Array {
  const { clusterId, memberId, name, dirId, token, restored, life, rolledBack } = record;
  const ordered = {
    ...{ format, clusterId, memberId, name, dirId, token, restored, life, rolledBack },
    members: record.members.map(({ id, name: own, address }) => ({ id, name: own, address })),
    peers: record.peers.map((peer) => ({
      ...{ memberId: peer.memberId, dirId: peer.dirId, life: peer.life, token: peer.token },
      ...{ term: peer.term, lastIndex: peer.lastIndex },
    })),
  };
  const body = JSON.stringify(ordered, undefined, 2).slice(0, -'\n}'.length);
  const checksum = fs.crc32(utf8Bytes(body)).toString(16).padStart(8, '0');
  return utf8Bytes(body + checksumStart + checksum + fileEnd);
}

function parse(fs: FileSystem, path: string, bytes: Uint8Array): unknown {
  const body = bytes.subarray(0, Math.max(0, bytes.length - tailBytes));
  const checksum = fs.crc32(body).toString(16).padStart(8, '0');
  const tail = utf8Bytes(checksumStart + checksum + fileEnd);
  if (!equalBytes(bytes.subarray(body.length), tail)) throw damaged(path, 'its checksum is wrong');
  try {
    return JSON.parse(`${utf8Text(body)}\n}`);
  } catch (cause) {
    throw damaged(path, 'it is not JSON', cause);
  }
}

function damaged(path: string, what: string, cause?: unknown): KontikiError {
  const must = 'without it this directory must not vote';
  const message = `${path} is damaged: ${what}; ${must}: ${replaceAdvice}`;
  return kontikiError('STATE_CORRUPT', message, { cause });
}

type Check = (value: unknown) => boolean;

const isId: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isAddress: Check = (value) => value === undefined || isName(value);
const isDirId: Check = (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
const isToken: Check = (value) =>
  value === undefined || (typeof value === 'string' && /^[0-9a-f]+$/.test(value));

const isRestored: Check = (value) =>
  value === undefined ||
  (typeof value === 'string' && /^[0-9a-f]{64}@[0-9]+(\+[0-9]+)?$/.test(value));

const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isCountOrNone: Check = (value) => value === undefined || isCount(value);

const isLife: Check = (value) => {
  if (value === undefined) return true;
  const isTokens: Check = (tokens) => Array.isArray(tokens) && tokens.every(isCount);
  return isObject(value) && wrongAmong(value, { number: isId, tokens: isTokens }) === undefined;
};

const peerFields: Readonly<Record<keyof PeerRecord, Check>> = {
  memberId: isId,
  dirId: isDirId,
  life: isCountOrNone,
  token: isCountOrNone,
  term: isCountOrNone,
  lastIndex: isCountOrNone,
};

const fields: Readonly<Record<keyof MemberRecord, Check>> = {
  format: (value) => value === format,
  clusterId: isId,
  memberId: isId,
  name: isName,
  dirId: isDirId,
  token: isToken,
  restored: isRestored,
  life: isLife,
  rolledBack: (value) => value === undefined || value === true,
  members: (value) =>
    isListOf(value, { id: isId, name: isName, address: isAddress }, ['id', 'name']),
  peers: (value) => isListOf(value, peerFields, ['memberId']),
};

/** The name of the first field that is wrong, missing or unknown. */
function wrongField(value: Record<string, unknown>): string | undefined {
  return wrongAmong(value, fields);
}

function wrongAmong(
  value: Record<string, unknown>,
  checks: Readonly<Record<string, Check>>,
): string | undefined {
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(checks, name));
  if (unknown !== undefined) return JSON.stringify(unknown);
  return Object.keys(checks).find((name) => !checks[name]?.(value[name]));
}

/** Whether it is a list of such objects, no two with the same value in a `unique` field. */
function isListOf(
  list: unknown,
  checks: Readonly<Record<string, Check>>,
  unique: readonly string[],
): boolean {
  if (!Array.isArray(list)) return false;
  for (const item of list) {
    if (!isObject(item) || wrongAmong(item, checks) !== undefined) return false;
  }
  return unique.every((name) => new Set(list.map((item) => item[name])).size === list.length);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
