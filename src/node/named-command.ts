/**
 * A command of a state machine of one's own as the bytes of its entry: the name of the proposal in front
 * of it, by which the node finds who asked.
 *
 *     version | session | number of the proposal | command
 */
import { kontikiError } from '../base/errors.js';
import { getUint53, setUint53 } from '../base/integers.js';
import { limits } from '../base/limits.js';
import { ownCommandVersion as version } from '../codec/own-command.js';
import type { RequestId } from './state-machine.js';

const sessionAt = 1;
const seqAt = 9;
const headBytes = 17;

/** Bytes of the longest entry that a member proposes: a store's has its name within the limit. @since 0.1.0 */
export const commandBytesMax = limits.requestBytesMax + headBytes;

/** @since 0.1.0 */
export interface NamedCommand {
  readonly requestId: RequestId;
  /** A view of the entry. */
  readonly command: Uint8Array;
}

/**
 * @param command - any bytes, none too
 * @param id - of the proposal
 * @since 0.1.0
 */
export function nameCommand(command: Uint8Array, { session, seq }: RequestId): Uint8Array {
  const bytes = new Uint8Array(headBytes + command.length);
  bytes[0] = version;
  setUint53(bytes, sessionAt, session);
  setUint53(bytes, seqAt, seq);
  bytes.set(command, headBytes);
  return bytes;
}

/**
 * @param bytes - of an entry
 * @returns `undefined` when they are no command: a broken member passed them on, and stopping would let
 *   one bad entry take the whole group down for good
 * @throws {KontikiError} FORMAT_UNSUPPORTED, of a newer format: this member cannot know what it does
 * @since 0.1.0
 */
export function namedCommandOf(bytes: Uint8Array): NamedCommand | undefined {
  if (bytes.length === 0 || bytes[0] === 0) return undefined;
  // Before the length: commands of a store may be shorter than a name.
  if (bytes[0] !== version) {
    const message = `node: expected a command of format ${version}, got format ${bytes[0]}`;
    throw kontikiError('FORMAT_UNSUPPORTED', message);
  }
  if (bytes.length < headBytes) return undefined;
  const requestId = { session: getUint53(bytes, sessionAt), seq: getUint53(bytes, seqAt) };
  return { requestId, command: bytes.subarray(headBytes) };
}
