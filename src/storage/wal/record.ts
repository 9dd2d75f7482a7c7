/**
 * One record of the log as data. Bytes that got here passed their CRC, so what makes no sense was
 * written so: by a later release, or by a bug.
 */
import type { Entry, HardState, MemberId } from '../../raft/types.js';
import {
  entryHeaderBytes,
  entryTypes,
  getU64,
  recordHeaderBytes,
  recordTypes,
  viewOf,
} from './format.js';

/**
 * What the log records.
 *
 * @since 0.1.0
 */
export type WalRecord =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'hard-state'; readonly hardState: HardState }
  | { readonly kind: 'configuration'; readonly voters: readonly MemberId[] };

/** A record, or why it is none of ours: a later release knows it, or nobody does. */
export type DecodedRecord =
  | { readonly record: WalRecord; readonly groupId: number }
  | { readonly unknown: string }
  | { readonly invalid: string };

/**
 * Decodes a record. Its data is a view into `bytes`.
 *
 * @param bytes - the whole record, its CRC verified
 */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  const view = viewOf(bytes);
  const groupId = view.getUint32(8, true);
  const type = bytes[12] as number;
  if (type === recordTypes.entry) return decodeEntry(bytes, view, groupId);
  if (type === recordTypes.hardState) return decodeHardState(view, groupId);
  if (type === recordTypes.configuration) return decodeConfiguration(view, groupId);
  return { unknown: `record type ${type}` };
}

function decodeEntry(bytes: Uint8Array, view: DataView, groupId: number): DecodedRecord {
  const body = recordHeaderBytes;
  if (bytes.length < body + entryHeaderBytes) return { invalid: 'an entry is too short' };
  const term = getU64(view, body);
  const index = getU64(view, body + 8);
  const code = bytes[body + 16] as number;
  const type = entryTypes[code];
  if (type === undefined) return { unknown: `entry type ${code}` };
  if (!isPositive(term) || !isPositive(index)) {
    return { invalid: `an entry has term ${term} and index ${index}` };
  }
  const data = bytes.subarray(body + entryHeaderBytes);
  return { record: { kind: 'entry', entry: { term, index, type, data } }, groupId };
}

function decodeHardState(view: DataView, groupId: number): DecodedRecord {
  const body = recordHeaderBytes;
  if (view.byteLength !== body + 24) return { invalid: 'a hard state has another length' };
  const hardState = {
    term: getU64(view, body),
    vote: getU64(view, body + 8),
    commit: getU64(view, body + 16),
  };
  const isSafe = Object.values(hardState).every((value) => Number.isSafeInteger(value));
  if (!isSafe) return { invalid: 'a hard state holds a number that is no safe integer' };
  return { record: { kind: 'hard-state', hardState }, groupId };
}

function decodeConfiguration(view: DataView, groupId: number): DecodedRecord {
  const body = recordHeaderBytes;
  if (view.byteLength < body + 4) return { invalid: 'a configuration is too short' };
  const count = view.getUint32(body, true);
  if (view.byteLength !== body + 4 + 8 * count) {
    return { invalid: `a configuration of ${count} voters has another length` };
  }
  const voters = Array.from({ length: count }, (_, at) => getU64(view, body + 4 + 8 * at));
  if (!voters.every(isPositive)) return { invalid: 'a voter is not a member id' };
  return { record: { kind: 'configuration', voters }, groupId };
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
