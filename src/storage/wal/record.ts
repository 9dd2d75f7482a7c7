/**
 * One record of the log as data. Bytes that got here passed their CRC, so what makes no sense was
 * written so: by a later release, or by a bug.
 */
import type { Entry, HardState, LogId } from '../../raft/types.js';
import type { AppliedConfiguration, SnapshotMark } from '../log-store.js';
import {
  entryHeaderBytes,
  entryTypes,
  getU64,
  recordHeaderBytes,
  recordTypes,
  viewOf,
} from './format.js';
import { decodeMark } from './mark-codec.js';

/**
 * What the log stands on, besides its entries and its hard state.
 *
 * @since 0.1.0
 */
export type WalMark =
  | { readonly kind: 'configuration'; readonly applied: AppliedConfiguration }
  /** A snapshot replaces the log, and is to replace the state machine. */
  | { readonly kind: 'installing'; readonly snapshot: SnapshotMark }
  /** It has replaced the state machine. */
  | { readonly kind: 'installed'; readonly last: LogId }
  /** The newest entry before this segment, and the segment that the log starts with. */
  | { readonly kind: 'head'; readonly position: LogId; readonly segment: number }
  /** From here on the log starts with this segment, behind this entry. */
  | { readonly kind: 'start'; readonly position: LogId; readonly segment: number };

/**
 * What the log records.
 *
 * @since 0.1.0
 */
export type WalRecord =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'hard-state'; readonly hardState: HardState }
  | WalMark;

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
  if (!isMarkType(type)) return { unknown: `record type ${type}` };
  const decoded = decodeMark(type, bytes.subarray(recordHeaderBytes));
  return 'invalid' in decoded ? decoded : { record: decoded.mark, groupId };
}

function isMarkType(type: number): boolean {
  return type >= recordTypes.configuration && type <= recordTypes.start;
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

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
