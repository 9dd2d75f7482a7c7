/**
 * The frame that answers a hello.
 *
 *     accepted  magic u32 | type u8 = 2 | 0 u8 | version u16 | cluster u64 | member u64 | directory id
 *     refused   magic u32 | type u8 = 3 | code u8 | length u16 | message, UTF-8
 *     told      magic u32 | type u8 = 4 | data
 */
import { utf8Bytes, utf8Text } from '../base/bytes.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import {
  bytesOf,
  dirIdBytes,
  newHandshake,
  openHandshake,
  readDirId,
  readId,
  writeDirId,
  writeId,
} from './handshake-fields.js';
import type { MemberIdentity } from './transport.js';

/** Codes a hello can be refused with. @since 0.1.0 */
export type RefusalCode = (typeof refusalCodes)[number];

/** @since 0.1.0 */
export type Answer =
  | { readonly kind: 'accepted'; readonly version: number; readonly from: MemberIdentity }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string }
  /** To an inquiry. */
  | { readonly kind: 'told'; readonly data: Uint8Array };

/** Place in the list is the number on the wire: only ever append. */
const refusalCodes = [
  'CLUSTER_MISMATCH',
  'MEMBER_UNKNOWN',
  'MEMBER_IDENTITY_CHANGED',
  'FORMAT_UNSUPPORTED',
  'TLS_REFUSED',
  'MEMBER_REMOVED',
  'MEMBER_ROLLED_BACK',
] as const;

/** A wiped directory, or an old copy of one, must not start, whatever else is wrong. */
const gravestFirst: readonly RefusalCode[] = [
  'MEMBER_REMOVED',
  'MEMBER_IDENTITY_CHANGED',
  'MEMBER_ROLLED_BACK',
  'TLS_REFUSED',
  'CLUSTER_MISMATCH',
  'MEMBER_UNKNOWN',
  'FORMAT_UNSUPPORTED',
];

const acceptedType = 2;
const versionAt = 6;
const clusterAt = 8;
const memberAt = 16;
const dirIdAt = 24;
const acceptedSize = dirIdAt + dirIdBytes;

const refusedType = 3;
const codeAt = 5;
const lengthAt = 6;
const messageAt = 8;
const messageBytesMax = 500;

const toldType = 4;
const dataAt = 5;
/** Largest answer to an inquiry, in bytes: the list of a group's members. @since 0.1.0 */
export const toldBytesMax = 256 * 1024;

/**
 * Encodes an answer; a long message is cut.
 *
 * @since 0.1.0
 */
export function encodeAnswer(answer: Answer): Uint8Array {
  if (answer.kind === 'told') {
    const bytes = bytesOf(newHandshake(toldType, dataAt + answer.data.length));
    bytes.set(answer.data, dataAt);
    return bytes;
  }
  if (answer.kind === 'refused') {
    const message = utf8Bytes(answer.message).subarray(0, messageBytesMax);
    const view = newHandshake(refusedType, messageAt + message.length);
    view.setUint8(codeAt, refusalCodes.indexOf(answer.code));
    view.setUint16(lengthAt, message.length, true);
    const bytes = bytesOf(view);
    bytes.set(message, messageAt);
    return bytes;
  }
  const view = newHandshake(acceptedType, acceptedSize);
  view.setUint16(versionAt, answer.version, true);
  writeId(view, clusterAt, answer.from.clusterId);
  writeId(view, memberAt, answer.from.memberId);
  writeDirId(view, dirIdAt, answer.from.dirId);
  return bytesOf(view);
}

/**
 * Decodes an answer; bytes after the known ones are a later release's and ignored.
 *
 * @param bytes - untrusted, of any length
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function decodeAnswer(bytes: Uint8Array): Answer {
  if (bytes[4] === refusedType) return decodeRefusal(bytes);
  if (bytes[4] === toldType) {
    openHandshake(bytes, toldType, dataAt, toldBytesMax);
    return { kind: 'told', data: bytes.slice(dataAt) };
  }
  const view = openHandshake(bytes, acceptedType, acceptedSize);
  const from = {
    clusterId: readId(view, clusterAt, 0),
    memberId: readId(view, memberAt, 1),
    dirId: readDirId(view, dirIdAt),
  };
  return { kind: 'accepted', version: view.getUint16(versionAt, true), from };
}

/**
 * The refusal that tells a peer of `error`; `undefined` for any other error than those of a refusal,
 * which is an inner affair that the peer can do nothing about.
 *
 * @param error - what `checkHello` found or `admit` rejected with
 * @since 0.1.0
 */
export function refusalOf(error: unknown): Answer | undefined {
  if (!isKontikiError(error)) return undefined;
  const code = refusalCodes.find((known) => known === error.code);
  return code === undefined ? undefined : { kind: 'refused', code, message: error.message };
}

/**
 * The error that a refusal means to the side that connected.
 *
 * @since 0.1.0
 */
export function refusalError(refusal: Answer & { kind: 'refused' }): KontikiError {
  const { code, message } = refusal;
  return code === 'TLS_REFUSED'
    ? kontikiError(code, message, { reason: 'by-peer' })
    : kontikiError(code, message);
}

/**
 * Which of several refusals to report: the one that explains most.
 *
 * @param errors - what peers answered, `undefined` where there is nothing to report
 * @since 0.1.0
 */
export function gravestRefusal(
  errors: readonly (KontikiError | undefined)[],
): KontikiError | undefined {
  for (const code of gravestFirst) {
    const found = errors.find((error) => error?.code === code);
    if (found !== undefined) return found;
  }
  return undefined;
}

function decodeRefusal(bytes: Uint8Array): Answer {
  const view = openHandshake(bytes, refusedType, messageAt);
  const code = refusalCodes[view.getUint8(codeAt)];
  const end = messageAt + view.getUint16(lengthAt, true);
  if (code === undefined || end > bytes.length) {
    throw kontikiError('FRAME_INVALID', 'expected a refusal with a known code and its message');
  }
  return { kind: 'refused', code, message: utf8Text(bytes.subarray(messageAt, end)) };
}
