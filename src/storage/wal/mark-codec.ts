/**
 * Bodies of the records that are neither entries nor hard states: what the log stands on. They are
 * rare, so they are encoded apart and copied in.
 */
import type { ConfState } from '../../raft/configuration.js';
import type { LogId, MemberId } from '../../raft/types.js';
import { getU64, putU64, recordTypes, viewOf } from './format.js';
import type { WalMark } from './record.js';

/** A mark as bytes. */
export interface EncodedMark {
  readonly type: number;
  readonly body: Uint8Array;
}

/** A mark, or why its bytes are none. */
export type DecodedMark = { readonly mark: WalMark } | { readonly invalid: string };

const idBytes = 16;
const noContext = new Uint8Array(0);

/** Type and body of a mark's record. */
export function encodeMark(mark: WalMark): EncodedMark {
  switch (mark.kind) {
    case 'configuration': {
      const { index, configuration } = mark.applied;
      const body = encodeMembers(8, configuration);
      putU64(viewOf(body), 0, index);
      return { type: recordTypes.configuration, body };
    }
    case 'installing': {
      const body = encodeMembers(idBytes, mark.snapshot.configuration);
      putId(body, mark.snapshot.last);
      return { type: recordTypes.installing, body };
    }
    case 'installed': {
      const body = new Uint8Array(idBytes);
      putId(body, mark.last);
      return { type: recordTypes.installed, body };
    }
    default: {
      const body = new Uint8Array(idBytes + 8);
      putId(body, mark.position);
      putU64(viewOf(body), idBytes, mark.segment);
      return { type: recordTypes[mark.kind], body };
    }
  }
}

/**
 * Reads a mark.
 *
 * @param type - one of `recordTypes` that is a mark
 */
export function decodeMark(type: number, body: Uint8Array): DecodedMark {
  if (type === recordTypes.configuration) {
    const configuration = body.length < 8 ? undefined : decodeMembers(body.subarray(8));
    const index = configuration === undefined ? -1 : getU64(viewOf(body), 0);
    if (configuration === undefined || !isCount(index)) return invalid('a configuration');
    return { mark: { kind: 'configuration', applied: { index, configuration } } };
  }
  const last = body.length < idBytes ? undefined : getId(body);
  if (last === undefined) return invalid('a mark');
  if (type === recordTypes.installing) {
    const configuration = decodeMembers(body.subarray(idBytes));
    if (configuration === undefined) return invalid('a mark of a snapshot');
    return { mark: { kind: 'installing', snapshot: { last, configuration } } };
  }
  if (type === recordTypes.installed) {
    return body.length === idBytes ? { mark: { kind: 'installed', last } } : invalid('a mark');
  }
  const segment = body.length === idBytes + 8 ? getU64(viewOf(body), idBytes) : 0;
  if (!isPositive(segment)) return invalid('a mark of where the log starts');
  const kind = type === recordTypes.head ? 'head' : 'start';
  return { mark: { kind, position: last, segment } };
}

function invalid(what: string): DecodedMark {
  return { invalid: `${what} cannot be read` };
}

/** Members behind `from` bytes that the caller fills. */
function encodeMembers(from: number, configuration: ConfState): Uint8Array {
  const lists = listsOf(configuration);
  const { context = noContext } = configuration;
  const ids = lists.reduce((sum, list) => sum + list.length, 0);
  const bytes = new Uint8Array(from + 1 + 4 * lists.length + 8 * ids + context.length);
  bytes.set(context, bytes.length - context.length);
  const view = viewOf(bytes);
  bytes[from] = configuration.autoLeave === true ? 1 : 0;
  let at = from + 1;
  for (const list of lists) {
    view.setUint32(at, list.length, true);
    at += 4;
    for (const id of list) {
      putU64(view, at, id);
      at += 8;
    }
  }
  return bytes;
}

function listsOf(configuration: ConfState): readonly (readonly MemberId[])[] {
  const { voters = [], votersOutgoing = [], learners = [], learnersNext = [] } = configuration;
  return [voters, votersOutgoing, learners, learnersNext];
}

/** Lists that are empty are left out, but for the voters; the rest is the context. */
function decodeMembers(bytes: Uint8Array): ConfState | undefined {
  const flags = bytes[0];
  if (flags !== 0 && flags !== 1) return undefined;
  const lists: number[][] = [];
  let rest = bytes.subarray(1);
  for (let list = 0; list < 4; list += 1) {
    const ids = rest.length < 4 ? undefined : idsOf(rest);
    if (ids === undefined) return undefined;
    lists.push(ids);
    rest = rest.subarray(4 + 8 * ids.length);
  }
  const [voters = [], votersOutgoing = [], learners = [], learnersNext = []] = lists;
  return {
    voters,
    ...(votersOutgoing.length > 0 && { votersOutgoing }),
    ...(learners.length > 0 && { learners }),
    ...(learnersNext.length > 0 && { learnersNext }),
    ...(flags === 1 && { autoLeave: true }),
    ...(rest.length > 0 && { context: new Uint8Array(rest) }),
  };
}

/** A list of ids; its length is checked against the bytes there are before anything is made. */
function idsOf(bytes: Uint8Array): number[] | undefined {
  const view = viewOf(bytes);
  const count = view.getUint32(0, true);
  if (bytes.length < 4 + 8 * count) return undefined;
  const ids: number[] = [];
  for (let at = 0; at < count; at += 1) ids.push(getU64(view, 4 + 8 * at));
  return ids.every(isPositive) ? ids : undefined;
}

function putId(body: Uint8Array, { term, index }: LogId): void {
  const view = viewOf(body);
  putU64(view, 0, term);
  putU64(view, 8, index);
}

/** Index 0 has term 0, and no other has. */
function getId(body: Uint8Array): LogId | undefined {
  const view = viewOf(body);
  const [term, index] = [getU64(view, 0), getU64(view, 8)];
  const isId = isCount(term) && isCount(index) && term > 0 === index > 0;
  return isId ? { term, index } : undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
