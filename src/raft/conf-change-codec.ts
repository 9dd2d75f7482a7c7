/**
 * Changes of the configuration as the bytes of their entries. The core has to read them, to refuse a
 * wrong change before it is in the log, so their format is its own:
 *
 *     V1   1, type, member id, proposer's id, context      (integers of 8 bytes, big-endian)
 *     V2   2, transition, count (2 bytes), count x { type, member id }, context
 *     V2   no bytes at all: leave the joint state
 */
import { type ErrorFields, kontikiError } from '../base/errors.js';
import { getUint53, setUint53 } from '../base/integers.js';
import type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  ConfChangeV2,
} from './conf-change.js';
import type { Entry, Proposal } from './types.js';

/** Place in the list is the number in the entry: only ever append. */
const types: readonly ConfChangeType[] = ['add-voter', 'add-learner', 'remove', 'update'];
const transitions: readonly ConfChangeTransition[] = ['auto', 'joint-implicit', 'joint-explicit'];

const versionV1 = 1;
const versionV2 = 2;
const headBytesV1 = 18;
const headBytesV2 = 4;
const singleBytes = 9;

/**
 * The proposal of a change; its type tells the form.
 *
 * @throws {KontikiError} CONFIGURATION_INVALID, reason `unknown-change`: no such type or transition,
 *   an id that is no safe integer, or more than 65,535 changes
 * @since 0.1.0
 */
export function encodeConfChange(change: ConfChange | ConfChangeV2): Proposal {
  if ('changes' in change) return { type: 'config-change-v2', data: encodeV2(change) };
  const { type, memberId, id = 0, context = new Uint8Array(0) } = change;
  const data = new Uint8Array(headBytesV1 + context.length);
  data[0] = versionV1;
  data[1] = numberOf(types, type);
  writeInteger(data, 2, memberId);
  writeInteger(data, 10, id);
  data.set(context, headBytesV1);
  return { type: 'config-change', data };
}

function encodeV2(change: ConfChangeV2): Uint8Array {
  const { transition, changes, context = new Uint8Array(0) } = change;
  if (transition === 'auto' && changes.length === 0 && context.length === 0) {
    return new Uint8Array(0);
  }
  if (changes.length > 0xffff) throw invalid('at most 65,535 changes', changes.length);
  const contextAt = headBytesV2 + changes.length * singleBytes;
  const data = new Uint8Array(contextAt + context.length);
  data[0] = versionV2;
  data[1] = numberOf(transitions, transition);
  new DataView(data.buffer).setUint16(2, changes.length);
  let at = headBytesV2;
  for (const { type, memberId } of changes) {
    data[at] = numberOf(types, type);
    writeInteger(data, at + 1, memberId);
    at += singleBytes;
  }
  data.set(context, contextAt);
  return data;
}

/**
 * Reads the change of an entry.
 *
 * @param entry - of type `config-change` or `config-change-v2`
 * @throws {KontikiError} CONFIGURATION_INVALID, reason `unknown-change`: bytes that
 *   {@link encodeConfChange} would not write, or another type of entry
 * @since 0.1.0
 */
export function decodeConfChange(entry: Entry | Proposal): ConfChange | ConfChangeV2 {
  const { type, data } = entry;
  if (type === 'config-change') return decodeV1(data);
  if (type === 'config-change-v2') return decodeV2(data);
  throw invalid('an entry that changes the configuration', type);
}

function decodeV1(data: Uint8Array): ConfChange {
  if (data.length < headBytesV1 || data[0] !== versionV1) throw invalid('a change', data);
  return {
    type: itemOf(types, data[1]),
    memberId: readInteger(data, 2),
    id: readInteger(data, 10),
    context: data.subarray(headBytesV1),
  };
}

function decodeV2(data: Uint8Array): ConfChangeV2 {
  if (data.length === 0) return { transition: 'auto', changes: [] };
  if (data.length < headBytesV2 || data[0] !== versionV2) throw invalid('changes', data);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const contextAt = headBytesV2 + view.getUint16(2) * singleBytes;
  if (data.length < contextAt) throw invalid('all changes', data);
  const changes: ConfChangeSingle[] = [];
  for (let at = headBytesV2; at < contextAt; at += singleBytes) {
    changes.push({ type: itemOf(types, data[at]), memberId: readInteger(data, at + 1) });
  }
  return {
    transition: itemOf(transitions, data[1]),
    changes,
    context: data.subarray(contextAt),
  };
}

function writeInteger(data: Uint8Array, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid('an id of 0 to 2^53-1', value);
  setUint53(data, at, value);
}

function readInteger(data: Uint8Array, at: number): number {
  const value = getUint53(data, at);
  if (!Number.isSafeInteger(value)) throw invalid('an id of 0 to 2^53-1', value);
  return value;
}

function numberOf<T>(list: readonly T[], item: T): number {
  const at = list.indexOf(item);
  if (at < 0) throw invalid(`one of ${list.join(', ')}`, item);
  return at;
}

function itemOf<T>(list: readonly T[], at: number | undefined): T {
  const item = list[at ?? -1];
  if (item === undefined) throw invalid(`one of ${list.join(', ')}`, at);
  return item;
}

function invalid(expected: string, got: unknown) {
  const reason: ErrorFields['CONFIGURATION_INVALID']['reason'] = 'unknown-change';
  const shown = got instanceof Uint8Array ? `${got.length} bytes of another form` : String(got);
  const message = `membership: expected ${expected}, got ${shown}`;
  return kontikiError('CONFIGURATION_INVALID', message, { reason, outcome: 'rejected' });
}
