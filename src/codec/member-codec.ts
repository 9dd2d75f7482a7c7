/**
 * Members of a group as bytes: what the driver keeps beside a configuration, and what a change of the
 * membership tells about those it concerns. A version byte, then one flat array:
 *
 *     [count, removed id * count, (id, name, address, promote) *]
 */
import { utf8Bytes, utf8Text } from '../base/bytes.js';
import type { MemberId } from '../raft/types.js';
import { FlatReader } from './flat-reader.js';
import { packKept, type Scalar, unpackFlat } from './packr.js';

const version = 1;
/** Bounds what is read of untrusted bytes: a thousand members, far beyond what can be added. */
const elementsMax = 4_096;

/** What a group knows of a member besides its capacity. @since 0.1.0 */
export interface MemberInfo {
  readonly id: MemberId;
  readonly name: string;
  /** `host:port` where the others reach it; empty for a single member that nobody can reach. */
  readonly address: string;
  /** Whether the leader makes it a voter once it has caught up; only of a learner. */
  readonly promote: boolean;
}

/** @since 0.1.0 */
export interface MemberList {
  /** Ascending by id. */
  readonly members: readonly MemberInfo[];
  /** Those that were removed, newest last: they are told so when they come again. */
  readonly removed: readonly MemberId[];
}

/** @since 0.1.0 */
export function encodeMemberList({ members, removed }: MemberList): Uint8Array {
  const values: Scalar[] = [removed.length, ...removed];
  for (const member of members) pushMember(values, member);
  return packKept(values, version);
}

/**
 * @throws {KontikiError} FRAME_INVALID, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeMemberList(bytes: Uint8Array): MemberList {
  const reader = new FlatReader(unpackFlat(bytes, version, elementsMax));
  const removed = Array.from({ length: Math.min(reader.integer('count'), reader.left) }, () =>
    reader.integer('removed', 1),
  );
  return { members: readMembers(reader), removed };
}

/** Appends the fields of one member. @since 0.1.0 */
export function pushMember(values: Scalar[], { id, name, address, promote }: MemberInfo): void {
  values.push(id, utf8Bytes(name), utf8Bytes(address), promote);
}

/** Reads members up to the end of the message. @since 0.1.0 */
export function readMembers(reader: FlatReader): MemberInfo[] {
  const members: MemberInfo[] = [];
  while (reader.left > 0) {
    members.push({
      id: reader.integer('id', 1),
      name: readText('name', reader),
      address: readText('address', reader),
      promote: reader.boolean('promote'),
    });
  }
  return members;
}

/** A byte string as the UTF-8 that it is. @since 0.1.0 */
export function readText(field: string, reader: FlatReader): string {
  return utf8Text(reader.bytes(field));
}
